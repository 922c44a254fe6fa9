"""Snapshots: each says all of a text so far, and what is new in it is told once."""

from __future__ import annotations

from agent.dialects.base import Delta
from agent.dialects.snapshots import Snapshots
from agent.model.content import Role, Slot

KEY = ("m", "content", 0)
LOOSE = ("\n```",)


def slot(text: str) -> Slot:
    return Slot(address=(("a",),), role=Role.ASSISTANT, text=text)


def pieces(*said: str) -> list[tuple[str, str]]:
    """The channel and the new piece of each snapshot; a channel that ends is told as `-name`."""
    snapshots = Snapshots()
    found: list[tuple[str, str]] = []
    for text in said:
        delta, closed = snapshots.take(KEY, slot(text), loose=LOOSE)
        found += [(f"-{name[-1]}", "") for name in closed]
        if delta is not None:
            assert delta.slot.text == text
            found.append((delta.channel[-1], delta.piece))
    return found


def test_a_text_that_grows_is_told_in_pieces() -> None:
    assert pieces("", "a", "ab", "ab", "abcd") == [("1", "a"), ("1", "b"), ("1", ""), ("1", "cd")]


def test_a_text_that_does_not_go_on_begins_anew() -> None:
    assert pieces("abc", "abd", "", "e") == [("1", "abc"), ("-1", ""), ("2", "abd"), ("-2", ""), ("3", "e")]


def test_what_a_service_takes_back_is_not_the_texts() -> None:
    assert pieces("```\nx = 1\n```", "```\nx = 12\n```", "```\nx = 12\n```\nDone") == [
        ("1", "```\nx = 1"),
        ("1", "2"),
        ("1", "\n```\nDone"),
    ]


def test_texts_are_apart_by_their_keys_and_end_by_their_message() -> None:
    snapshots = Snapshots()
    made = [snapshots.take((name, place), slot("x"))[0] for name in "ab" for place in (0, 1)]
    names = [delta.channel for delta in made if delta is not None]
    assert len(set(names)) == 4
    assert snapshots.end("a") == tuple(names[:2])
    assert snapshots.close() == tuple(names)
    assert snapshots.close() == ()


def test_a_whole_slot_is_its_own_piece() -> None:
    assert Delta(channel="c", slot=slot("abc")).piece == "abc"
    assert Delta(channel="c", slot=slot("abc"), known=1, loose=1).piece == "b"
