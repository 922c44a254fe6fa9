"""Labelled texts: one JSON object a line. Owns the format, and what is assumed where a row leaves something out.

The sets of others are to be used as they come, so the reader is liberal: it takes the usual spellings of a label and
learns family and kind from the file's name. What it cannot understand is an error with file and line, never skipped: a
row that is silently lost makes a figure look better.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from agent.errors import ContentError
from agent.model.findings import Family

_TYPE_KEYS = ("type", "label", "entity_type", "entity")
_POSITIVE_LABELS = frozenset({"1", "true", "positive", "unsafe", "malicious", "attack", "jailbreak"})
_NEGATIVE_LABELS = frozenset({"0", "false", "negative", "safe", "benign", "legit", "none"})
_FILE_KINDS = ("benign", "hard_negative", "evasion")


class Kind(StrEnum):
    """What a row is there for."""

    POSITIVE = "positive"
    HARD_NEGATIVE = "hard_negative"  # looks like something to find, and is not
    BENIGN = "benign"  # everyday work, in which nothing is to be found by any family
    EVASION = "evasion"  # something to find that was hidden on purpose; counted on its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """What is to be found: `text[start:end]` of the row, Python str indices."""

    start: int
    end: int
    family: Family
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One labelled text. `family` None: a negative for every family."""

    id: str
    text: str
    kind: Kind
    family: Family | None
    gold: tuple[Gold, ...] = ()
    context: str = ""  # what kind of text it is: dotenv, log, prose …
    variant: str = ""  # how it is written, where a type has several forms: a country's telephone numbers
    place: str = ""  # file and line, for messages


def parse_row(line: str, *, file: str, number: int) -> Row:
    """The row on a line of a file. `file` is its name from the folder on: `secrets/dotenv.jsonl`.

    A row without `spans` is a negative, unless its `label` says that the whole text is what is to be found (`1`,
    `"injection"`). Without `family` the file's name tells (`secrets*`, `pii*`, `injection*`); without `kind` so does
    the file's name (`benign*`, `hard_negatives*`, `evasion*`), else rows with spans are positives and others hard
    negatives of their family, or benign where they have none.
    Raises ContentError with file and line for what is no JSON object, lacks `text`, or has spans outside it.
    """
    return _Reader(file, number).row(line)


class _Reader:
    def __init__(self, file: str, number: int) -> None:
        self._place = f"{file}:{number}"
        self._name = file.lower()

    def row(self, line: str) -> Row:
        try:
            table = json.loads(line)
        except (ValueError, RecursionError):
            self._refuse("no JSON")
        if not isinstance(table, dict):
            self._refuse("no JSON object")
        text = table.get("text")
        if not isinstance(text, str):
            self._refuse('"text" must be a string')
        family = self._family(table.get("family")) or self._named_family()
        gold = self._gold(table, text, family)
        return Row(
            id=str(table.get("id", self._place)),
            text=text,
            kind=self._kind(table.get("kind"), gold, family),
            family=family,
            gold=gold,
            context=str(table.get("context") or ""),
            variant=str(table.get("variant") or ""),
            place=self._place,
        )

    def _gold(self, table: Mapping[str, object], text: str, family: Family | None) -> tuple[Gold, ...]:
        spans = table.get("spans")
        if spans is None:
            return self._whole(table.get("label"), text, family)
        if not isinstance(spans, list):
            self._refuse('"spans" must be a list')
        return tuple(self._span(span, text, family) for span in spans)

    def _whole(self, label: object, text: str, family: Family | None) -> tuple[Gold, ...]:
        """The whole text, where the label says so: a number, a word of yes or no, or a family or type."""
        word = "0" if label is None else str(label).strip().lower()
        if word in _NEGATIVE_LABELS or not text:
            return ()
        named = next((each for each in Family if each.value == word), None)
        owner = named or family
        if owner is None:
            self._refuse(f"label {word!r}: of which family? Give the row a family, or name the file by it")
        kind = word if named is None and word not in _POSITIVE_LABELS else owner.value
        return (Gold(start=0, end=len(text), family=owner, type=kind),)

    def _span(self, span: object, text: str, family: Family | None) -> Gold:
        if not isinstance(span, dict):
            self._refuse("a span must be an object")
        start, end = span.get("start"), span.get("end")
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
            self._refuse(f"span {start}..{end} does not lie in the text of {len(text)} characters")
        owner = self._family(span.get("family")) or family
        if owner is None:
            self._refuse("a span without family, in a row and a file without one")
        kind = next((span[key] for key in _TYPE_KEYS if span.get(key)), owner.value)
        return Gold(start=start, end=end, family=owner, type=str(kind))

    def _family(self, word: object) -> Family | None:
        if word is None or word == "":
            return None
        known = {spelling: each for each in Family for spelling in (each.value, f"{each.value}s")}
        found = known.get(str(word).lower())
        if found is None:
            self._refuse(f"unknown family {word!r}; known: {', '.join(each.value for each in Family)}")
        return found

    def _named_family(self) -> Family | None:
        """The family that a folder or the file is named by, the file before the folders."""
        for part in reversed(self._name.split("/")):
            found = next((each for each in Family if part.startswith(each.value)), None)
            if found is not None:
                return found
        return None

    def _kind(self, word: object, gold: tuple[Gold, ...], family: Family | None) -> Kind:
        if word is None or word == "":
            named = next((kind for kind in _FILE_KINDS if kind in self._name), None)
            if named is not None:
                word = named
            elif gold:
                word = "positive"
            else:
                word = "benign" if family is None else "hard_negative"
        try:
            kind = Kind(str(word).lower())
        except ValueError:
            self._refuse(f"unknown kind {word!r}; known: {', '.join(Kind)}")
        if bool(gold) != (kind in (Kind.POSITIVE, Kind.EVASION)):
            self._refuse(f"a row of kind {kind.value} {'with' if gold else 'without'} anything to find")
        return kind

    def _refuse(self, what: str) -> NoReturn:
        raise ContentError(f"{self._place}: {what}", hint="docs/guardrails.md describes the rows.")
