"""The circuit breaker: closed, open, half open."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.checks.breaker import CircuitBreaker


def opened(at: float = 0.0) -> CircuitBreaker:
    breaker = CircuitBreaker(failures=3, seconds=30)
    for _ in range(3):
        assert breaker.admits(at)
        breaker.failed(at)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row_and_not_before() -> None:
    breaker = CircuitBreaker(failures=3, seconds=30)
    for outcome in "ffsff":
        assert breaker.admits(0)
        breaker.succeeded() if outcome == "s" else breaker.failed(0)
    assert breaker.admits(0)
    breaker.failed(0)
    assert not breaker.admits(0)
    assert not breaker.admits(29.9)


def test_after_its_time_one_call_tries_and_no_second() -> None:
    breaker = opened()
    assert breaker.admits(30)
    assert not breaker.admits(30)


def test_a_trial_that_succeeds_closes_it() -> None:
    breaker = opened()
    assert breaker.admits(30)
    breaker.succeeded()
    assert breaker.admits(30)
    assert breaker.admits(30)


def test_a_trial_that_fails_opens_it_for_as_long_again() -> None:
    breaker = opened()
    assert breaker.admits(30)
    breaker.failed(31)
    assert not breaker.admits(60.9)
    assert breaker.admits(61)


def test_a_trial_that_was_given_up_leaves_room_for_another() -> None:
    breaker = opened()
    assert breaker.admits(30)
    breaker.abandoned()
    assert breaker.admits(30)


@given(st.lists(st.sampled_from("sfa")))
def test_it_can_always_close_again(outcomes: list[str]) -> None:
    breaker, now = CircuitBreaker(failures=2, seconds=10), 0.0
    for outcome in outcomes:
        if breaker.admits(now):
            match outcome:
                case "s":
                    breaker.succeeded()
                case "f":
                    breaker.failed(now)
                case _:
                    breaker.abandoned()
        now += 1
    assert breaker.admits(now + 10)
    breaker.succeeded()
    assert breaker.admits(now + 10)
