"""What checks have said already."""

from __future__ import annotations

from agent.checks.known import Memory, Said, key_of
from agent.checks.ports import Mark
from agent.model.content import Role, Where

SAID = Said(marks=(Mark(start=0, end=1, category="c"),))


def test_what_is_known_is_told_as_long_as_it_may_be_old() -> None:
    known = Memory()
    known.put(b"k", SAID, now=0)
    assert known.get(b"k", now=10, max_age=10) == SAID
    assert known.get(b"k", now=11, max_age=10) is None
    assert known.get(b"k", now=1e9) == SAID
    assert known.get(b"other", now=0) is None


def test_a_text_without_marks_is_known_too() -> None:
    known = Memory()
    known.put(b"k", Said(), now=0)
    assert known.get(b"k", now=0) == Said()


def test_the_least_recently_used_goes_first() -> None:
    known = Memory(entries=2)
    for key in (b"a", b"b"):
        known.put(key, SAID, now=0)
    known.get(b"a", now=0)
    known.put(b"c", SAID, now=0)
    assert [known.get(key, now=0) for key in (b"a", b"b", b"c")] == [SAID, None, SAID]


def test_a_key_differs_by_configuration_place_speaker_and_text() -> None:
    keys = {
        key_of(b"1", Where.PROMPT, Role.USER, "a"),
        key_of(b"2", Where.PROMPT, Role.USER, "a"),
        key_of(b"1", Where.ANSWER, Role.USER, "a"),
        key_of(b"1", Where.PROMPT, Role.TOOL_RESULT, "a"),
        key_of(b"1", Where.PROMPT, Role.USER, "b"),
        key_of(b"1", Where.PROMPT, Role.USER, "\ud800"),
    }
    assert len(keys) == 6
