"""All but AI goes where it went before: the file itself is run where Node.js is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence

import pytest

from agent.host.earlier import Earlier
from agent.interception.elsewhere import elsewhere
from agent.interception.pac import pac_file

MANUAL = Earlier(
    http="p:80",
    https="p:3128",
    exceptions=("corp.example", "*.lan", "10.*", "192.168.0.0/16", "<local>", 'x";alert(1);"'),
)
THEIRS = """\
var exact = 1;
function FindProxyForURL(url, host) {
  if (host == "boom.example") throw new Error("theirs");
  if (host == "none.example") return null;
  return dnsDomainIs(host, ".corp.example") ? "DIRECT" : "PROXY theirs:3128"; // no } end"""
PRELUDE = """\
function dnsDomainIs(h, d) { return h.length >= d.length && h.substring(h.length - d.length) == d; }
function isPlainHostName(h) { return h.indexOf(".") < 0; }
function shExpMatch(h, s) { return new RegExp("^" + s.replace(/\\./g, "\\\\.").replace(/\\*/g, ".*") + "$").test(h); }
function number(a) { return a.split(".").reduce((n, p) => n * 256 + +p, 0); }
function isInNet(h, n, m) { return (number(h) & number(m)) == (number(n) & number(m)); }
"""

needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="the file itself runs only where Node.js is installed"
)


def ways(earlier: Earlier, urls: Sequence[str]) -> list[str]:
    pac = pac_file(
        ["api.openai.com", "closed.example"], 7717, closed=frozenset({"closed.example"}), earlier=earlier
    )
    script = (
        f"{PRELUDE}{pac}\nconsole.log(JSON.stringify({json.dumps(urls)}"
        ".map(url => FindProxyForURL(url, new URL(url).hostname))));"
    )
    done = subprocess.run(["node", "-e", script], capture_output=True, check=True, timeout=30)
    found: list[str] = json.loads(done.stdout)
    return found


def test_without_anything_before_all_else_is_direct() -> None:
    assert elsewhere(Earlier()) == 'function elsewhere(url, host) { return "DIRECT"; }\n'


def test_a_setting_cannot_write_code() -> None:
    assert 'x\\";alert(1);\\"' in elsewhere(MANUAL)


def test_the_companys_file_stands_in_a_function_of_its_own() -> None:
    text = elsewhere(Earlier(pac_url="http://c/p", pac_text="THEIRS"))
    assert text.index("(function () {") < text.index("THEIRS") < text.index("})();")


@needs_node
def test_a_manual_proxy_is_kept_for_all_else_and_as_the_way_out() -> None:
    found = ways(
        MANUAL,
        [
            "https://api.openai.com/",
            "https://closed.example/",
            "https://www.example/",
            "http://www.example/",
            "https://a.corp.example/",
            "https://x.lan/",
            "https://10.1.1.1/",
            "https://192.168.9.9/",
            "https://8.8.8.8/",
            "https://printer/",
        ],
    )
    assert found == [
        "PROXY 127.0.0.1:7717; PROXY p:3128",
        "PROXY 127.0.0.1:7717",
        "PROXY p:3128",
        "PROXY p:80",
        *["DIRECT"] * 4,
        "PROXY p:3128",
        "DIRECT",
    ]


@needs_node
def test_socks_is_kept_too() -> None:
    assert ways(Earlier(socks="s:1080"), ["https://www.example/"]) == ["SOCKS5 s:1080; SOCKS s:1080"]


@needs_node
@pytest.mark.parametrize("name", ["function FindProxyForURL", "FindProxyForURL = function"])
def test_the_companys_file_answers_for_all_else_and_only_for_that(name: str) -> None:
    text = THEIRS.replace("function FindProxyForURL", name) + "\n}"
    found = ways(
        Earlier(pac_url="http://c/p", pac_text=text),
        [
            "https://api.openai.com/",
            "https://closed.example/",
            "https://www.example/",
            "https://a.corp.example/",
            "https://boom.example/",
            "https://none.example/",
        ],
    )
    assert found == [
        "PROXY 127.0.0.1:7717; PROXY theirs:3128",
        "PROXY 127.0.0.1:7717",
        "PROXY theirs:3128",
        "DIRECT",
        "DIRECT",
        "DIRECT",
    ]


@needs_node
def test_a_companys_file_that_fails_leaves_ours_whole() -> None:
    text = "throw new Error('at once'); function FindProxyForURL() {}"
    assert ways(
        Earlier(pac_url="http://c/p", pac_text=text), ["https://api.openai.com/", "https://x.example/"]
    ) == [
        "PROXY 127.0.0.1:7717; DIRECT",
        "DIRECT",
    ]
