"""What is wrong, since when, and what explains what."""

from __future__ import annotations

import pytest

from agent.control.health import WARNABLES, Health, Severity


def codes(health: Health) -> list[str]:
    return [each.about.code for each in health.warnings()]


def test_every_warning_says_what_to_do_and_follows_known_ones() -> None:
    known = [each.code for each in WARNABLES]
    assert len(set(known)) == len(known)
    for each in WARNABLES:
        assert each.title
        assert each.remedy.endswith(".")
        assert set(each.follows) <= set(known) - {each.code}


def test_nothing_explains_its_own_cause() -> None:
    """Two that explain each other would both be hidden."""
    by_code = {each.code: each for each in WARNABLES}

    def causes(code: str, seen: frozenset[str]) -> None:
        assert code not in seen
        for cause in by_code[code].follows:
            causes(cause, seen | {code})

    for code in by_code:
        causes(code, frozenset())


def test_a_warning_keeps_the_time_at_which_it_began() -> None:
    health = Health()
    health.set("disk_low", "10 MiB", now=5)
    health.set("disk_low", "9 MiB", now=7)
    [warning] = health.warnings()
    assert (warning.since, warning.text) == (5, "9 MiB")
    assert warning.document()["severity"] == "high"
    health.clear("disk_low")
    health.set("disk_low", now=9)
    assert health.warnings()[0].since == 9


def test_what_another_one_explains_is_not_told_beside_it() -> None:
    health = Health()
    health.set("audit_failing", now=1)
    assert codes(health) == ["audit_failing"]
    health.set("disk_low", now=2)
    assert codes(health) == ["disk_low"]
    health.clear("disk_low")
    assert codes(health) == ["audit_failing"]


def test_the_gravest_comes_first_and_wishes_degrade_nothing() -> None:
    health = Health()
    health.set("observing", now=1)
    health.set("paused", now=1)
    assert (codes(health), health.degraded) == (["paused", "observing"], False)
    health.set("trail_full", now=1)
    assert not health.degraded
    health.set("policy_refused", now=1)
    health.set("disk_low", now=1)
    assert codes(health) == ["disk_low", "policy_refused", "trail_full", "paused", "observing"]
    assert health.degraded


def test_a_watcher_speaks_for_its_own_codes_only() -> None:
    health = Health()
    health.set("proxy_overridden", now=1)
    health.watched({"disk_low": "x"}, frozenset({"disk_low", "paused"}), now=2)
    health.watched({"paused": ""}, frozenset({"disk_low", "paused"}), now=3)
    assert codes(health) == ["proxy_overridden", "paused"]


def test_an_unknown_code_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Health().set("no_such_thing", now=1)


def test_severities_have_words() -> None:
    assert [each.word for each in Severity] == ["note", "low", "medium", "high"]
