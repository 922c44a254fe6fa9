"""Reads the requests of a chat page as its shape tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.dialects.base import ParsedRequest, RequestHead
from agent.dialects.shapes import integer
from agent.dialects.slots import Collector
from agent.dialects.webshape.carriers import numbered, opened
from agent.dialects.webshape.finding import Find, Found, compiled, text_of
from agent.errors import ContentError
from agent.model.content import Address, Attachment, Role, Slot
from agent.model.pointers import Pointer
from agent.model.webshape import Attached, ShapeRequest

MAX_TEXTS = 10_000

type _Documents = tuple[tuple[int | None, object], ...]


@dataclass(frozen=True, slots=True)
class _Attaching:
    at: Find
    kind: str
    name: Find | None
    media_type: Find | None
    size: Find | None


class RequestReader:
    """Finds what a request holds. Immutable."""

    def __init__(self, shape: ShapeRequest) -> None:
        self._carrier = shape.carrier
        self._texts = tuple((each.role, compiled(each.at)) for each in shape.texts)
        self._when = _all(shape.when)
        self._model = _all(shape.model)
        self._conversation = _all(shape.conversation)
        self._after = shape.conversation_after.lower()
        self._files = _all(shape.files)
        self._attached = tuple(map(_attaching, shape.attachments))
        self._stream = compiled(shape.stream) if isinstance(shape.stream, Pointer) else None
        self._streams = shape.stream is True
        self._sealed = shape.sealed

    def read(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """Raises ContentError where the body is not what the shape promises, or has too many texts."""
        request = opened(self._carrier, head, body)
        documents = request.documents
        if not all(any(find(document) for _, document in documents) for find in self._when):
            return ParsedRequest(asks=False)
        found = Collector()
        for attaching in self._attached:
            for _, document in documents:
                for each in attaching.at(document):
                    _attach(found, attaching, each.value)
        return ParsedRequest(
            model=_first(self._model, documents),
            conversation=_first(self._conversation, documents) or self._in_path(head.path),
            stream=self._streams or (self._stream is not None and _is_true(self._stream, documents)),
            slots=texts(self._texts, documents, found),
            attachments=(*found.attachments, *request.attachments),
            files=tuple(_names(self._files, documents)),
            sealed=self._sealed,
        )

    def _in_path(self, path: str) -> str:
        """The conversation's id in the path of a request."""
        for before, part in pairwise(path.split("/")):
            if self._after and before.lower() == self._after and part.lower() != "new":
                return part
        return ""


def texts(
    wanted: Iterable[tuple[Role, Find]], documents: _Documents, found: Collector | None = None
) -> tuple[Slot, ...]:
    """The texts to which pointers lead, in the order of the documents; each once. Where a pointer leads to an object or
    a list, what is prose in it. Raises ContentError where there are too many."""
    found, order = found or Collector(), _Order()
    places: dict[Address, tuple[tuple[int, ...], Role, object]] = {}
    for role, find in wanted:
        for number, document in documents:
            for each in find(document):
                address = numbered(each.address, number)
                if address not in places:
                    places[address] = ((number or 0, *order.of(document, each.address)), role, each.value)
        if len(places) > MAX_TEXTS:
            raise ContentError(f"more than {MAX_TEXTS} texts")
    for address, (_, role, value) in sorted(places.items(), key=lambda item: item[1][0]):
        found.outer = address[:-1]
        found.prose(address[-1], role, value)
    found.outer = ()
    return tuple(found.slots)


class _Order:
    """Where places stand among others of one request: what it tells sorts as the outermost document reads."""

    def __init__(self) -> None:
        self._keys: dict[int, dict[str, int]] = {}  # of each object that was met: what number its keys have

    def of(self, document: object, address: Address) -> Iterator[int]:
        """The numbers of the steps to a place."""
        for step in address[0]:
            if isinstance(document, dict):
                if (keys := self._keys.get(id(document))) is None:
                    keys = self._keys[id(document)] = {key: at for at, key in enumerate(document)}
                yield keys[str(step)]
                document = document[step]
            else:
                yield step if isinstance(step, int) else 0
                document = document[step] if isinstance(document, list) and isinstance(step, int) else None
        for path in address[1:]:
            yield from (step if isinstance(step, int) else 0 for step in path)


def _all(pointers: tuple[Pointer, ...]) -> tuple[Find, ...]:
    return tuple(map(compiled, pointers))


def _attaching(shape: Attached) -> _Attaching:
    def inside(pointer: Pointer | None) -> Find | None:
        return None if pointer is None else compiled(pointer)

    return _Attaching(
        compiled(shape.at), shape.kind, inside(shape.name), inside(shape.media_type), inside(shape.size)
    )


def _attach(found: Collector, attaching: _Attaching, value: object) -> None:
    if isinstance(value, str):
        found.attach_url(attaching.kind, value)
    elif isinstance(value, dict):
        found.attachments.append(
            Attachment(
                kind=attaching.kind,
                name=text_of(_value(attaching.name, value)),
                media_type=text_of(_value(attaching.media_type, value)),
                size=integer(_value(attaching.size, value)),
            )
        )


def _value(find: Find | None, document: object) -> object:
    found: Sequence[Found] = find(document) if find is not None else ()
    return found[0].value if found else ""


def _first(pointers: tuple[Find, ...], documents: _Documents) -> str:
    return next((name for name in _names(pointers, documents)), "")


def _names(pointers: tuple[Find, ...], documents: _Documents) -> Iterable[str]:
    for find in pointers:
        for _, document in documents:
            for each in find(document):
                if name := text_of(each.value):
                    yield name


def _is_true(find: Find, documents: _Documents) -> bool:
    return any(each.value in (True, "true") for _, document in documents for each in find(document))
