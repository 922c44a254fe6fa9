"""One file, read: its kind decides who reads it, and its budget how far.

`read` never raises: whatever goes wrong has a name, and is the same each time.
"""

from __future__ import annotations

from dataclasses import replace

from agent.dialects.charsets import decoded
from agent.extraction import kinds
from agent.extraction.archives import entries
from agent.extraction.budget import Budget, Limits, Stopped
from agent.extraction.mail import read_mail
from agent.extraction.markup import html_text, xml_text
from agent.extraction.office import is_encrypted, read_office
from agent.extraction.pdf import read_pdf
from agent.extraction.pictures import pixels_of
from agent.extraction.rtf import rtf_text
from agent.extraction.texts import strings
from agent.model.reading import Problem, Reading

_MOST_STRINGS = 1_000_000  # characters picked out of a file of no kind that is read
_LISTED = 200  # characters of an entry's name


def read_plainly(data: bytes, *, name: str, declared: str, limits: Limits) -> Reading | None:
    """The reading of a file that needs no parser: a plain text, a picture, nothing. None for every other, which is
    `read` in a process of its own."""
    if len(data) > limits.bytes:
        return Reading(
            type=kinds.kind_of(data[:4096], name=name, declared=declared), problem=Problem.TOO_LARGE
        )
    kind = kinds.kind_of(data, name=name, declared=declared)
    if kind == "empty":
        return Reading(type=kind)
    if kind in kinds.SILENT and not kinds.is_archive_too(data):
        return Reading(type=kind, pixels=pixels_of(data, kind), silent=True)
    if kind in kinds.PLAIN:
        return read(data, name=name, declared=declared, limits=limits)
    return None


def read(data: bytes, *, name: str, declared: str, limits: Limits) -> Reading:
    """What a file is and says. `declared` is the media type that its sender gives it."""
    if len(data) > limits.bytes:
        return Reading(
            type=kinds.kind_of(data[:4096], name=name, declared=declared), problem=Problem.TOO_LARGE
        )
    budget = Budget(limits)
    kind = kinds.kind_of(data, name=name, declared=declared)
    reading = Reading(type=kind)
    try:
        reading = _File(budget).read(data, kind, name, 0)
    except Stopped as stopped:
        budget.note(stopped.problem)
    except MemoryError:
        budget.note(Problem.MEMORY)
    except Exception:  # a parser met what its author did not think of
        budget.note(Problem.CRASHED)
    return replace(
        reading,
        passages=tuple(budget.passages),
        problem=budget.problem,
        pages=budget.pages or None,
        entries=budget.entries or None if kind in (*kinds.ARCHIVES, "eml") else None,
    )


class _File:
    """Reads a file, and the files in it, on one budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def read(self, data: bytes, kind: str, name: str, depth: int) -> Reading:
        """Give the budget every text of the file. Raises Stopped."""
        budget = self._budget
        if kind == "empty":
            return Reading(type=kind)
        if kind in kinds.SILENT:
            if kinds.is_archive_too(data):  # a picture in front, an archive behind
                self._archive(data, "zip", depth)
            return Reading(type=kind, pixels=pixels_of(data, kind), silent=not budget.passages)
        if kind in kinds.PLAIN or kind in kinds.MARKUP:
            return self._text(data, kind, depth)
        if kind in kinds.ARCHIVES:
            self._archive(data, kind, depth)
        elif kind in kinds.OFFICE:
            if kind.startswith("od") and is_encrypted(data, budget):
                raise Stopped(Problem.ENCRYPTED)
            read_office(data, kind, budget, lambda inner, content: self._inside(inner, content, depth))
        else:
            self._other(data, kind, depth)
        return Reading(type=kind)

    def _other(self, data: bytes, kind: str, depth: int) -> None:
        budget = self._budget
        match kind:
            case "pdf":
                read_pdf(data, budget, lambda inner, content: self._inside(inner, content, depth))
                if kinds.is_archive_too(data):
                    self._archive(data, "zip", depth)
            case "rtf":
                budget.text(rtf_text(data, budget))
            case "eml":
                read_mail(data, budget, lambda inner, content: self._inside(inner, content, depth))
            case "encrypted":
                raise Stopped(Problem.ENCRYPTED)
            case _:
                budget.note(Problem.UNSUPPORTED)
                budget.text(strings(data, most=_MOST_STRINGS))

    def _text(self, data: bytes, kind: str, depth: int) -> Reading:
        found = decoded(data)
        if found is None:  # it began as a text
            self._other(data, "unknown", depth)
            return Reading(type="unknown")
        text, codec = found
        # markup says something else than it shows: what is found in the one may hide in the other
        self._budget.text(text, rewritable=depth == 0 and kind in kinds.PLAIN)
        if kind == "html":
            self._budget.text(html_text(text, self._budget))
        elif kind in kinds.MARKUP:
            self._budget.text(xml_text(data, self._budget))
        return Reading(type=kind, codec=codec)

    def _archive(self, data: bytes, kind: str, depth: int) -> None:
        if depth >= self._budget.limits.depth:
            raise Stopped(Problem.NESTED)
        names: list[str] = []
        for inner, content in entries(data, kind, self._budget):
            names.append(inner[:_LISTED])
            self._inside(inner, content, depth)
        self._budget.text("\n".join(names))

    def _inside(self, name: str, content: bytes, depth: int) -> None:
        """A file in a file. What cannot be read in it does not hide the others."""
        kind = kinds.kind_of(content, name=name)
        if depth + 1 > self._budget.limits.depth:
            self._budget.note(Problem.NESTED)
            return
        try:
            self.read(content, kind, name, depth + 1)
        except Stopped as stopped:
            if stopped.problem not in (Problem.DAMAGED, Problem.ENCRYPTED, Problem.ENTITIES, Problem.NESTED):
                raise  # a limit of the whole
            self._budget.note(stopped.problem)
