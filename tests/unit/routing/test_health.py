"""Health: circuits open and close, limits cool down, the slow get less, and memory stays bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.routing.failures import Cause, Failure
from agent.routing.health import HealthBook, Route, State, Tuning

ROUTE: Route = ("openai", "k", "gpt-5")
OTHER: Route = ("openai", "k2", "gpt-5")
BROKEN = Failure(cause=Cause.SERVER, status=500)
LIMITED = Failure(cause=Cause.RATE_LIMITED, status=429)


def book(**changes: float) -> HealthBook:
    return HealthBook(Tuning(**changes))  # type: ignore[arg-type]


def break_(health: HealthBook, times: int = 5, *, now: float = 0.0, route: Route = ROUTE) -> None:
    for _ in range(times):
        health.failed(route, BROKEN, now)


def test_what_is_not_known_is_well() -> None:
    health = book()
    assert health.state(ROUTE, 0.0) is State.HEALTHY
    assert health.usable(ROUTE, 0.0)
    assert health.score(ROUTE, 0.0) == 1.0


def test_failures_in_a_row_open_the_circuit_and_probes_close_it() -> None:
    health = book()
    break_(health, 4)
    assert health.state(ROUTE, 0.0) is State.DEGRADED
    break_(health, 1)
    assert health.state(ROUTE, 0.0) is State.FAILED
    assert not health.usable(ROUTE, 9.9)
    assert health.score(ROUTE, 9.9) == 0.0
    assert health.state(ROUTE, 10.0) is State.RECOVERING
    assert health.score(ROUTE, 10.0) == pytest.approx(0.05)
    for _ in range(2):
        health.began(ROUTE, 10.0)
        assert not health.usable(ROUTE, 10.0)  # one probe at a time
        health.answered(ROUTE, 10.1)
        health.released(ROUTE)
    assert health.state(ROUTE, 10.2) is State.HEALTHY


def test_a_probe_that_fails_opens_the_circuit_for_longer() -> None:
    health = book()
    break_(health)
    health.began(ROUTE, 10.0)
    health.failed(ROUTE, BROKEN, 10.0)
    health.released(ROUTE)
    assert not health.usable(ROUTE, 29.9)
    assert health.usable(ROUTE, 30.0)


def test_a_probe_that_was_given_up_says_nothing() -> None:
    health = book()
    break_(health)
    health.began(ROUTE, 10.0)
    health.released(ROUTE)
    assert health.usable(ROUTE, 10.0)


def test_errors_are_forgotten() -> None:
    health = book()
    break_(health, 3)
    bad = health.score(ROUTE, 0.0)
    assert bad < 0.1
    assert bad < health.score(ROUTE, 60.0) < health.score(ROUTE, 300.0)
    assert health.state(ROUTE, 300.0) is State.HEALTHY


def test_many_errors_among_answers_open_the_circuit_too() -> None:
    health = book()
    for _ in range(6):
        health.answered(ROUTE, 0.0)
        break_(health, 1)
    assert health.state(ROUTE, 0.0) is State.FAILED


def test_a_limit_cools_the_key_down_for_that_model() -> None:
    health = book()
    health.failed(ROUTE, Failure(cause=Cause.RATE_LIMITED, retry_after=20.0), 0.0)
    assert not health.usable(ROUTE, 19.9)
    assert health.usable(ROUTE, 20.0)
    assert health.usable(("openai", "k", "gpt-5-mini"), 0.0)
    assert health.state(ROUTE, 0.0) is State.HEALTHY


def test_limits_that_go_on_cool_down_for_longer() -> None:
    health = book()
    for expected in (5.0, 10.0, 20.0):
        now = 1000.0 * expected
        health.failed(ROUTE, LIMITED, now)
        assert not health.usable(ROUTE, now + expected - 0.1)
        assert health.usable(ROUTE, now + expected)
    health.answered(ROUTE, 50_000.0)
    health.failed(ROUTE, LIMITED, 50_000.0)
    assert health.usable(ROUTE, 50_005.0)


def test_a_refused_key_waits() -> None:
    health = book()
    health.failed(ROUTE, Failure(cause=Cause.CREDENTIALS, status=401), 0.0)
    assert not health.usable(ROUTE, 29.0)
    assert health.usable(OTHER, 0.0)


@pytest.mark.parametrize(
    "cause",
    [Cause.REJECTED, Cause.UNKNOWN_MODEL, Cause.TOO_LONG, Cause.UNTRANSLATABLE, Cause.BUDGET, Cause.BUSY],
)
def test_what_is_not_the_providers_fault_is_not_counted(cause: Cause) -> None:
    health = book()
    for _ in range(50):
        health.failed(ROUTE, Failure(cause=cause), 0.0)
    assert health.snapshot(0.0) == ()


def test_a_provider_that_fails_with_every_key_is_known() -> None:
    health = book()
    for key in range(10):
        health.failed(("openai", f"k{key}", "m"), BROKEN, 0.0)
    assert health.provider_state("openai", 0.0) is State.FAILED
    assert not health.usable(("openai", "fresh", "m"), 0.0)


def test_the_slow_get_less_than_their_peers() -> None:
    health = book()
    health.answered(ROUTE, 0.0, first_ms=1000)
    health.answered(OTHER, 0.0, first_ms=500)
    peers = health.peers((ROUTE, OTHER))
    assert peers.first == 500
    assert health.score(ROUTE, 0.0, peers=peers) == pytest.approx(health.score(OTHER, 0.0, peers=peers) / 2)
    health.streamed(ROUTE, chunks_per_second=40)
    health.streamed(OTHER, chunks_per_second=50)
    assert health.peers((ROUTE, OTHER)).speed == 50


def test_long_prompts_may_take_longer() -> None:
    health = book()
    health.answered(ROUTE, 0.0, first_ms=1000, tokens=20_000)
    assert health.peers((ROUTE,)).first == 500


def test_a_key_takes_as_many_requests_as_it_may() -> None:
    health = book()
    assert health.began(ROUTE, 0.0, limit=2)
    half = health.score(ROUTE, 0.0, limit=2)
    assert health.began(ROUTE, 0.0, limit=2)
    assert not health.began(ROUTE, 0.0, limit=2)
    assert health.is_full("openai", "k", 2)
    assert health.score(ROUTE, 0.0, limit=2) < half < 1
    health.released(ROUTE)
    assert not health.is_full("openai", "k", 2)
    assert health.began(ROUTE, 0.0, limit=2)


def test_the_snapshot_tells_of_providers_and_routes() -> None:
    health = book()
    health.began(ROUTE, 0.0)
    health.answered(ROUTE, 0.0, first_ms=80)
    health.failed(ROUTE, Failure(cause=Cause.RATE_LIMITED, retry_after=5), 0.0)
    provider, route = health.snapshot(1.0)
    assert (provider.provider, provider.key, provider.running) == ("openai", "", 1)
    assert (route.key, route.model, route.first_token_ms, route.cooling_seconds) == ("k", "gpt-5", 80, 4)
    assert route.score == 0


def test_memory_is_bounded() -> None:
    health = book(capacity=10)
    for number in range(100):
        health.answered((f"p{number}", "k", "m"), 0.0)
    assert len(health.snapshot(0.0)) <= 20


@given(
    st.lists(
        st.tuples(st.sampled_from(["ok", "fail", "limit", "begin", "end"]), st.floats(0, 30)), max_size=80
    )
)
def test_a_score_is_a_share_whatever_happens(events: list[tuple[str, float]]) -> None:
    health, now, running = book(), 0.0, 0
    for what, seconds in events:
        now += seconds
        match what:
            case "ok":
                health.answered(ROUTE, now, first_ms=seconds * 10)
            case "fail":
                health.failed(ROUTE, BROKEN, now)
            case "limit":
                health.failed(ROUTE, LIMITED, now)
            case "begin":
                running += health.began(ROUTE, now)
            case _ if running:
                health.released(ROUTE)
                running -= 1
        assert 0 <= health.score(ROUTE, now) <= 1
        assert (health.score(ROUTE, now) > 0) == health.usable(ROUTE, now)
    later = now + 1000
    for _ in range(running):
        health.released(ROUTE)
    assert health.usable(ROUTE, later)  # nobody is given up for ever
