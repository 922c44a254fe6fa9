"""Who insists has his way: ours is put back a few times, then never again until he gives in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.host.setting_drift import Drift, Patience, Verdict


def test_a_change_in_passing_is_undone_once_it_has_settled() -> None:
    drift = Drift()
    assert drift.seen(0, drifted=False) is Verdict.CALM
    assert drift.seen(10, drifted=True) is Verdict.WAIT
    assert drift.seen(11, drifted=True) is Verdict.WAIT
    assert drift.seen(12, drifted=True) is Verdict.REAPPLY
    assert drift.seen(13, drifted=False) is Verdict.CALM


def test_a_change_that_is_undone_by_others_is_nothing() -> None:
    drift = Drift()
    assert drift.seen(0, drifted=True) is Verdict.WAIT
    assert drift.seen(1, drifted=False) is Verdict.CALM
    assert drift.seen(2, drifted=True) is Verdict.WAIT


def test_who_insists_has_his_way_until_he_gives_in() -> None:
    drift = Drift(Patience(settle=0))
    verdicts = [drift.seen(at, drifted=True) for at in range(5)]
    assert verdicts == [Verdict.REAPPLY] * 3 + [Verdict.OVERRIDDEN] * 2
    assert drift.seen(5000, drifted=True) is Verdict.OVERRIDDEN
    assert drift.seen(5001, drifted=False) is Verdict.CALM
    assert drift.seen(5002, drifted=True) is Verdict.REAPPLY


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=200))
def test_never_more_than_three_times_in_ten_minutes(looks: list[tuple[float, bool]]) -> None:
    drift, now = Drift(), 0.0
    reapplied: list[float] = []
    for step, drifted in looks:
        now += step
        if drift.seen(now, drifted=drifted) is Verdict.REAPPLY:
            reapplied.append(now)
    assert all(later - earlier >= 600 for earlier, later in zip(reapplied, reapplied[3:], strict=False))
