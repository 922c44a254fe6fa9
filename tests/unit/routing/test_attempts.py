"""The state machine of attempts: as tables of what happens and what follows, and what holds whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.routing.attempts import ABANDONED, Attempts, GaveUp, Try, Wait
from agent.routing.failures import Cause, Failure, Remedy
from agent.routing.plan import KeyRef, Limits, Plan
from tests.fakes.routes import candidate, lots, plan

FAILURES = {
    "429": Failure(cause=Cause.RATE_LIMITED, status=429),
    "429+3": Failure(cause=Cause.RATE_LIMITED, status=429, retry_after=3.0),
    "429+0.1": Failure(cause=Cause.RATE_LIMITED, status=429, retry_after=0.1),
    "429+60": Failure(cause=Cause.RATE_LIMITED, status=429, retry_after=60.0),
    "401": Failure(cause=Cause.CREDENTIALS, status=401),
    "500": Failure(cause=Cause.SERVER, status=500),
    "503+60": Failure(cause=Cause.OVERLOADED, status=503, retry_after=60.0),
    "400": Failure(cause=Cause.REJECTED, status=400),
    "404": Failure(cause=Cause.UNKNOWN_MODEL, status=404),
    "long": Failure(cause=Cause.TOO_LONG, status=400),
    "stall": Failure(cause=Cause.STALLED),
    "empty": Failure(cause=Cause.EMPTY, status=200),
    "untranslatable": Failure(cause=Cause.UNTRANSLATABLE),
    "broke": Failure(cause=Cause.BUDGET, status=402),
    "secret": Failure(cause=Cause.SECRET),
    "busy": Failure(cause=Cause.BUSY),
}


def way(of: Plan, *happenings: str) -> list[str]:
    """What the attempts say, when each try ends as told (the last one for all that follow) and each wait is waited
    for; lots are even."""
    attempts, now, said = Attempts(of, now=0.0, draw=lots(0.5)), 0.0, []
    left = list(happenings)
    for _ in range(200):
        match attempts.next(now):
            case Try() as attempt:
                said.append(f"{attempt.candidate.provider.id}:{attempt.key.name}")
                what = left.pop(0) if len(left) > 1 else left[0]
                if what == "ok":
                    attempts.succeeded(attempt, status=200, ms=1.0)
                    return said
                attempts.failed(attempt, FAILURES[what], now=now, ms=1.0)
            case Wait(seconds):
                said.append(f"{seconds:g} s")
                now += seconds
            case GaveUp() as end:
                said.append(f"{end.failure.cause.value} of {end.candidate.provider.id}")
                return said
    raise AssertionError("it does not end")


ONE = plan("a")
TWO_KEYS = plan(candidate("a", "k1", "k2"))
TWO = plan("a", "b")
EQUALS = plan("a", "b", explicit=2)


@pytest.mark.parametrize(
    ("of", "happenings", "said"),
    [
        (ONE, ["ok"], ["a:k"]),
        # the same key, with back-off
        (ONE, ["500"], ["a:k", "1 s", "a:k", "2 s", "a:k", "server_error of a"]),
        (ONE, ["500", "ok"], ["a:k", "1 s", "a:k"]),
        # limits: another key at once, then the first that is ready
        (TWO_KEYS, ["429", "ok"], ["a:k1", "a:k2"]),
        (TWO_KEYS, ["429"], ["a:k1", "a:k2", "1 s", "a:k1", "rate_limited of a"]),
        (TWO_KEYS, ["429+3", "429", "ok"], ["a:k1", "a:k2", "2 s", "a:k2"]),
        (ONE, ["429+0.1", "ok"], ["a:k", "0.1 s", "a:k"]),
        (ONE, ["429+60", "ok"], ["a:k", "60 s", "a:k"]),  # nobody else is there: better late than never
        (TWO, ["429+60", "ok"], ["a:k", "b:k"]),
        (TWO, ["429+3", "ok"], ["a:k", "3 s", "a:k"]),
        (TWO, ["503+60", "ok"], ["a:k", "b:k"]),
        # dead keys
        (TWO_KEYS, ["401", "ok"], ["a:k1", "a:k2"]),
        (TWO_KEYS, ["401"], ["a:k1", "a:k2", "upstream_credentials_exhausted of a"]),
        (TWO_KEYS, ["401", "429"], ["a:k1", "a:k2", "2 s", "a:k2", "rate_limited of a"]),
        (TWO_KEYS, ["429", "401", "ok"], ["a:k1", "a:k2", "1 s", "a:k1"]),
        (
            TWO,
            ["401", "500"],
            ["a:k", "b:k", "1 s", "b:k", "2 s", "b:k", "upstream_credentials_exhausted of a"],
        ),
        (plan("a/x", "a/y"), ["401"], ["a:k", "upstream_credentials_exhausted of a"]),  # the same key
        (TWO_KEYS, ["secret", "ok"], ["a:k1", "a:k2"]),
        # the request itself
        (TWO, ["400"], ["a:k", "rejected of a"]),
        (TWO, ["404", "ok"], ["a:k", "b:k"]),
        (TWO, ["long", "400"], ["a:k", "b:k", "context_length of a"]),
        (EQUALS, ["404"], ["a:k", "unknown_model of a"]),  # nobody named b for this
        (plan("a", "b", "c", explicit=2), ["long", "ok"], ["a:k", "c:k"]),
        # elsewhere at once
        (TWO, ["stall", "ok"], ["a:k", "b:k"]),
        (TWO, ["untranslatable", "ok"], ["a:k", "b:k"]),
        (TWO, ["broke"], ["a:k", "b:k", "budget_exceeded of a"]),
        (ONE, ["stall"], ["a:k", "first_token_timeout of a"]),
        # empty streams: once more, then they are the answer
        (TWO, ["empty", "ok"], ["a:k", "b:k"]),
        (TWO, ["empty"], ["a:k", "b:k", "empty of a"]),
        (ONE, ["empty"], ["a:k", "a:k", "empty of a"]),
        (TWO_KEYS, ["empty", "ok"], ["a:k1", "a:k2"]),
        # each candidate has all its tries; the cause told is the first one's
        (
            TWO,
            ["500"],
            ["a:k", "1 s", "a:k", "2 s", "a:k", "b:k", "1 s", "b:k", "2 s", "b:k", "server_error of a"],
        ),
        (ONE, ["busy"], ["a:k", "1 s", "a:k", "2 s", "a:k", "busy of a"]),
    ],
)
def test_what_follows(of: Plan, happenings: list[str], said: list[str]) -> None:
    assert way(of, *happenings) == said


def test_tries_in_all_are_limited() -> None:
    of = plan("a", "b", "c", limits=Limits(tries_total=4, backoff_initial=1))
    assert way(of, "500")[-2:] == ["b:k", "server_error of a"]


def test_time_in_all_is_limited() -> None:
    of = plan("a", limits=Limits(tries_each=9, budget=6, backoff_initial=1, backoff_max=4))
    assert way(of, "500") == ["a:k", "1 s", "a:k", "2 s", "a:k", "server_error of a"]
    assert way(plan("a", limits=Limits(budget=30)), "429+60") == ["a:k", "rate_limited of a"]


def test_what_was_not_sent_is_no_try() -> None:
    of = plan("a", "b", "c", limits=Limits(tries_total=1))
    assert way(of, "untranslatable", "broke", "ok") == ["a:k", "b:k", "c:k"]


def test_pauses_are_spread() -> None:
    attempts = Attempts(plan("a"), now=0.0, draw=lots(0.0, 1.0))
    for expected in (0.8, 2.4):
        attempt = attempts.next(100.0)
        assert isinstance(attempt, Try)
        attempts.failed(attempt, FAILURES["500"], now=100.0, ms=1.0)
        assert attempts.next(100.0) == Wait(pytest.approx(expected))
        attempts._not_before = 0.0


def test_the_trail_tells_it_all() -> None:
    attempts = Attempts(TWO, now=0.0, draw=lots(0.5))
    for failure in ("401", "ok"):
        attempt = attempts.next(0.0)
        assert isinstance(attempt, Try)
        if failure == "ok":
            attempts.succeeded(attempt, status=200, ms=2.0)
        else:
            attempts.failed(attempt, FAILURES[failure], now=0.0, ms=1.5)
    assert [(each.provider, each.key, each.status, each.failure, each.ms) for each in attempts.trail] == [
        ("a", "k", 401, "credentials", 1.5),
        ("b", "k", 200, "", 2.0),
    ]


def test_who_gives_up_because_of_limits_says_when_to_come_again() -> None:
    attempts = Attempts(plan("a", limits=Limits(tries_each=1)), now=0.0, draw=lots(0.5))
    attempt = attempts.next(0.0)
    assert isinstance(attempt, Try)
    attempts.failed(attempt, FAILURES["429+60"], now=0.0, ms=1.0)
    end = attempts.next(10.0)
    assert isinstance(end, GaveUp)
    assert end.failure.retry_after == 50.0


def test_a_request_that_must_not_be_repeated_is_not() -> None:
    attempts = Attempts(TWO, now=0.0, draw=lots(0.5))
    attempt = attempts.next(0.0)
    assert isinstance(attempt, Try)
    attempts.failed(attempt, FAILURES["500"], now=0.0, ms=1.0, final=True)
    assert isinstance(attempts.next(0.0), GaveUp)


def test_a_second_try_goes_to_the_next_candidate_else_to_another_key() -> None:
    for of, expected in ((TWO, "b:k"), (TWO_KEYS, "a:k2"), (ONE, None)):
        attempts = Attempts(of, now=0.0, draw=lots(0.5))
        attempts.next(0.0)
        second = attempts.hedge(0.1)
        found = second and f"{second.candidate.provider.id}:{second.key.name}"
        assert found == expected


def test_when_both_fail_the_tries_go_on() -> None:
    attempts = Attempts(TWO, now=0.0, draw=lots(0.5))
    first, second = attempts.next(0.0), attempts.hedge(0.1)
    assert isinstance(first, Try)
    assert isinstance(second, Try)
    attempts.failed(second, FAILURES["401"], now=0.2, ms=1.0)
    attempts.failed(first, FAILURES["stall"], now=0.3, ms=1.0)
    end = attempts.next(0.3)
    assert isinstance(end, GaveUp)
    assert end.failure.cause is Cause.STALLED  # of the first, though b's keys are dead


def test_the_loser_is_in_the_trail() -> None:
    attempts = Attempts(TWO, now=0.0, draw=lots(0.5))
    first, second = attempts.next(0.0), attempts.hedge(0.1)
    assert isinstance(first, Try)
    assert isinstance(second, Try)
    attempts.abandoned(first, ms=9.0)
    attempts.succeeded(second, status=200, ms=5.0)
    assert [each.failure for each in attempts.trail] == [ABANDONED, ""]
    assert attempts.hedge(1.0) is None


def test_elsewhere_means_another_candidate_in_time() -> None:
    attempts = Attempts(TWO, now=0.0, draw=lots(0.5))
    assert attempts.elsewhere(299.0)
    assert not attempts.elsewhere(300.0)
    assert not Attempts(TWO_KEYS, now=0.0, draw=lots(0.5)).elsewhere(0.0)


keys = st.lists(st.sampled_from(["k1", "k2", "k3"]), min_size=1, max_size=3, unique=True)
plans = st.builds(
    lambda chain, explicit, each, total, budget: plan(
        *(candidate(f"{who}/m", *(KeyRef(name=name) for name in names)) for who, names in chain),
        explicit=min(explicit, len(chain)),
        limits=Limits(tries_each=each, tries_total=total, budget=budget),
    ),
    st.lists(st.tuples(st.sampled_from("abc"), keys), min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 12),
    st.floats(1, 100),
)


@given(plans, st.data())
def test_limits_hold_dead_keys_stay_dead_and_it_ends(of: Plan, data: st.DataObject) -> None:
    attempts, now, sent, waited = Attempts(of, now=0.0, draw=lots(0.1, 0.9)), 0.0, 0, 0
    dead: set[tuple[str, str]] = set()
    per_place = [0] * len(of.candidates)
    limited: dict[tuple[int, str], float] = {}
    begun = False
    for _ in range(500):
        step = attempts.next(now)
        if isinstance(step, Wait):
            assert step.seconds > 0
            assert now + step.seconds < of.limits.budget
            waited += 1
            now += step.seconds
            continue
        if isinstance(step, GaveUp):
            break
        tries = [step]
        if data.draw(st.booleans()) and (second := attempts.hedge(now)) is not None:
            tries.append(second)
        for attempt in tries:
            place = (attempt.candidate.provider.id, attempt.key.name)
            assert place not in dead
            assert limited.get((attempt.place, attempt.key.name), 0.0) <= now
            assert not begun or now < of.limits.budget
        for attempt in tries:
            failure = FAILURES[data.draw(st.sampled_from(sorted(FAILURES)))]
            now += data.draw(st.floats(0, 10))
            final = data.draw(st.integers(0, 9)) == 9
            attempts.failed(attempt, failure, now=now, ms=1.0, final=final)
            if failure.remedy is Remedy.DROP_KEY:
                dead.add((attempt.candidate.provider.id, attempt.key.name))
            if failure.retry_after:
                limited[attempt.place, attempt.key.name] = now + failure.retry_after * (
                    failure.remedy is Remedy.ROTATE
                )
            if failure.cause not in (Cause.UNTRANSLATABLE, Cause.BUDGET, Cause.SECRET):
                begun = True
                sent += 1
                per_place[attempt.place] += 1
    else:
        raise AssertionError("it does not end")
    assert sent <= of.limits.tries_total
    assert max(per_place) <= of.limits.tries_each
    assert isinstance(attempts.next(now), GaveUp)
