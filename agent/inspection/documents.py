"""Judges the slots of a complete document, and rewrites it until nothing that must go is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from agent.inspection.pseudonyms import KNOWN_RULE, Vault
from agent.inspection.replacements import replacement
from agent.inspection.rules import scanned, where_found
from agent.inspection.verdicts import Tally
from agent.model.content import Edit, OnRedact, Role, Slot, Where
from agent.model.decision import Action
from agent.model.findings import Family, Finding

ROUNDS = 8  # nesting is at most 4 levels deep; each round clears the deepest level that still has findings

type Parse = Callable[[bytes], tuple[Slot, ...]]
type Rewrite = Callable[[bytes, tuple[Edit, ...]], bytes]
type Place = Callable[[Role], Where]


class _Judge(Protocol):
    def __call__(
        self, finding: Finding, where: Where, *, role: Role, value: str, on_redact: OnRedact | None
    ) -> Action: ...


class StubbornContent(Exception):
    """Content that is still found after it was rewritten: the document must not pass."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and the slot in whose text it stands."""

    slot: Slot
    finding: Finding

    @property
    def value(self) -> str:
        """What was found."""
        return self.slot.text[self.finding.start : self.finding.end]

    def where(self, place: Place) -> Where:
        """The part of the exchange that it belongs to."""
        role = self.slot.role
        return where_found(self.finding.family, role, place(role))

    def edit(self, action: Action, vault: Vault | None) -> Edit:
        """The change that carries out an action that rewrites."""
        return Edit(
            address=self.slot.address,
            start=self.finding.start,
            end=self.finding.end,
            replacement=replacement(action, self.finding, self.value, vault),
        )


def judge_document(
    body: bytes, slots: tuple[Slot, ...], tally: Tally, place: Place, *, parse: Parse, rewrite: Rewrite
) -> bytes:
    """Count every finding in the slots; return the body with what the policy hides taken out or replaced.

    Text inside JSON inside a string is seen twice (as part of the outer text and as a slot of its own), so edits are
    made from the deepest level up, and the result is read and scanned again until it is clean: what is sent was
    itself inspected. Raises StubbornContent where that does not end, ContentError from `parse`.
    """
    edits = count_findings(slots, tally, place)
    if not edits or not tally.enforcing or tally.decision().action.stops:
        return body
    for _ in range(ROUNDS):
        depth = max(len(edit.address) for edit in edits)
        body = rewrite(body, tuple(edit for edit in edits if len(edit.address) == depth))
        slots = parse(body)
        edits = _left(slots, tally, place)
        if not edits:
            return body
    raise StubbornContent


def count_findings(slots: tuple[Slot, ...], tally: Tally, place: Place) -> list[Edit]:
    """Count every finding in the slots; returns what is to be rewritten. To be called once for each tally."""
    found = list(_findings(slots, tally, place))
    if tally.weighs:
        tally.weigh((each.finding, each.where(place), each.slot.role, each.value) for each in found)
    return _edits(found, tally, place, tally.count)


def _left(slots: tuple[Slot, ...], tally: Tally, place: Place) -> list[Edit]:
    def judge(
        finding: Finding, where: Where, *, role: Role, value: str, on_redact: OnRedact | None
    ) -> Action:
        action = tally.judge(finding, where, role=role, value=value, on_redact=on_redact)
        if action.stops and finding.rule != KNOWN_RULE:
            raise StubbornContent  # only the rewriting brought it to light: a word now ends where none ended before
        return action

    return _edits(_findings(slots, tally, place), tally, place, judge)


def _edits(found: Iterable[Found], tally: Tally, place: Place, judge: _Judge) -> list[Edit]:
    edits: list[Edit] = []
    for each in found:
        slot = each.slot
        action = judge(
            each.finding, each.where(place), role=slot.role, value=each.value, on_redact=slot.on_redact
        )
        if each.finding.rule == KNOWN_RULE and not action.rewrites:
            action = Action.PSEUDONYMIZE  # what went out under a stand-in once does not go out plainly
        if action.rewrites:
            edits.append(each.edit(action, tally.scope.vault))
    return edits


def findings_of(slots: tuple[Slot, ...], tally: Tally, place: Place) -> dict[str, int]:
    """What some guardrail cares about in the slots, as family/type, and how often."""
    found: dict[str, int] = {}
    for each in _findings(slots, tally, place):
        if tally.judge(each.finding, each.where(place), role=each.slot.role) is not Action.ALLOW:
            name = f"{each.finding.family}/{each.finding.type}"
            found[name] = found.get(name, 0) + 1
    return found


def _findings(slots: tuple[Slot, ...], tally: Tally, place: Place) -> Iterator[Found]:
    rules, vault = tally.scope.rules, tally.scope.vault
    for slot in slots:
        where = place(slot.role)
        suspicious = where_found(Family.INJECTION, slot.role, where)
        found = rules.scan(slot.text, untrusted=tally.scope.distrusts(suspicious, slot.role))
        for finding in found:
            if scanned(finding.family, slot.role):
                yield Found(slot, finding)
        if vault is not None and where is not Where.ANSWER and slot.on_redact is None:
            for finding in vault.occurrences(slot.text, found):
                yield Found(slot, finding)
