"""The control API of a real agent, as those meet it who should not: web pages, strangers, the slow and the greedy."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.integration.agent_process import AgentProcess
from tests.integration.stage import Stage

HOST = "drawbridge.sock"


@pytest.fixture(scope="module")
def agent(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    with stage.agent(tmp_path_factory.mktemp("controlled")) as agent:
        yield agent


def said(agent: AgentProcess, data: bytes) -> bytes:
    """All that the agent answers to those bytes."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(15)
        sock.connect(str(agent.paths.run / "control.sock"))
        with suppress(BrokenPipeError):
            sock.sendall(data)
        answer = b""
        with suppress(ConnectionResetError):
            while piece := sock.recv(65536):
                answer += piece
        return answer


def asked(
    agent: AgentProcess, line: str, *fields: str, host: str = HOST, body: bytes = b""
) -> tuple[int, bytes]:
    """Status and body of the answer to a request."""
    head = "".join(f"{field}\r\n" for field in (f"Host: {host}", *fields))
    answer = said(agent, f"{line} HTTP/1.1\r\n{head}\r\n".encode() + body)
    head_, _, rest = answer.partition(b"\r\n\r\n")
    return int(head_.split(b" ")[1]), rest


def test_the_status_is_told(agent: AgentProcess) -> None:
    status, body = asked(agent, "GET /v1/status")
    assert (status, json.loads(body)["state"]) == (200, "guarding")


@pytest.mark.parametrize(
    "field", ["Origin: https://evil.example", "Origin: null", "Referer: http://a/", "Sec-Fetch-Site: none"]
)
def test_a_web_page_is_refused(agent: AgentProcess, field: str) -> None:
    assert asked(agent, "GET /v1/status", field)[0] == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "evil.example", "drawbridge.sock:80", ""])
def test_another_name_is_refused(agent: AgentProcess, host: str) -> None:
    assert asked(agent, "GET /v1/status", host=host)[0] == 403


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /v1/nothing", 404),
        ("GET /", 404),
        ("GET /v1/../v1/status", 404),
        ("GET /v1/pause", 405),
        ("POST /v1/status", 405),
        ("DELETE /v1/status", 405),
        ("GET http://drawbridge.sock/v1/status", 400),
        ("GET /v1/status?unknown=1", 400),
        ("GET /v1/events?limit=0", 400),
        ("GET /v1/events?limit=1&limit=2", 400),
        ("GET /v1/live?since=x", 400),
    ],
)
def test_what_is_not_in_the_table_is_not_served(agent: AgentProcess, line: str, status: int) -> None:
    assert asked(agent, line)[0] == status


def test_an_order_must_be_json_and_say_nothing_else(agent: AgentProcess) -> None:
    def order(body: bytes, kind: str = "application/json") -> int:
        return asked(
            agent, "POST /v1/pause", f"Content-Type: {kind}", f"Content-Length: {len(body)}", body=body
        )[0]

    assert order(b"minutes=5&reason=x", "application/x-www-form-urlencoded") == 415
    assert order(b'{"minutes": 5, "reason": "x"}', "text/plain") == 415
    assert order(b"{") == 400
    assert order(b"[]") == 400
    assert order(b'{"minutes": 5, "reason": "x", "quietly": true}') == 400
    assert order(b'{"minutes": 100000, "reason": "x"}') == 400
    assert agent.control("status")["pause"] is None


def test_every_order_is_recorded_refused_ones_too(agent: AgentProcess) -> None:
    before = len(agent.trail.events(kind="control", limit=1000))
    asked(agent, "POST /v1/pause", "Content-Type: application/json", "Content-Length: 2", body=b"{}")
    row = agent.wait_for_events("control", before + 1)[0]
    text = agent.event_text(row)
    assert "asked for pause: refused" in text
    assert f'"{os.getpid()}"' in text


def test_what_is_too_large_is_refused(agent: AgentProcess) -> None:
    assert asked(agent, "GET /v1/status", "X: " + "a" * 20_000)[0] == 431
    assert asked(agent, "GET /v1/" + "a" * 20_000)[0] == 431
    declared = ("Content-Type: application/json", "Content-Length: 1000000")
    assert asked(agent, "POST /v1/pause", *declared, body=b"{")[0] == 413
    chunks = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    chunked = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    assert asked(agent, "POST /v1/pause", *chunked, body=chunks * 3)[0] == 413


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /v1/status\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\nHost: drawbridge.sock\r\nHost: evil\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\nHost: drawbridge.sock\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"POST /v1/pause HTTP/1.1\r\nHost: drawbridge.sock\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_what_is_no_request_is_no_answer_or_a_refusal(agent: AgentProcess, data: bytes) -> None:
    answer = said(agent, data)
    assert answer == b"" or answer.split(b" ")[1] in (b"400", b"403")


def test_only_the_first_of_several_requests_is_answered(agent: AgentProcess) -> None:
    one = b"GET /v1/health HTTP/1.1\r\nHost: drawbridge.sock\r\n\r\n"
    answer = said(agent, one * 5)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in answer


