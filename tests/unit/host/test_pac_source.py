"""PAC files are fetched within limits, and only those are wrapped that stand alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.pac_source import fetch, fetch_company, stands_alone, wait_for

GOOD = 'function FindProxyForURL(url, host) { return "PROXY p:3128"; }'


@contextmanager
def served(*bodies: bytes) -> Iterator[str]:
    """A server whose answers are `bodies`, the last for ever."""
    left = list(bodies)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/proxy.pac"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def no_proxy_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")


def test_a_file_is_fetched_and_no_proxy_asked(tmp_path: Path) -> None:
    with served(GOOD.encode()) as url:
        assert fetch_company(url) == GOOD
    file = tmp_path / "a b.pac"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode() + b"// \xe9")
    assert fetch(file.as_uri().replace(" ", "%20")).endswith("// é")


def test_what_is_too_large_or_not_there_is_an_error(tmp_path: Path) -> None:
    with served(b"x" * 100) as url, pytest.raises(HostError, match="larger than 10"):
        fetch(url, limit=10)
    with pytest.raises(HostError, match="cannot read"):
        fetch("http://127.0.0.1:1/proxy.pac")
    with pytest.raises(HostError, match="missing"):
        fetch((tmp_path / "none").as_uri())
    with pytest.raises(HostError, match="cannot be read from"):
        fetch("ftp://corp/p.pac")


def test_an_answer_may_lead_elsewhere_but_not_to_files() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            there = {"/web": f"http://127.0.0.1:{server.server_port}/pac", "/file": "file:///etc/passwd"}
            self.send_response(302 if self.path in there else 200)
            self.send_header("location", there.get(self.path, "/"))
            self.send_header("content-length", str(len(GOOD)))
            self.end_headers()
            self.wfile.write(GOOD.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert fetch(f"http://127.0.0.1:{server.server_port}/web") == GOOD
            with pytest.raises(HostError, match="cannot read"):
                fetch(f"http://127.0.0.1:{server.server_port}/file")
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("body", [b"<html>sign in</html>", GOOD.encode() + b"}", b"function f() {}"])
def test_a_captive_portals_page_is_no_pac_file(body: bytes) -> None:
    with served(body) as url, pytest.raises(HostError, match="no PAC file"):
        fetch_company(url)


def test_ours_is_waited_for() -> None:
    with served(b"old", b"// mark") as url:
        wait_for(url, "// mark", seconds=5, sleep=lambda _: None)
    with served(b"old") as url, pytest.raises(HostError, match="no agent serves"):
        wait_for(url, "// mark", seconds=0)


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        (GOOD, True),
        ("", True),
        ("}", False),
        ("(", False),
        ("(]", False),
        ('var a = "}";', True),
        ("var a = '\\'}';", True),
        ("// }\nvar a;", True),
        ("// {", True),
        ("/* } */ f();", True),
        ("/* {", False),
        ("{ // }", False),
        ('"open', False),
        ('"a\nb"', False),
        ("var r = /[/}]{1,2}\\//;", True),
        ("x = a / b; y = {c: 1} ;", True),
        ("`}`", True),
        ("})(); evil(); (function () {", False),
    ],
)
def test_what_stands_alone(text: str, *, alone: bool) -> None:
    assert stands_alone(text) == alone
