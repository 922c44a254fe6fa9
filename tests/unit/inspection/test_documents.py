"""Complete documents: rewritten until nothing that must go is left."""

from __future__ import annotations

import pytest

from agent.inspection.documents import ROUNDS, StubbornContent, judge_document
from agent.inspection.rules import where_of
from agent.inspection.verdicts import Tally
from agent.model.content import Edit, Role, Slot
from agent.policy import Subject
from tests.fakes.rulebooks import BOMB, TOY, rule_book, toy_scope


class Lines:
    """A document of lines, each a slot; `deep` ones count as texts inside a text. Keeps what it was asked."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.rewritten: list[tuple[Edit, ...]] = []
        self._stubborn = stubborn

    def parse(self, body: bytes) -> tuple[Slot, ...]:
        return tuple(
            Slot(
                address=((place,), (0,)) if line.startswith("deep") else ((place,),),
                role=Role.USER,
                text=line,
            )
            for place, line in enumerate(body.decode().split("\n"))
        )

    def rewrite(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        self.rewritten.append(edits)
        lines = body.decode().split("\n")
        for edit in edits:
            place = edit.address[0][0]
            assert isinstance(place, int)
            line = lines[place]
            if not self._stubborn:
                lines[place] = line[: edit.start] + edit.replacement + line[edit.end :]
        return "\n".join(lines).encode()


def judge(text: str, lines: Lines, more: str = "") -> tuple[str, Tally]:
    tally = Tally(toy_scope(more))
    body = text.encode()
    after = judge_document(body, lines.parse(body), tally, where_of, parse=lines.parse, rewrite=lines.rewrite)
    return after.decode(), tally


def test_a_clean_document_is_the_very_same() -> None:
    body, lines, tally = b"nothing here", Lines(), Tally(toy_scope())
    slots = lines.parse(body)
    assert judge_document(body, slots, tally, where_of, parse=lines.parse, rewrite=lines.rewrite) is body
    assert lines.rewritten == []


def test_the_deepest_texts_are_rewritten_first() -> None:
    lines = Lines()
    after, _ = judge(f"flat {TOY}\ndeep {TOY}", lines)
    assert after == "flat [REDACTED:toy]\ndeep [REDACTED:toy]"
    assert [[len(edit.address) for edit in edits] for edits in lines.rewritten] == [[2], [1]]


def test_findings_are_counted_once_however_often_the_document_is_read() -> None:
    _, tally = judge(f"flat {TOY}\ndeep {TOY}", Lines())
    assert [hit.count for hit in tally.decision().hits] == [2]


def test_what_does_not_go_must_not_pass() -> None:
    lines = Lines(stubborn=True)
    with pytest.raises(StubbornContent):
        judge(TOY, lines)
    assert len(lines.rewritten) == ROUNDS


@pytest.mark.parametrize(("text", "more"), [(f"{TOY} {BOMB}", ""), (TOY, "mode: observe")])
def test_nothing_is_rewritten_that_will_not_be_sent_or_only_observed(text: str, more: str) -> None:
    lines = Lines()
    after, tally = judge(text, lines, more)
    assert after == text
    assert lines.rewritten == []
    assert tally.decision().hits


REVEALING = r"""
schema_version: 1
id: revealing
guardrails:
  - {id: toys, detect: [custom/toy], action: redact}
  - {id: words, detect: [custom/word], action: block}
detectors:
  - {id: toy, pattern: 'TOY-[0-9]{6}'}
  - {id: word, pattern: '\bBOMB-[0-9]{4}\b'}
"""


def test_what_blocks_and_comes_to_light_by_a_redaction_does_not_pass() -> None:
    lines, text = Lines(), f"{TOY}{BOMB}"
    tally = Tally(rule_book(REVEALING).scope(Subject(host="api.openai.com"), ref="REF"))
    body = text.encode()
    with pytest.raises(StubbornContent):
        judge_document(body, lines.parse(body), tally, where_of, parse=lines.parse, rewrite=lines.rewrite)
