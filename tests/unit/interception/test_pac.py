"""The PAC file: catalogued hosts go through us, look-alikes and all else do not.

Evaluated twice: its tables by the few lines of Python below, which say what its JavaScript says, and, where Node.js is
installed, the file itself.
"""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from agent.interception.pac import pac_file

PORT = 7717
BRIDGE = f"PROXY 127.0.0.1:{PORT}; DIRECT"
CLOSED_BRIDGE = f"PROXY 127.0.0.1:{PORT}"
HOSTS = [
    "api.openai.com",
    "*.openai.azure.com",
    "*.closed.openai.azure.com",
    "chatgpt.com",
    "closed.example",
    "bedrock-runtime.{region}.amazonaws.com",
    "{region}-aiplatform.googleapis.com",
    "closed-{region}.ai.example",
]
PAC = pac_file(
    HOSTS,
    PORT,
    closed=frozenset({"closed.example", "*.closed.openai.azure.com", "closed-{region}.ai.example"}),
)
CLOSED = ("closed.example", "CLOSED.example.", "x.closed.openai.azure.com", "closed-eu.ai.example")
ROUTED = (
    "api.openai.com",
    "API.OpenAI.COM",
    "x.openai.azure.com",
    "a.b.openai.azure.com",
    "chatgpt.com",
    "chatgpt.com.",
    "bedrock-runtime.us-east-1.amazonaws.com",
    "Europe-West4-aiplatform.googleapis.com",
)
DIRECT = (
    "openai.com",
    "api.openai.com.evil.tld",
    "xapi.openai.com",
    "openai.azure.com",
    "evilopenai.azure.com",
    "notchatgpt.com",
    "chatgpt.com.evil.tld",
    "bedrock-runtime.amazonaws.com",
    "bedrock-runtime..amazonaws.com",
    "bedrock-runtime.a.b.amazonaws.com",
    "x.bedrock-runtime.us-east-1.amazonaws.com",
    "s3.us-east-1.amazonaws.com",
    "-aiplatform.googleapis.com",
    "oauth2.googleapis.com",
    "us-aiplatform.googleapis.com.evil.tld",
    "localhost",
    "127.0.0.1",
    "constructor",
    "toString",
    "__proto__",
    "",
)


def table(name: str) -> object:
    line = next(line for line in PAC.splitlines() if line.startswith(f"var {name} = "))
    return json.loads(line.removeprefix(f"var {name} = ").removesuffix(";"))


def routed(host: str) -> bool:
    exact, suffixes, templates = table("exact"), table("suffixes"), table("templates")
    assert isinstance(exact, dict)
    assert isinstance(suffixes, list)
    assert isinstance(templates, list)
    host = host.lower().removesuffix(".")
    if host in exact or any(host.endswith(suffix) for suffix, _ in suffixes):
        return True
    return any(shaped(host.split("."), template) for template, _ in templates)


def shaped(labels: list[str], template: list[str | list[str]]) -> bool:
    return len(labels) == len(template) and all(
        label == part
        if isinstance(part, str)
        else len(label) > len(part[0] + part[1]) and label.startswith(part[0]) and label.endswith(part[1])
        for label, part in zip(labels, template, strict=True)
    )


def test_only_listed_hosts_are_routed() -> None:
    assert [host for host in (*ROUTED, *CLOSED, *DIRECT) if routed(host)] == [*ROUTED, *CLOSED]


def test_every_suffix_begins_with_its_dot() -> None:
    assert table("suffixes") == [[".closed.openai.azure.com", 1], [".openai.azure.com", 0]]


def test_a_stopped_agent_takes_nobody_offline_but_where_policy_says_so() -> None:
    assert PAC.count("PROXY") == 1
    assert f'return "{CLOSED_BRIDGE}" + (closed ? "" : "; " + elsewhere(url, host));' in PAC
    assert 'function elsewhere(url, host) { return "DIRECT"; }' in PAC
    assert table("exact") == {"api.openai.com": 0, "chatgpt.com": 0, "closed.example": 1}


def test_names_are_never_resolved() -> None:
    assert not any(
        call in PAC for call in ("dnsResolve", "isInNet", "isResolvable", "myIpAddress", "shExpMatch")
    )


def test_a_host_name_cannot_write_code() -> None:
    evil = pac_file(['x";alert(1);"', "</script>"], PORT)
    line = next(line for line in evil.splitlines() if line.startswith("var exact = "))
    assert json.loads(line.removeprefix("var exact = ").removesuffix(";"))


@pytest.mark.skipif(
    shutil.which("node") is None, reason="the file itself runs only where Node.js is installed"
)
def test_the_file_itself_says_the_same() -> None:
    script = (
        "function dnsDomainIs(host, domain) { return host.length >= domain.length"
        " && host.substring(host.length - domain.length) == domain; }\n"
        + PAC
        + f"console.log(JSON.stringify({json.dumps([*ROUTED, *CLOSED, *DIRECT])}"
        ".map(host => FindProxyForURL('https://' + host + '/', host))));"
    )
    done = subprocess.run(["node", "-e", script], capture_output=True, check=True, timeout=30)
    assert json.loads(done.stdout) == [
        *[BRIDGE] * len(ROUTED),
        *[CLOSED_BRIDGE] * len(CLOSED),
        *["DIRECT"] * len(DIRECT),
    ]
