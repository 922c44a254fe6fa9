"""From facts to what is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.control.facts import WATCHED, Facts, assess
from agent.control.health import WARNABLES
from agent.host.settings_state import Led, SettingsState
from agent.model.record import Outcome
from agent.telemetry.recent import Line, Recent
from tests.fakes.audit import make_exchange

NOW = 1_790_000_000.0


def line(ago: float = 1, *, failed: bool = True) -> Line:
    recent = Recent(clock=lambda: NOW)
    outcome = Outcome.UPSTREAM_FAILED if failed else Outcome.COMPLETED
    recent.add(make_exchange(outcome=outcome, status=None if failed else 200))
    return replace(recent.since(0)[0], ended=NOW - ago)


def test_a_sound_agent_has_nothing_wrong() -> None:
    assert assess(Facts(now=NOW)) == {}
    assert {each.code for each in WARNABLES} >= WATCHED


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"paused_until": NOW + 60}, "paused"),
        ({"observing": True}, "observing"),
        ({"free_bytes": 5 * 2**20}, "disk_low"),
        ({"audit_trouble": "the disk is full"}, "audit_failing"),
        ({"audit_waiting": 3000}, "audit_behind"),
        ({"trail_bytes": 200, "trail_limit": 200}, "trail_full"),
        ({"policy_problem": "unknown key"}, "policy_refused"),
        ({"ca_ends": datetime.fromtimestamp(NOW + 86_400 * 5, UTC)}, "ca_expiring"),
        ({"newest_event": NOW + 3600}, "clock_skew"),
        ({"lines": (line(3), line(2), line(1))}, "upstream_unreachable"),
        ({"uncaptured": "the redirector cannot be started"}, "capture_failed"),
        ({"engine_deaths": 2}, "engine_restarted"),
        ({"engine_deaths": 5}, "crash_loop"),
        ({"led": SettingsState(led=Led.OVERRIDDEN, at=1.0, reasons=("a VPN",))}, "proxy_overridden"),
        ({"led": SettingsState(led=Led.FAILED, at=1.0)}, "proxy_failed"),
        ({"parts_missing": ("there is no cache: x",)}, "part_missing"),
        ({"sign_in_missing": True}, "sign_in_missing"),
        ({"expired": ("ann",)}, "sign_in_expired"),
        ({"ungrouped": ("ann",)}, "groups_left_out"),
    ],
)
def test_each_fact_has_its_warning(facts: dict[str, Any], code: str) -> None:
    assert list(assess(Facts(now=NOW, **facts))) == [code]


@pytest.mark.parametrize(
    "facts",
    [
        {"free_bytes": 2**40},
        {"audit_waiting": 10},
        {"trail_bytes": 100, "trail_limit": 200},
        {"ca_ends": datetime.fromtimestamp(NOW + 86_400 * 50, UTC)},
        {"newest_event": NOW + 30},
        {"lines": (line(2), line(1))},
        {"lines": (line(3), line(2), line(1), line(0, failed=False))},
        {"lines": (line(900), line(800), line(700))},
    ],
)
def test_what_is_usual_is_no_warning(facts: dict[str, Any]) -> None:
    assert assess(Facts(now=NOW, **facts)) == {}
