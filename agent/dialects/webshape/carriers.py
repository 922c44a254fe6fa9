"""What requests are, opened into JSON documents, and closed again around documents that were edited.

Where a request is more than one document (the fields of a form, lines, messages in envelopes), the first path of an
address begins with the number of the document. A field is the document `{name: text}`. Every byte that no edit touches
stays as it came; a form's value that is edited is percent-encoded anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote, quote_plus, unquote_to_bytes

from agent.dialects.base import RequestHead
from agent.dialects.jsonedits import edit
from agent.dialects.jsontext import parse
from agent.dialects.multipart import attachment_of, checked_parts, parts_of
from agent.dialects.webshape.envelopes import envelope, envelopes
from agent.errors import ContentError
from agent.model.content import Address, Attachment, Edit
from agent.model.webshape import Carrier

MAX_DOCUMENTS = 1000
_SAFE = "*-._"  # what the URL standard's form serialiser leaves as it is, beside letters and digits


@dataclass(frozen=True, slots=True)
class Opened:
    """A request's documents, and its files. `number` of a document is None where it is the only one there can be."""

    documents: tuple[tuple[int | None, object], ...]
    attachments: tuple[Attachment, ...] = ()


def opened(carrier: Carrier, head: RequestHead, body: bytes) -> Opened:
    """The documents of a request. Raises ContentError where the body is not what the carrier promises."""
    match carrier:
        case Carrier.JSON:
            return Opened(((None, parse(body)),))
        case Carrier.MULTIPART:
            parts = tuple(enumerate(checked_parts(head, body, many=True)))
            fields = ((at, part) for at, part in parts if part.filename is None)
            return Opened(
                tuple((at, {part.name: _decoded(body[part.start : part.end])}) for at, part in fields),
                tuple(attachment_of(part, at) for at, part in parts if part.filename is not None),
            )
        case Carrier.FORM | Carrier.QUERY:
            _check_form(carrier, head)
            pairs = tuple(_fields(body))
            return Opened(tuple((at, {name: value}) for at, (name, value, _, _) in enumerate(pairs)))
        case Carrier.LINES:
            spans = tuple(_lines(body))
        case Carrier.CONNECT:
            spans = tuple(_messages(body))
    if not spans:
        raise ContentError("the request holds no document")
    return Opened(tuple((at, parse(body[start:end])) for at, (start, end) in enumerate(spans)))


def numbered(address: Address, number: int | None) -> Address:
    """An address in a document as one in the request."""
    return address if number is None else ((number, *address[0]), *address[1:])


def edited(carrier: Carrier, body: bytes, edits: tuple[Edit, ...]) -> bytes:
    """The request with its documents edited. Raises ContentError as `jsonedits.edit` does."""
    if not edits:
        return body
    match carrier:
        case Carrier.JSON:
            return edit(body, edits)
        case Carrier.MULTIPART:
            spans = [(part.start, part.end) for part in parts_of(body, many=True)]
            return _rebuilt(body, spans, _of_fields(edits), edit)
        case Carrier.FORM | Carrier.QUERY:
            spans = [(start, end) for _, _, start, end in _fields(body)]
            return _rebuilt(body, spans, _of_fields(edits), _edited_value)
        case Carrier.LINES:
            return _rebuilt(body, list(_lines(body)), _by_document(edits), edit)
        case Carrier.CONNECT:
            spans = [(start - 5, end) for start, end in _messages(body)]
            return _rebuilt(body, spans, _by_document(edits), _edited_message)


type _Rewrite = Callable[[bytes, tuple[Edit, ...]], bytes]


def _rebuilt(
    body: bytes, spans: list[tuple[int, int]], edits: dict[int, list[Edit]], rewrite: _Rewrite
) -> bytes:
    made: list[bytes] = []
    done = 0
    for number in sorted(edits):
        if not 0 <= number < len(spans):
            raise ContentError("an edit's address leads nowhere in this request")
        start, end = spans[number]
        made += body[done:start], rewrite(body[start:end], tuple(edits[number]))
        done = end
    return b"".join((*made, body[done:]))


def _by_document(edits: tuple[Edit, ...], *, skipped: int = 1) -> dict[int, list[Edit]]:
    found: dict[int, list[Edit]] = {}
    for one in edits:
        number, *path = one.address[0][:1] + one.address[0][skipped:] or (-1,)
        at = number if isinstance(number, int) else -1
        found.setdefault(at, []).append(replace(one, address=(tuple(path), *one.address[1:])))
    return found


def _of_fields(edits: tuple[Edit, ...]) -> dict[int, list[Edit]]:
    return _by_document(edits, skipped=2)  # the number and the field's name


def _edited_value(value: bytes, edits: tuple[Edit, ...]) -> bytes:
    text = edit(unquote_to_bytes(value.replace(b"+", b" ")), edits).decode()
    return (quote_plus if b"+" in value else quote)(text, safe=_SAFE).encode()


def _edited_message(framed: bytes, edits: tuple[Edit, ...]) -> bytes:
    return envelope(framed[0], edit(framed[5:], edits))


def _check_form(carrier: Carrier, head: RequestHead) -> None:
    if carrier is Carrier.QUERY:
        if head.method not in ("GET", "HEAD"):
            raise ContentError("the format has its prompt in the address, and this request has a body")
        return
    named = head.content_type.partition(";")[0].strip().lower()
    if named != "application/x-www-form-urlencoded":
        raise ContentError("the body is no form")


def _fields(body: bytes) -> Iterator[tuple[str, str, int, int]]:
    """Name and value of each field, and where the value stands."""
    at = 0
    for count, part in enumerate(body.split(b"&")):
        if count >= MAX_DOCUMENTS:
            raise ContentError(f"a form with more than {MAX_DOCUMENTS} fields")
        name, equals, value = part.partition(b"=")
        end = at + len(part)
        yield _unquoted(name), _unquoted(value), end - len(value) if equals else end, end
        at = end + 1


def _unquoted(value: bytes) -> str:
    return _decoded(unquote_to_bytes(value.replace(b"+", b" ")))


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ContentError("a field of the form is no UTF-8") from None


def _lines(body: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    for count, line in enumerate(body.split(b"\n")):
        if count >= MAX_DOCUMENTS:
            raise ContentError(f"more than {MAX_DOCUMENTS} lines")
        if line.strip():
            yield at, at + len(line)
        at += len(line) + 1


def _messages(body: bytes) -> Iterator[tuple[int, int]]:
    for count, (flags, start, end) in enumerate(envelopes(body)):
        if count >= MAX_DOCUMENTS:
            raise ContentError(f"more than {MAX_DOCUMENTS} messages")
        if flags:
            raise ContentError("a message in an envelope that is compressed, or not known")
        yield start, end
