"""The demo is good only if all of it is."""

from __future__ import annotations

from agent.cli.demo.results import Seen
from tests.fakes.demo_reports import BROKEN, make_report, make_step


def test_a_report_is_good_if_every_part_is() -> None:
    good, bad = make_step(), make_step(seen=Seen(problem="no"))
    assert make_report(good).ok
    assert not make_report(good, bad).ok
    assert not make_report(good, gateway_steps=(bad,)).ok
    assert not make_report(good, trail_problem="it tells another story").ok
    assert not make_report(good, verified=BROKEN).ok


def test_added_latency_is_the_difference() -> None:
    assert make_report().latency.added_ms == 0.75
