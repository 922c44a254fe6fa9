"""What a key's owner may read about it."""

from __future__ import annotations

import json

from agent.accounts.book import Book
from agent.accounts.quota import standing
from agent.accounts.store import DAY_SECONDS, Use
from agent.accounts.tally import Reading
from tests.fakes.accounts import NOW, section

BOOK = Book(
    section("""
teams: [{id: search, budgets: [{usd: 50, per: month, window: calendar, time_zone: Europe/Berlin}]}]
virtual_keys:
  - id: k
    team: search
    expires: "2028-01-01T00:00:00Z"
    budgets: [{tokens: 1000, per: day, name: few}]
    limits: {requests_per_minute: 10, concurrency: 2}
""")
)


def test_a_report_tells_budgets_limits_and_days() -> None:
    entry = BOOK.keys["k"]
    meters = BOOK.plan(entry, "", "openai").meters
    readings = [Reading(used=used, resets_at=int(NOW) + 60) for used in (12_500_000_000, 1200, 3, 1)]
    day = int(NOW) // DAY_SECONDS
    report = standing(
        entry,
        list(zip(meters, readings, strict=True)),
        [Use("k", day, "openai/gpt", 2, 30, 20, 1_500_000, 1)],
        NOW,
    )
    document = report.document()
    assert json.loads(json.dumps(document)) == document
    assert document == {
        "object": "quota",
        "key": "k",
        "team": "search",
        "customer": None,
        "active": True,
        "expires": "2028-01-01T00:00:00Z",
        "at": "2027-01-15T08:00:00Z",
        "budgets": [
            {
                "tier": "team",
                "owner": "search",
                "name": "usd-month",
                "unit": "usd",
                "used": 12.5,
                "limit": 50.0,
                "left": 37.5,
                "window": "calendar",
                "per": "month",
                "time_zone": "Europe/Berlin",
                "resets_at": "2027-01-15T08:01:00Z",
            },
            {
                "tier": "key",
                "owner": "k",
                "name": "few",
                "unit": "tokens",
                "used": 1200,
                "limit": 1000,
                "left": 0,
                "window": "rolling",
                "seconds": 86400,
            },
        ],
        "limits": [
            {
                "tier": "key",
                "owner": "k",
                "name": "requests_per_minute",
                "unit": "requests",
                "used": 3,
                "limit": 10,
                "left": 7,
                "window": "rolling",
                "seconds": 60,
            },
            {
                "tier": "key",
                "owner": "k",
                "name": "concurrency",
                "unit": "concurrent",
                "used": 1,
                "limit": 2,
                "left": 1,
                "window": None,
            },
        ],
        "history": [
            {
                "day": "2027-01-15",
                "model": "openai/gpt",
                "requests": 2,
                "input_tokens": 30,
                "output_tokens": 20,
                "usd": 0.0015,
                "unpriced_requests": 1,
            }
        ],
    }


def test_a_key_that_has_expired_is_not_active() -> None:
    assert not standing(BOOK.keys["k"], [], [], NOW + 400 * DAY_SECONDS).active