def test_a_slow_client_is_cut_off_and_holds_up_nobody(agent: AgentProcess) -> None:
    with socket.socket(socket.AF_UNIX) as slow:
        slow.settimeout(30)
        slow.connect(str(agent.paths.run / "control.sock"))
        slow.sendall(b"GET /v1/status HT")
        assert agent.control("status")["running"]
        with suppress(ConnectionResetError):
            assert slow.recv(100) == b""


def test_who_opens_too_many_connections_gets_no_more(agent: AgentProcess) -> None:
    held = []
    try:
        for _ in range(40):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(agent.paths.run / "control.sock"))
            held.append(sock)
        refused = 0
        for sock in held:
            sock.settimeout(0.2)
            try:
                refused += sock.recv(1) == b""
            except ConnectionResetError:
                refused += 1
            except TimeoutError:
                pass
        assert refused == 8
    finally:
        for sock in held:
            sock.close()


def test_the_socket_is_its_owners(agent: AgentProcess) -> None:
    mode = (agent.paths.run / "control.sock").stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be somebody else")
def test_another_account_does_not_reach_the_agent_of_this_one(agent: AgentProcess) -> None:
    script = (
        "import os, socket, sys\n"
        "os.setgroups([])\n"
        "os.setgid(65534)\n"
        "os.setuid(65534)\n"
        "try:\n    socket.socket(socket.AF_UNIX).connect(sys.argv[1])\n"
        "except PermissionError:\n    print('refused')\n"
    )
    command = [sys.executable, "-c", script, str(agent.paths.run / "control.sock")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout == "refused\n", done.stderr


class Browser:
    """Asks the dashboard as a browser would, header by header."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.port = parts.port or 0
        self.enter = f"{parts.path}?{parts.query}"

    def get(self, path: str, method: str = "GET", **fields: str) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(
                method, path, headers={name.replace("_", "-"): value for name, value in fields.items()}
            )
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()


@pytest.fixture
def browser(agent: AgentProcess) -> Browser:
    return Browser(agent.control("dashboard")["url"])


def test_the_address_lets_in_once(browser: Browser) -> None:
    status, fields, _ = browser.get(browser.enter)
    assert status == 303
    assert "HttpOnly; SameSite=Strict" in fields["set-cookie"]
    assert f"Path={fields['location']}" in fields["set-cookie"]
    cookie = fields["set-cookie"].split(";")[0]
    assert browser.get(fields["location"], Cookie=cookie)[0] == 200
    assert browser.get(fields["location"] + "data/live", Cookie=cookie)[0] == 200
    assert browser.get(browser.enter)[0] == 401  # replayed


def test_without_its_cookie_nothing_is_told(browser: Browser) -> None:
    place = browser.get(browser.enter)[1]["location"]
    for cookie in ("", "drawbridge=", "drawbridge=" + "a" * 43, "other=1"):
        assert browser.get(place, Cookie=cookie)[0] == 401
        for name in ("data/live", "data/policy", "data/event?id=0000"):
            status, _, body = browser.get(place + name, Cookie=cookie)
            assert (status, b"exchanges" in body) == (401, False)
    assert browser.get("/s/x/data/live")[0] == 401
    assert browser.get("/data/live")[0] == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_what_another_site_began_is_refused(browser: Browser, fields: dict[str, str]) -> None:
    place = browser.get(browser.enter)[1]
    cookie = place["set-cookie"].split(";")[0]
    named = {name: value.format(port=browser.port) for name, value in fields.items()}
    for path in (place["location"], place["location"] + "data/live", "/notice", "/dashboard.js"):
        assert browser.get(path, Cookie=cookie, **named)[0] == 403


def test_nothing_can_be_changed_there(browser: Browser) -> None:
    place = browser.get(browser.enter)[1]
    cookie = place["set-cookie"].split(";")[0]
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
        assert browser.get(place["location"], method, Cookie=cookie)[0] == 405


def test_pages_may_load_nothing_from_elsewhere(browser: Browser) -> None:
    for path in ("/notice", "/", "/dashboard.js"):
        fields = browser.get(path)[1]
        assert "default-src 'none'" in fields["content-security-policy"]
        assert "frame-ancestors 'none'" in fields["content-security-policy"]
        assert (fields["x-frame-options"], fields["cache-control"]) == ("DENY", "no-store")
        assert "access-control-allow-origin" not in fields


def test_the_notice_needs_no_session(browser: Browser) -> None:
    status, _, body = browser.get("/notice", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")
    assert status == 200
    assert b"What is decrypted" in body
    assert b"api.anthropic.com" in body
    assert b"7 days" in body


def test_commands_tell_the_same(agent: AgentProcess) -> None:
    told = agent.drawbridge("status", "--json", "--exit-code")
    assert (told.returncode, json.loads(told.stdout)["state"]) == (0, "guarding")
    assert agent.drawbridge("health").returncode == 0
    refused = agent.drawbridge("pause", "5")
    assert (refused.returncode, "reason" in refused.stderr) == (1, True)
    assert agent.drawbridge("pause", "5", "--reason", "a test").returncode == 0
    assert agent.drawbridge("status", "--exit-code").returncode == 20
    assert "guarding again" in agent.drawbridge("resume").stdout
    assert "paused" in agent.drawbridge("events", "--kind", "paused").stdout
    assert "/enter?ticket=" in agent.drawbridge("dashboard", "--print").stdout
