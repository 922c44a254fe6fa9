"""The one error of a dispatch: what it tells a client."""

from __future__ import annotations

from agent.gateway.dispatch import DispatchFailed
from agent.model.record import Attempt
from agent.routing.failures import Cause, Failure
from tests.fakes.routes import candidate


def test_it_tells_the_cause_of_the_first_and_that_others_were_tried() -> None:
    trail = (
        Attempt(provider="a", model="m", failure="overloaded"),
        Attempt(provider="a", model="m", failure="overloaded"),
        Attempt(provider="b", model="m", failure="connect"),
    )
    error = DispatchFailed(
        Failure(cause=Cause.OVERLOADED, message="answered HTTP 529"), candidate("a"), trail
    )
    assert str(error) == "a/m answered HTTP 529; 1 more tried in vain"
    assert (error.status, error.cause, error.retry_after, error.trail) == (503, "overloaded", None, trail)


def test_it_says_how_to_mend_it() -> None:
    error = DispatchFailed(Failure(cause=Cause.RATE_LIMITED, retry_after=2.0), candidate("a"), ())
    assert (str(error), error.status, error.retry_after) == ("a/m rate_limited", 429, 2.0)
    assert "fallbacks" in error.hint()


def test_what_the_accounts_say_stays_a_sentence() -> None:
    failure = Failure(cause=Cause.BUDGET, message="The budget 'x' has no room for this request.")
    error = DispatchFailed(failure, candidate("a"), ())
    assert str(error) == "a/m: The budget 'x' has no room for this request."
