"""Metrics for scrapers, the last exchanges for those who watch."""

from __future__ import annotations

import ssl

import orjson
import pytest

from agent.checks.http import HttpConfig
from agent.gateway.telemetry_pages import EXCHANGES_PATH, METRICS_PATHS, telemetry_pages
from agent.policy.telemetry import Metrics, Telemetry
from agent.telemetry.observatory import Observatory, Surroundings
from tests.fakes.audit import make_exchange


def built(**metrics: object) -> Observatory:
    around = Surroundings(secret=lambda _: "scrape-me", http=HttpConfig(context=ssl.create_default_context))
    observatory = Observatory(around, Telemetry(metrics=Metrics(**metrics)))  # type: ignore[arg-type]
    for _ in range(3):
        observatory.observe(make_exchange())
    return observatory


@pytest.mark.parametrize("path", METRICS_PATHS)
async def test_metrics_are_for_the_owner_and_for_the_scraper(path: str) -> None:
    page = telemetry_pages(built(token="env:TOKEN"))[path]
    assert (await page.answer(b"", b"", owner=False))[0] == 401
    assert (await page.answer(b"", b"wrong", owner=False))[0] == 401
    for bearer, owner in ((b"scrape-me", False), (b"", True)):
        status, headers, body = await page.answer(b"", bearer, owner=owner)
        assert status == 200
        assert dict(headers)[b"content-type"].startswith(b"text/plain; version=0.0.4")
        assert b"drawbridge_requests_total{" in body


async def test_metrics_that_are_off_are_not_there() -> None:
    page = telemetry_pages(built(enabled=False))["/metrics"]
    assert (await page.answer(b"", b"", owner=True))[0] == 404
    assert (await page.answer(b"", b"", owner=False))[0] == 401


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (b"", [1, 2, 3]),
        (b"since=2", [3]),
        (b"limit=2", [2, 3]),
        (b"since=nonsense&limit=-1", [1, 2, 3]),
        (b"since=9", []),
    ],
)
async def test_exchanges_are_told_from_a_cursor_on(query: bytes, numbers: list[int]) -> None:
    page = telemetry_pages(built())[EXCHANGES_PATH]
    _, _, body = await page.answer(query, b"", owner=True)
    view = orjson.loads(body)
    assert [line["number"] for line in view["exchanges"]] == numbers
    assert view["latest"] == 3


async def test_exchanges_are_for_the_owner_alone() -> None:
    page = telemetry_pages(built(token="env:TOKEN"))[EXCHANGES_PATH]
    status, _, body = await page.answer(b"", b"scrape-me", owner=False)
    assert (status, body) == (401, b"")
