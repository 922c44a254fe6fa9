"""What the tray's values say of themselves."""

from __future__ import annotations

from agent.tray.seen import Seen, State, Trouble


def test_what_nobody_told_is_an_agent_that_is_off() -> None:
    assert Seen().state is State.OFF


def test_a_trouble_is_a_sentence() -> None:
    assert Trouble(code="a", title="The disk is full").sentence == "The disk is full"
    assert Trouble(code="a", title="The disk is full", text="0 MiB").sentence == "The disk is full: 0 MiB"
