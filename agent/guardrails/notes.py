"""What a rule pack asked for and this engine does otherwise or not at all: told, never left to be found out."""

from __future__ import annotations

from dataclasses import dataclass

from agent.guardrails.rule import Rule

EVERY_RULE = "*"
"""`Note.rule` where a note is about the whole pack."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Note:
    """One deviation from what a pack says."""

    pack: str  # the file
    rule: str  # the rule's id in that file, or EVERY_RULE
    key: str  # the key of the pack that it is about
    text: str  # what follows from it

    def __str__(self) -> str:
        rule = "" if self.rule == EVERY_RULE else f" rule {self.rule}:"
        return f"{self.pack}:{rule} {self.key}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPack:
    """The rules of a pack, in order, and what became of the rest of it."""

    rules: tuple[Rule, ...] = ()
    notes: tuple[Note, ...] = ()
