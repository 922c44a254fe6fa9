"""Text streams: what is held back while nothing comes, and offsets in text that was folded."""

from __future__ import annotations

from agent.guardrails import Rule, Scanner
from agent.model.findings import Family

WORDS = Rule(id="r", family=Family.CUSTOM, type="r", pattern=r"secret-[0-9]{4}", keywords=("secret-",))
DIGITS = Rule(id="d", family=Family.CUSTOM, type="d", pattern=r"\b[0-9]{12}\b")


def test_a_rest_releases_a_word_that_only_might_begin_a_match() -> None:
    stream = Scanner((WORDS, DIGITS)).stream()
    stream.feed("all is s")
    assert (stream.cleared, stream.holding) == (6, True)
    stream.rest()
    assert (stream.cleared, stream.holding) == (8, False)
    stream.feed("aid. secret-1234.")
    stream.finish()
    assert [(each.start, each.end) for each in stream.findings] == [(13, 24)]


def test_a_rest_keeps_what_is_under_way_in_earnest() -> None:
    stream = Scanner((WORDS, DIGITS)).stream()
    for begun in ("a secr", "b secret-12", "c 12345678"):
        stream.feed(begun)
        stream.rest()
        assert stream.cleared == len(begun) - len(begun.partition(" ")[2])
        stream = Scanner((WORDS, DIGITS)).stream()


def test_findings_are_told_in_the_text_as_it_came() -> None:
    stream = Scanner((WORDS,)).stream()
    text = "x\u200b a\u00ad secre\u200bt-12\u200b34\u200b, secret-5678"
    for char in text:
        stream.feed(char)
    stream.finish()
    assert [text[each.start : each.end] for each in stream.findings] == [
        "secre\u200bt-12\u200b34",
        "secret-5678",
    ]
    assert stream.cleared == len(text)
