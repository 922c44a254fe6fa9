"""An address that works once, and a session that only its browser has."""

from __future__ import annotations

from agent.control.caller import Caller
from agent.control.sessions import SESSION_SECONDS, TICKET_SECONDS, Sessions
from agent.control.verbs import Role

ANN = Caller(uid=7, pid=1, name="ann", role=Role.USER)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_ticket_works_once() -> None:
    sessions = Sessions(Clock())
    ticket = sessions.ticket(ANN)
    assert sessions.enter("x" * 43) is None
    assert sessions.enter("") is None
    entered = sessions.enter(ticket)
    assert entered is not None
    assert sessions.enter(ticket) is None
    found = sessions.find(*entered)
    assert found is not None
    assert found.caller == ANN


def test_a_session_is_its_place_and_its_cookie() -> None:
    sessions = Sessions(Clock())
    first, second = sessions.enter(sessions.ticket(ANN)), sessions.enter(sessions.ticket(ANN))
    assert first is not None
    assert second is not None
    assert sessions.find(first[0], second[1]) is None
    assert sessions.find("", first[1]) is None
    assert sessions.find(first[0], "") is None


def test_both_end() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    late, early = sessions.ticket(ANN), sessions.ticket(ANN)
    entered = sessions.enter(early)
    assert entered is not None
    clock.now += TICKET_SECONDS + 1
    assert sessions.enter(late) is None
    assert sessions.find(*entered) is not None
    clock.now += SESSION_SECONDS
    assert sessions.find(*entered) is None


def test_they_do_not_pile_up() -> None:
    sessions = Sessions(Clock())
    first = sessions.ticket(ANN)
    for _ in range(100):
        sessions.ticket(ANN)
    assert sessions.enter(first) is None
