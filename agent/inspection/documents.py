"""Judges the slots of a complete document, and rewrites it until nothing that must go is left."""

from __future__ import annotations

from collections.abc import Callable

from agent.inspection.rules import RuleBook, scanned
from agent.inspection.verdicts import Tally, marker
from agent.model.content import Edit, Role, Slot, Where
from agent.model.decision import Action

ROUNDS = 8  # nesting is at most 4 levels deep; each round clears the deepest level that still has findings

type Parse = Callable[[bytes], tuple[Slot, ...]]
type Rewrite = Callable[[bytes, tuple[Edit, ...]], bytes]
type Place = Callable[[Role], Where]


class StubbornContent(Exception):
    """Content that is still found after it was redacted: the document must not pass."""


def judge_document(
    body: bytes, slots: tuple[Slot, ...], tally: Tally, place: Place, *, parse: Parse, rewrite: Rewrite
) -> bytes:
    """Count every finding in the slots; return the body with what the policy redacts taken out.

    Text inside JSON inside a string is seen twice (as part of the outer text and as a slot of its own), so edits are
    made from the deepest level up, and the result is read and scanned again until it is clean: what is sent was
    itself inspected. Raises StubbornContent where that does not end, ContentError from `parse`.
    """
    rules = tally.scope.rules
    edits = _count(slots, tally, rules, place)
    if not edits or not tally.enforcing or tally.decision().action is Action.BLOCK:
        return body
    for _ in range(ROUNDS):
        depth = max(len(edit.address) for edit in edits)
        body = rewrite(body, tuple(edit for edit in edits if len(edit.address) == depth))
        slots = parse(body)
        edits = _redactions(slots, tally, rules, place)
        if not edits:
            return body
    raise StubbornContent


def _count(slots: tuple[Slot, ...], tally: Tally, rules: RuleBook, place: Place) -> list[Edit]:
    edits: list[Edit] = []
    for slot in slots:
        for finding in rules.scan(slot.text):
            if scanned(finding.family, slot.role) and tally.count(finding, place(slot.role)) is Action.REDACT:
                edits.append(_edit(slot, finding.start, finding.end, finding.type))
    return edits


def _redactions(slots: tuple[Slot, ...], tally: Tally, rules: RuleBook, place: Place) -> list[Edit]:
    return [
        _edit(slot, finding.start, finding.end, finding.type)
        for slot in slots
        for finding in rules.scan(slot.text)
        if scanned(finding.family, slot.role) and tally.judge(finding, place(slot.role)) is Action.REDACT
    ]


def _edit(slot: Slot, start: int, end: int, kind: str) -> Edit:
    return Edit(address=slot.address, start=start, end=end, replacement=marker(kind))
