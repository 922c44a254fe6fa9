"""Forms with files (multipart/form-data, RFC 7578), as clients upload sounds and pictures: found in place, edited in
place.

Read strictly: where readers of forms differ (a field named twice, what stands before or behind the parts, quoting),
there is no form here, and the body is judged as one of no known format. What files hold is not looked into here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import re2

from agent.dialects.base import ParsedRequest, RequestHead
from agent.dialects.jsonedits import edit
from agent.dialects.slots import Collector
from agent.errors import ContentError
from agent.model.content import Attachment, Coding, Edit, Held, Role

MAX_PARTS = 200
_LONGEST_HEAD = 4096  # bytes of one part's
_BOUNDARY = re2.compile(rb"--[0-9A-Za-z'()+_,./:=?-]{1,70}\r\n")  # RFC 2046 section 5.1.1, without spaces
_CONTENT_TYPE = re2.compile(
    r"""(?i)multipart/form-data(?:; ?charset=utf-8)?; ?boundary="?([0-9a-z'()+_,./:=?-]{1,70})"?"""
)
_DISPOSITION = re2.compile(
    r'(?i)form-data; ?name="([^"\\]{1,200})"(?:; ?filename="([^"\\]*)")?(?:; ?filename\*=[^;"]*)?'
)
_PLAIN_CODINGS = frozenset({"", "7bit", "8bit", "binary"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part. Its value is `body[start:end]`."""

    name: str
    filename: str | None  # None: a field, no file
    media_type: str
    start: int
    end: int


def is_form(body: bytes) -> bool:
    """Whether a body can be a form; no JSON document begins as one does."""
    return body.startswith(b"--")


def parts_of(body: bytes, *, many: bool = False) -> tuple[Part, ...]:
    """The parts of a form. Raises ContentError where they could be read otherwise. `many`: files may share a name."""
    opening = _BOUNDARY.match(body)
    if opening is None:
        raise ContentError("the form does not begin with a boundary")
    line = opening.group()[:-2]
    found: list[Part] = []
    at = opening.end()
    while True:
        end = body.find(b"\r\n" + line, at)
        if end < 0 or len(found) >= MAX_PARTS:
            raise ContentError("the form does not end, or has too many parts")
        found.append(_part(body, at, end))
        at = end + len(line) + 4
        match body[at - 2 : at]:
            case b"\r\n":
                continue
            case b"--" if body[at:] in (b"", b"\r\n"):
                break
            case _:
                raise ContentError("the form goes on where it should end")
    single = [part for part in found if not (many and part.filename is not None)]
    names = [part.name for part in single if not part.name.endswith("[]")]
    if len(set(names)) < len(names):
        raise ContentError("the form names a field twice")
    return tuple(found)


def checked_parts(head: RequestHead, body: bytes, *, many: bool = False) -> tuple[Part, ...]:
    """The parts of the form that the request's content type promises; `many` as for `parts_of`. Raises ContentError."""
    named = _CONTENT_TYPE.fullmatch(head.content_type.strip())
    if named is None or not body.startswith(f"--{named.group(1)}\r\n".encode("latin-1")):
        raise ContentError("the body is a form, but not the one that its content type names")
    return parts_of(body, many=many)


def attachment_of(part: Part, place: int) -> Attachment:
    """What is noted of a file, which is the form's part of that number."""
    kind = part.media_type.partition("/")[0]
    return Attachment(
        kind=kind if kind in ("image", "audio") else "file",
        media_type=part.media_type,
        size=part.end - part.start,
        name=part.filename or "",
        held=Held(coding=Coding.PART, path=(part.name, place)),
    )


def read_form(head: RequestHead, body: bytes, *, many: bool = False) -> ParsedRequest:
    """The request that a form is: every field a text, every file an attachment; `many` as for `parts_of`. Raises
    ContentError."""
    found = Collector()
    fields: dict[str, str] = {}
    attachments: list[Attachment] = []
    for place, part in enumerate(checked_parts(head, body, many=many)):
        if part.filename is not None:
            attachments.append(attachment_of(part, place))
            continue
        text = fields[part.name] = _text(body[part.start : part.end])
        if part.name != "model":
            found.text((part.name, place), Role.USER, text)
    return ParsedRequest(
        model=fields.get("model", ""),
        stream=fields.get("stream", "").lower() == "true",
        slots=tuple(found.slots),
        attachments=tuple(attachments),
    )


def edit_form(body: bytes, edits: Iterable[Edit]) -> bytes:
    """The form with its texts edited, at the addresses that `read_form` gives. Raises ContentError."""
    by_place: dict[object, list[Edit]] = {}
    for one in edits:
        by_place.setdefault(one.address[0][-1], []).append(replace(one, address=((), *one.address[1:])))
    parts = parts_of(body, many=True)
    values = {
        place: edit(body[part.start : part.end], tuple(by_place[place]))
        for place, part in enumerate(parts)
        if place in by_place
    }
    return spliced(body, values, parts)


def spliced(body: bytes, values: Mapping[int, bytes], parts: tuple[Part, ...] | None = None) -> bytes:
    """The form with other values in the parts of these numbers; `parts` are its own, where they are known already.
    Raises ContentError."""
    made: list[bytes] = []
    at = 0
    for place, part in enumerate(parts_of(body, many=True) if parts is None else parts):
        if place in values:
            made += (body[at : part.start], values[place])
            at = part.end
    return b"".join((*made, body[at:]))


def with_file(body: bytes, place: int, value: bytes) -> bytes:
    """The form with another value in the part of that number. Raises ContentError."""
    parts = parts_of(body, many=True)
    if place >= len(parts):
        raise ContentError("the form has no such part")
    return spliced(body, {place: value}, parts)


def with_field(body: bytes, name: str, value: str) -> bytes:
    """The form with another value in one of its fields. Raises ContentError."""
    part = next((each for each in parts_of(body) if each.name == name and each.filename is None), None)
    if part is None:
        raise ContentError(f"the form has no field {name!r}")
    return body[: part.start] + value.encode() + body[part.end :]


def _part(body: bytes, at: int, end: int) -> Part:
    blank = body.find(b"\r\n\r\n", at, min(end, at + _LONGEST_HEAD) + 4)
    if blank < 0 or blank > end - 4:
        raise ContentError("a part of the form has no head, or too long a one")
    fields: dict[str, str] = {}
    for line in _text(body[at:blank]).split("\r\n"):
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or name in fields or name != name.strip():
            raise ContentError("a part of the form has a head that can be read in two ways")
        fields[name] = value.strip()
    disposition = _DISPOSITION.fullmatch(fields.get("content-disposition", ""))
    if disposition is None or fields.get("content-transfer-encoding", "").lower() not in _PLAIN_CODINGS:
        raise ContentError("a part of the form does not say plainly what it is")
    filename = disposition.group(2)
    return Part(
        name=disposition.group(1),
        filename=filename if filename is not None or "filename*" not in disposition.group() else "",
        media_type=fields.get("content-type", "").partition(";")[0].strip().lower(),
        start=blank + 4,
        end=end,
    )


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ContentError("a field of the form is no UTF-8") from None
