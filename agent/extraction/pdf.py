"""PDF: the texts of its pages, and what else it says: notes, form fields, bookmarks, properties, attached files."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

from agent.extraction.budget import Budget, Stopped
from agent.model.reading import Problem

type Nested = Callable[[str, bytes], None]

_MANY = 10_000  # notes, fields, bookmarks
_SPOKEN = ("/Contents", "/T", "/V", "/TU", "/URI")


def read_pdf(data: bytes, budget: Budget, nested: Nested) -> None:
    """Every text. A page that cannot be read does not hide the others. Raises Stopped."""
    # imported where it is needed: 160 ms, and only in the process that reads
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    # pypdf promises no set of errors for damaged files; MemoryError and RecursionError are Exceptions as well
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):  # many are, with an empty password
            raise Stopped(Problem.ENCRYPTED)
        count = len(reader.pages)
    except Stopped:
        raise
    except (DependencyError, NotImplementedError):
        raise Stopped(Problem.ENCRYPTED) from None
    except (PyPdfError, Exception):
        raise Stopped(Problem.DAMAGED) from None
    for number in range(count):
        budget.page()
        try:
            page = reader.pages[number]
            text = page.extract_text()
            notes = "\n".join(_notes(page.get("/Annots")))
        except Exception:
            budget.note(Problem.DAMAGED)
            continue
        budget.text(text)
        budget.text(notes)
    for read in (_properties, _fields, _bookmarks):
        try:
            text = "\n".join(read(reader))
        except Exception:
            budget.note(Problem.DAMAGED)
            continue
        budget.text(text)
    _attached(reader, budget, nested)


def _notes(annotations: object) -> Iterator[str]:
    from pypdf.generic import ArrayObject, DictionaryObject

    listed = _resolved(annotations)
    for each in (listed if isinstance(listed, ArrayObject) else ())[:_MANY]:
        note = _resolved(each)
        if not isinstance(note, DictionaryObject):
            continue
        for place in (note, _resolved(note.get("/A"))):
            for key in _SPOKEN:
                if isinstance(place, DictionaryObject) and isinstance(value := place.get(key), str):
                    yield value


def _resolved(value: object) -> object:
    """The object that a reference points to, or the value itself."""
    resolve = getattr(value, "get_object", None)
    return value if resolve is None else resolve()


def _properties(reader: object) -> Iterator[str]:
    metadata = getattr(reader, "metadata", None)
    for key, value in (metadata or {}).items():
        if isinstance(value, str) and key not in ("/Producer", "/Creator", "/CreationDate", "/ModDate"):
            yield value


def _fields(reader: object) -> Iterator[str]:
    fields: dict[str, dict[str, object]] = getattr(reader, "get_fields", dict)() or {}
    for name, field in list(fields.items())[:_MANY]:
        value = field.get("/V")
        if isinstance(value, str):
            yield f"{name}: {value}"


def _bookmarks(reader: object) -> Iterator[str]:
    waiting = list(getattr(reader, "outline", ()))
    for _ in range(_MANY):
        if not waiting:
            return
        each = waiting.pop(0)
        if isinstance(each, list):
            waiting = [*each, *waiting]
        elif isinstance(title := getattr(each, "title", None), str):
            yield title


def _attached(reader: object, budget: Budget, nested: Nested) -> None:
    try:
        listed = list(getattr(reader, "attachment_list", ()))
    except Exception:
        budget.note(Problem.DAMAGED)
        return
    for each in listed:
        budget.entry()
        try:
            name, content = str(each.name), bytes(each.content)
        except Exception:
            budget.note(Problem.DAMAGED)
            continue
        nested(name, content)
