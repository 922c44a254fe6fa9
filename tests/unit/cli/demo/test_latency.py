"""The agent's own work is read from its events."""

from __future__ import annotations

from agent.cli.demo.latency import overhead_ms
from tests.fakes.demo_reports import make_event


def test_own_work_is_told_in_milliseconds() -> None:
    assert overhead_ms(make_event("allow").document) == 0.75


def test_an_event_that_tells_of_none_did_none() -> None:
    assert overhead_ms({}) == overhead_ms([]) == 0.0
