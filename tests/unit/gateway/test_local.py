"""The loopback listener's own pages, and who does not get them."""

from __future__ import annotations

import pytest

from agent.gateway.local import STATUS_PATH, LocalPages
from agent.gateway.transport.base import Headers

PORT = 7718
HOST = (b"host", b"127.0.0.1:7718")
PAGES = LocalPages("token-1", lambda: {"version": "1", "pid": 7})


async def authorized(value: bytes) -> tuple[int, bytes]:
    answer = await PAGES.serve(STATUS_PATH, b"", (HOST, (b"authorization", value)))
    assert answer is not None
    return answer[0], answer[2]


async def test_the_status_is_for_those_who_hold_the_token() -> None:
    status, body = await authorized(b"Bearer token-1")
    assert status == 200
    assert body == b'{"version":"1","pid":7}'


@pytest.mark.parametrize("value", [b"", b"Bearer ", b"Bearer token-2", b"Bearer token-11", b"Basic token-1"])
async def test_without_the_token_there_is_nothing(value: bytes) -> None:
    assert await authorized(value) == (401, b"")


async def test_other_paths_are_not_ours() -> None:
    assert await PAGES.serve("/openai/v1/models", b"", (HOST,)) is None
    assert await PAGES.serve("/-/status/x", b"", (HOST,)) is None


async def test_pages_are_not_kept_framed_or_sniffed() -> None:
    answer = await PAGES.serve(STATUS_PATH, b"", (HOST, (b"authorization", b"Bearer token-1")))
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


class Page:
    """Implements `LocalPage`."""

    async def answer(self, query: bytes, bearer: bytes, *, owner: bool) -> tuple[int, Headers, bytes]:
        return 200, ((b"content-type", b"text/plain"),), b"%s %s %d" % (query, bearer, owner)


@pytest.mark.parametrize(("token", "owner"), [(b"token-1", b"1"), (b"another", b"0")])
async def test_a_further_page_judges_by_itself_who_may_see_it(token: bytes, owner: bytes) -> None:
    pages = LocalPages("token-1", dict, {"/-/more": Page()})
    answer = await pages.serve("/-/more", b"a=1", (HOST, (b"authorization", b"Bearer " + token)))
    assert answer is not None
    assert (answer[0], answer[2]) == (200, b"a=1 " + token + b" " + owner)
    assert dict(answer[1])[b"x-content-type-options"] == b"nosniff"


async def test_an_agent_has_no_status_page() -> None:
    assert await LocalPages("token-1").serve(STATUS_PATH, b"", (HOST,)) is None
