"""Clients that write nonsense: each kind has its defined outcome, and the agent serves the next request."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
import zlib
from collections.abc import Iterator

import pytest
import zstandard

from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.line import NOTHING, Answer, Line, NoTunnel
from tests.integration.prompts import CHAT, DIALECTS, MESSAGES, Dialect, made_up_key
from tests.integration.stage import Dial, dialling

SECRET = made_up_key()
NESTED = (
    b'{"model": "gpt-4.1", "messages": ' + b"[" * 100_000 + b"]" * 100_000 + b', "x": "%s"}' % SECRET.encode()
)
TWICE = b'{"messages": [], "messages": [{"role": "user", "content": "%s"}]}' % SECRET.encode()

UNREADABLE = {
    "malformed JSON": b'{"model": "gpt-4.1", "messages": [{"role": "user", "content": "%s"' % SECRET.encode(),
    "a hundred thousand levels": NESTED,
    "a key that comes twice": TWICE,
    "no object": json.dumps([SECRET]).encode(),
    "no JSON": f"my key is {SECRET}, thank you".encode(),
    "a surrogate of its own": b'{"messages": [{"role": "user", "content": "\\ud800 %s"}]' % SECRET.encode(),
}


@pytest.fixture(autouse=True)
def lives(agent: AgentProcess, dial: Dial, provider: Provider) -> Iterator[None]:
    """After whatever came, the same agent serves the next request."""
    pid = agent.pid
    yield
    answer = dial("api.openai.com").ask("POST", CHAT.target(), CHAT.body("still there?"))
    assert (answer.status, agent.status()["pid"]) == (200, pid)
    assert "You said: still there?" in answer.text


def posted(line: Line, body: bytes, *fields: tuple[str, str], dialect: Dialect = CHAT) -> tuple[int, str]:
    """Status and text of the answer to a request with that body."""
    answer = line.ask(
        "POST", dialect.target(), body, fields=fields or (("Content-Type", "application/json"),)
    )
    assert answer.whole
    return answer.status, answer.text


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_passes_as_text_without_its_secrets(
    body: bytes, dial: Dial, provider: Provider
) -> None:
    posted(dial("api.openai.com"), body)
    assert len(provider.requests) == 1
    assert not provider.saw(SECRET)
    assert b"[REDACTED:openai_api_key]" in provider.requests[0].body


@pytest.mark.parametrize(
    "dialect",
    DIALECTS,
    ids=lambda dialect: dialect.name,
)
def test_a_document_of_another_shape_hides_nothing(dialect: Dialect, dial: Dial, provider: Provider) -> None:
    key = {"chat": "messages", "messages": "messages", "responses": "input", "gemini": "contents"}[
        dialect.name
    ]
    dial(dialect.host).ask("POST", dialect.target(), json.dumps({key: {"text": SECRET}}).encode())
    assert not provider.saw(SECRET)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_what_cannot_be_read_is_refused_in_the_clients_dialect_where_policy_says_so(
    dialect: Dialect,
    blocking_agent: AgentProcess,
    provider: Provider,
) -> None:
    with dialling(blocking_agent) as dial:
        answer = dial(dialect.host).ask("POST", dialect.target(), b'{"contents": [')
    assert answer.status == 400
    assert dialect.error_message(answer.document).startswith("Not here, please: ")
    assert provider.requests == ()


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data", "", "application/json; charset=latin-1"]
)
def test_a_wrong_content_type_hides_nothing(kind: str, dial: Dial, provider: Provider) -> None:
    fields = ("Content-Type", kind) if kind else ("X-Nothing", "said")
    assert posted(dial("api.openai.com"), CHAT.body(SECRET), fields)[0] == 200
    assert not provider.saw(SECRET)


@pytest.mark.parametrize("coding", ["gzip", "zstd", "deflate"])
def test_a_compressed_request_is_read_and_redacted(coding: str, dial: Dial, provider: Provider) -> None:
    compress = {"gzip": gzip.compress, "zstd": zstandard.compress, "deflate": zlib.compress}[coding]
    status, text = posted(
        dial("api.openai.com"), compress(CHAT.body(f"my {SECRET}")), ("Content-Encoding", coding)
    )
    assert (status, SECRET in text) == (200, False)
    assert not provider.saw(SECRET)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(CHAT.body(SECRET))[:-12]),
        ("gzip", b"no gzip at all"),
        ("zstd", zstandard.compress(CHAT.body(SECRET))[:9] + b"\xff" * 40),
        ("compress", CHAT.body(SECRET)),
        ("gzip, gzip, gzip, gzip, gzip, gzip", CHAT.body(SECRET)),
    ],
    ids=["cut gzip", "no gzip", "corrupt zstd", "unknown coding", "many codings"],
)
def test_a_body_that_does_not_follow_its_coding_is_refused(
    coding: str, body: bytes, dial: Dial, provider: Provider
) -> None:
    answer = dial("api.openai.com").ask("POST", CHAT.target(), body, fields=(("Content-Encoding", coding),))
    assert answer.status == 400
    assert CHAT.error_message(answer.document)
    assert provider.requests == ()


def test_a_body_that_unpacks_without_end_is_refused(dial: Dial, provider: Provider) -> None:
    bomb = gzip.compress(bytes(65 * 2**20), 1)
    answer = dial("api.anthropic.com").ask(
        "POST", MESSAGES.target(), bomb, fields=(("Content-Encoding", "gzip"),)
    )
    assert answer.status in {400, 413}
    assert MESSAGES.error_message(answer.document)
    assert provider.requests == ()


def test_bytes_that_are_no_text_pass(dial: Dial, provider: Provider) -> None:
    posted(dial("api.openai.com"), b"\xff\xfe\x00\x01")
    assert provider.bodies() == [b"\xff\xfe\x00\x01"]


def test_an_empty_body_passes(dial: Dial, provider: Provider) -> None:
    assert posted(dial("api.openai.com"), b"")[0] == 400  # the provider's own word
    assert provider.bodies() == [b""]


# Heads.

REQUESTS = {
    "no request line": b"\x00\x01\x02 what is this\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: api.openai.com\r\nHost: api.openai.com\r\n\r\n",
    "two framings": b"POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: 5\r\n"
    b"Content-Length: 6\r\n\r\n12345",
    "a length that is no number": b"POST / HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: -1\r\n\r\n",
    "a broken chunk": b"POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a bare line feed in a field": b"GET / HTTP/1.1\r\nHost: api.openai.com\r\nX: a\nHost: evil.example\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : api.openai.com\r\n\r\n",
    "a path that is no ASCII": b"GET /\xc3\xa4 HTTP/1.1\r\nHost: api.openai.com\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", REQUESTS.values(), ids=REQUESTS.keys())
def test_a_malformed_request_is_refused_and_reaches_nobody(
    request_bytes: bytes, dial: Dial, provider: Provider
) -> None:
    line = dial("api.openai.com")
    line.send(request_bytes)
    answer = line.answer()
    assert 400 <= answer.status < 500
    assert provider.requests == ()


@pytest.mark.parametrize("upgrade", ["h2c", "drawbridge/1"])
def test_an_upgrade_to_another_protocol_is_refused(upgrade: str, dial: Dial, provider: Provider) -> None:
    line = dial("api.openai.com")
    line.request("GET", "/v1/models", fields=(("Connection", "Upgrade"), ("Upgrade", upgrade)))
    assert line.answer("GET").status == 400
    assert provider.requests == ()


def flooded(line: Line, flood: bytes, times: int) -> Answer:
    """The answer to bytes without end; NOTHING where the agent just hangs up."""
    with contextlib.suppress(OSError):
        for _ in range(times):
            line.send(flood)
    return line.answer("GET")


def test_a_head_without_end_is_refused(dial: Dial) -> None:
    line = dial("api.openai.com")
    line.send(b"GET / HTTP/1.1\r\nHost: api.openai.com\r\n")
    answer = flooded(line, b"X-Padding: " + b"a" * 16_000 + b"\r\n", 64)
    assert answer.status in {431, 0}
    assert line.ended()


def test_a_proxy_request_without_end_is_refused(dial: Dial) -> None:
    line = dial.proxy()
    line.send(b"CONNECT api.openai.com:443 HTTP/1.1\r\n" + b"X: " + b"a" * 40_000)
    assert line.answer("GET").status == 400


@pytest.mark.parametrize(
    "first", [b"\x16\x03\x01\x02\x00", b"nonsense\r\n\r\n", b"CONNECT api.openai.com HTTP/1.1\r\n\r\n"]
)
def test_nonsense_to_the_proxy_is_refused(first: bytes, dial: Dial) -> None:
    line = dial.proxy()
    line.send(first)
    assert line.answer("GET").status == 400


@pytest.mark.parametrize("port", [0, 65536, 99999])
def test_a_port_that_is_none_is_refused(port: int, dial: Dial) -> None:
    with pytest.raises(NoTunnel, match="400"):
        dial.tunnel("api.openai.com", port)


def test_a_tls_hello_that_is_damaged_ends_the_connection(dial: Dial) -> None:
    line = dial.tunnel("api.openai.com")
    line.send(b"\x16\x03\x01\x00\x08\x01\x00\x00\x04\x03\x03\x00\x00")
    assert line.ended()


def test_a_tls_hello_without_end_ends_the_connection(dial: Dial) -> None:
    line = dial.tunnel("api.openai.com")
    assert flooded(line, b"\x16\x03\x01\x40\x00" + b"\x01\x00\xff\xff" + bytes(0x4000 - 4), 20) == NOTHING
    assert line.ended()


# Clients that leave.


def test_a_client_that_leaves_in_the_middle_of_its_request_reaches_nobody(
    dial: Dial, agent: AgentProcess, provider: Provider
) -> None:
    begun = time.time()
    body = CHAT.body("half")
    line = dial("api.openai.com")
    line.send(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: %d\r\n\r\n"
        % len(body)
        + body[:-20]
    )
    line.close()
    assert agent.outcome(begun) == "client_closed"
    assert provider.requests == ()
