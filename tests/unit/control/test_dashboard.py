"""The dashboard's door: whose browser it is, and what another site may not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.control.dashboard import Dashboard
from agent.control.http import Answer, Request
from agent.control.sessions import Sessions
from tests.unit.control.test_reading import ALICE, House


class Browser:
    """Asks a dashboard."""

    def __init__(self, house: House) -> None:
        self.dashboard = Dashboard(house.reading, Sessions(lambda: 1.0), lambda: house.book)
        self.dashboard.port = 7719

    async def get(self, path: str, **headers: str) -> Answer:
        path, _, query = path.partition("?")
        pairs = dict([query.split("=")]) if query else {}
        fields = {"host": "127.0.0.1:7719"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return await self.dashboard(Request(method="GET", path=path, query=pairs, headers=fields), None)

    async def enter(self) -> tuple[str, str]:
        url = self.dashboard.url(ALICE)
        answer = await self.get(url.removeprefix("http://127.0.0.1:7719"))
        fields = dict(answer.headers)
        return fields["location"], fields["set-cookie"].split(";")[0]


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    house = await asyncio.to_thread(House, tmp_path / "state")
    await house.fill()
    yield await asyncio.to_thread(Browser, house)
    await house.spool.close()


async def test_a_session_sees_what_its_owner_may_see(browser: Browser) -> None:
    place, cookie = await browser.enter()
    answer = await browser.get(f"{place}data/live", cookie=f"other=1; {cookie}")
    assert answer.status == 200
    assert b"alice" in answer.body
    assert b"bob" not in answer.body
    assert (await browser.get(f"{place}data/policy", cookie=cookie)).status == 200
    assert (await browser.get(f"{place}data/live?since=x", cookie=cookie)).status == 400
    assert (await browser.get(f"{place}data/event?id=zz", cookie=cookie)).status == 409
    assert (await browser.get(f"{place}data/nothing", cookie=cookie)).status == 404


async def test_without_a_session_only_the_notice_is_told(browser: Browser) -> None:
    place, _ = await browser.enter()
    assert (await browser.get(f"{place}data/live")).status == 401
    assert (await browser.get(place)).status == 401
    assert (await browser.get("/")).status == 401
    assert (await browser.get("/notice")).status == 200
    assert (await browser.get("/etc/passwd")).status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example:7719"},
        {"host": "127.0.0.1"},
        {"origin": "http://evil.example"},
        {"sec_fetch_site": "cross-site"},
    ],
)
async def test_another_site_gets_nothing(browser: Browser, headers: dict[str, str]) -> None:
    place, cookie = await browser.enter()
    for path in (place, f"{place}data/live", "/notice", "/dashboard.css"):
        assert (await browser.get(path, cookie=cookie, **headers)).status == 403


async def test_a_link_to_the_notice_may_be_followed_from_anywhere(browser: Browser) -> None:
    answer = await browser.get("/notice", sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    assert answer.status == 200
