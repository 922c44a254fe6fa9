"""The loopback listener's own pages, and who does not get them."""

from __future__ import annotations

import pytest

from agent.gateway.local import STATUS_PATH, LocalPages

PORT = 7718
HOST = (b"host", b"127.0.0.1:7718")
PAGES = LocalPages("token-1", lambda: {"version": "1", "pid": 7})


def authorized(value: bytes) -> tuple[int, bytes]:
    answer = PAGES.serve(STATUS_PATH, (HOST, (b"authorization", value)))
    assert answer is not None
    return answer[0], answer[2]


def test_the_status_is_for_those_who_hold_the_token() -> None:
    status, body = authorized(b"Bearer token-1")
    assert status == 200
    assert body == b'{"version":"1","pid":7}'


@pytest.mark.parametrize("value", [b"", b"Bearer ", b"Bearer token-2", b"Bearer token-11", b"Basic token-1"])
def test_without_the_token_there_is_nothing(value: bytes) -> None:
    assert authorized(value) == (401, b"")


def test_other_paths_are_not_ours() -> None:
    assert PAGES.serve("/openai/v1/models", (HOST,)) is None
    assert PAGES.serve("/-/status/x", (HOST,)) is None


def test_pages_are_not_kept_framed_or_sniffed() -> None:
    answer = PAGES.serve(STATUS_PATH, (HOST, (b"authorization", b"Bearer token-1")))
    assert answer is not None
    assert dict(answer[1])[b"cache-control"] == b"no-store"
    assert dict(answer[1])[b"x-frame-options"] == b"DENY"


@pytest.mark.parametrize("host", [b"127.0.0.1:7718", b"localhost:7718", b"LOCALHOST:7718", b"[::1]:7718"])
def test_our_own_names_are_served(host: bytes) -> None:
    assert PAGES.refuses(((b"host", host),), PORT) == ""


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"127.0.0.1",
        b"127.0.0.1:80",
        b"rebound.evil.tld:7718",
        b"localhost.evil.tld:7718",
        b"127.0.0.1:7718:7718",
        b"::1:7718",
    ],
)
def test_a_name_that_was_bound_to_us_is_refused(host: bytes) -> None:
    assert PAGES.refuses(((b"host", host),), PORT)


def test_web_pages_are_refused() -> None:
    assert "web pages" in PAGES.refuses((HOST, (b"origin", b"https://evil.tld")), PORT)
    assert PAGES.refuses((HOST, (b"origin", b"null")), PORT)
