"""The report, for people and for programs."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from agent.cli.demo.display import document, show, way_of
from agent.cli.demo.results import Report, Seen
from agent.model.record import Attempt, CacheUse, Outcome, Served
from tests.fakes.demo_reports import BROKEN, make_event, make_report, make_step

LONG = Seen(
    tried="Why is sk-proj-abc…yz refused? " * 3,
    client_saw="You said: Why is [REDACTED:openai_api_key] refused? " * 3,
    provider_received="Why is [REDACTED:openai_api_key] refused?",
)
GOOD = make_report(make_step(), make_step(decision="redact", seen=LONG), make_step(decision=""))
FAILED = make_report(make_step(), make_step(title="a [key]", seen=Seen(problem="the [key] got out")))


def shown(report: Report, width: int = 80) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        show(report, console)
    return captured.get()


@pytest.mark.parametrize("width", [80, 100, 200])
def test_a_report_fits_the_terminal(width: int) -> None:
    assert max(map(len, shown(GOOD, width).splitlines())) <= min(width, 110)


def test_what_stands_in_the_place_of_a_secret_is_not_torn_apart() -> None:
    assert shown(GOOD).count("[REDACTED:openai_api_key]") == 4


def test_a_good_report_says_so() -> None:
    text = shown(GOOD)
    assert text.count("✓") == 4
    assert "✗" not in text
    assert "unbroken, 44 events" in text
    assert "+0.75 ms a request: 1.50 ms straight, 2.25 ms through the bridge" in text
    assert "drawbridge exec -- claude" in text
    assert "credentials" in text


def test_a_step_that_failed_says_why() -> None:
    text = shown(FAILED)
    assert "the [key] got out" in text
    assert "1 of 2 did what they should" in text
    assert text.count("✗") == 2


def test_a_broken_or_untrue_trail_is_shown() -> None:
    text = shown(make_report(make_step(), verified=BROKEN, trail_problem="it tells of 9"), 200)
    assert "broken: event 3, removed: it is missing" in text
    assert "it tells of 9" in text


def test_the_same_as_one_json_document() -> None:
    told = json.loads(json.dumps(document(FAILED)))
    assert told["ok"] is False
    assert [(step["id"], step["ok"], step["problem"]) for step in told["steps"]] == [
        ("x", True, ""),
        ("x", False, "the [key] got out"),
    ]
    assert told["audit"]["ok"] is True
    assert len(told["audit"]["events"]) == 2
    assert told["latency"]["added_ms"] == 0.75


def test_the_gateways_steps_have_a_heading_of_their_own() -> None:
    report = make_report(make_step(), gateway_steps=(make_step(title="one API"),))
    assert "The gateway  the SDKs at http://127.0.0.1:3" in shown(report)
    assert "2 of 2 did what they should" in shown(report)
    assert [step["title"] for step in document(report)["steps"]] == ["a title", "one API"]


def served(*attempts: Attempt, cache: CacheUse = CacheUse.NONE, outcome: Outcome = Outcome.COMPLETED) -> str:
    record = Served(attempts=attempts, cache=cache)
    return way_of(make_event("allow", upstream="gateway", served=record, outcome=outcome))


def test_the_trail_says_who_answered() -> None:
    down = Attempt(provider="mistral", model="m", failure="overloaded")
    well = Attempt(provider="openai", model="m")
    poor = Attempt(provider="openai", model="m", failure="budget_exceeded")
    assert way_of(make_event("allow")) == make_event("allow").row.host
    assert served(well) == "openai"
    assert served(down, well, cache=CacheUse.MISS) == "mistral ✗ → openai"
    assert served(cache=CacheUse.EXACT) == "the cache"
    assert served(poor, outcome=Outcome.UPSTREAM_FAILED) == "nobody"
    assert served() == "the gateway"
