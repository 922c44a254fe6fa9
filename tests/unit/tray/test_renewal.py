"""A sign-in that is renewed while the tray runs."""

from __future__ import annotations

from typing import Any

from agent.errors import UpstreamError
from agent.signin.problems import EndedError
from agent.tray.renewal import FIRST_PAUSE, LONGEST_PAUSE, Renewal
from agent.tray.seen import SignIn, SignInState
from tests.fakes.tray import RecordingNotifier

IN = SignIn(state=SignInState.SIGNED_IN, name="ada", renew_at=1000.0)


class Desk:
    """A person whose renewals are counted."""

    def __init__(self) -> None:
        self.now = 900.0
        self.renewed = 0
        self.error: Exception | None = None
        self.notifier = RecordingNotifier()
        self.renewal = Renewal(lambda: self, self.notifier, now=lambda: self.now)  # type: ignore[arg-type,return-value]

    def renew(self) -> dict[str, Any] | None:
        self.renewed += 1
        if self.error:
            raise self.error
        return {}

    def look(self, known: SignIn = IN) -> int:
        self.renewal(known)
        self.renewal.wait()
        return self.renewed


def test_it_is_renewed_when_it_is_due_and_not_before() -> None:
    desk = Desk()
    assert desk.look() == 0
    desk.now = 1000
    assert desk.look() == 1
    assert desk.look() == 1  # what came of it is seen at the next look


def test_what_needs_no_renewal_gets_none() -> None:
    desk = Desk()
    desk.now = 5000
    for state in (SignInState.NOT_SET_UP, SignInState.SIGNED_OUT):
        assert desk.look(SignIn(state=state, renew_at=1000.0)) == 0
    assert desk.look(SignIn(state=SignInState.EXPIRED, renew_at=1000.0)) == 1


def test_offline_it_asks_less_and_less_often() -> None:
    desk = Desk()
    desk.error = UpstreamError("no network")
    desk.now = 1000
    pause = FIRST_PAUSE
    for count in range(1, 9):
        assert desk.look() == count
        desk.now += pause - 1
        assert desk.look() == count
        desk.now += 1
        pause = min(pause * 2, LONGEST_PAUSE) if count > 1 else pause
        desk.now += pause
    assert desk.notifier.shown == []
    desk.error = None
    desk.now += LONGEST_PAUSE
    desk.look()


def test_an_end_is_told() -> None:
    desk = Desk()
    desk.error = EndedError("the identity provider refuses (invalid_grant)")
    desk.now = 1000
    desk.look()
    assert desk.notifier.shown == [("You are signed out", "the identity provider refuses (invalid_grant)")]
    desk.notifier.error = "no desktop"
    desk.now = 99_999
    desk.look()


def test_a_mistake_of_ours_ends_nothing() -> None:
    desk = Desk()
    desk.error = KeyError("x")
    desk.now = 1000
    assert desk.look() == 1
