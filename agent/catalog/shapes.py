"""Reads the formats of chat pages from TOML, strictly: a mistake names its shape and key.

The bundled ones are in `shapes.toml`, which also says what the keys mean; a policy may bring further files of the same
form.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

from agent.catalog import tables
from agent.catalog.tables import Table
from agent.errors import ConfigError
from agent.model.content import Role
from agent.model.pointers import Pointer, parse_pointer
from agent.model.webshape import (
    Attached,
    Carrier,
    Framing,
    Says,
    ShapeAnswer,
    ShapeBlock,
    ShapeExample,
    ShapeRequest,
    ShownEvent,
    Texts,
    WebShape,
)

MAX_SHAPES = 500
MAX_POINTERS = 64  # of one shape's request, or answer

_SHAPE = frozenset({"about", "answer", "block", "example"})
_ROLES = {role.value: role for role in Role}
_REQUEST = frozenset(
    {
        *_ROLES,
        "carrier",
        "when",
        "model",
        "conversation",
        "conversation_after",
        "stream",
        "files",
        "attachments",
        "sealed",
    }
)
_CHANNELS = {"appends": Role.ASSISTANT, "grows": Role.ASSISTANT, "calls": Role.TOOL_CALL}
_ANSWER = frozenset(
    {
        *(*_CHANNELS, "framing", "types", "repeats", "sticky", "padding", "end_events", "end_data"),
        *("end", "finish", "model", "input_tokens", "output_tokens"),
    }
)
_BLOCK = frozenset({"status", "type", "events", "stopped", "body", "error"})
_EXAMPLE = frozenset({"request", "type", "reads", "model", "conversation", "answer", "says"})
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def bundled_shapes() -> tuple[WebShape, ...]:
    """The shapes shipped with the agent, in file order. Reads one small file."""
    return parse_shapes(
        (files("agent.catalog") / "shapes.toml").read_text(encoding="utf-8"),
        source="agent/catalog/shapes.toml",
    )


def parse_shapes(text: str, *, source: str) -> tuple[WebShape, ...]:
    """Shapes of a TOML text. Raises ConfigError naming `source` and the shape."""
    document = tables.parse(text, source=source)
    tables.check_keys(document, frozenset({"shape"}), frozenset(), where=source)
    rows = tables.rows(document, "shape", where=source)
    if len(rows) > MAX_SHAPES:
        raise ConfigError(f"{source}: more than {MAX_SHAPES} shapes")
    shapes = tuple(_shape(row, source=source) for row in rows)
    seen: set[str] = set()
    for shape in shapes:
        if shape.name in seen:
            raise ConfigError(f"{source}: two shapes are named {shape.name!r}")
        seen.add(shape.name)
    return shapes


def _shape(row: Table, *, source: str) -> WebShape:
    where = f"{source}: shape {row.get('name', '?')!r}"
    tables.check_keys(row, frozenset({"name", "request"}), _SHAPE, where=where)
    name = tables.text(row, "name", where=where)
    if set(name) - _NAME or len(name) > 64:
        raise ConfigError(f"{where}: name must be lower-case letters, digits and '-'")
    return WebShape(
        name=name,
        about=tables.text(row, "about", where=where),
        request=_request(tables.table(row, "request", where=where), where=f"{where}: request"),
        answer=_answer(tables.table(row, "answer", where=where), where=f"{where}: answer"),
        block=_block(tables.table(row, "block", where=where), where=f"{where}: block"),
        examples=tuple(
            _example(each, where=f"{where}: example") for each in tables.rows(row, "example", where=where)
        ),
    )


def _request(row: Table, *, where: str) -> ShapeRequest:
    tables.check_keys(row, frozenset(), _REQUEST, where=where)
    texts = tuple(
        Texts(role=role, at=at) for name, role in _ROLES.items() for at in _pointers(row, name, where=where)
    )
    _count(texts, where=where)
    stream = row.get("stream", False)
    if not isinstance(stream, bool):
        stream = _pointer(tables.text(row, "stream", where=where), where=f"{where}: stream")
    return ShapeRequest(
        carrier=_choice(Carrier, row, "carrier", Carrier.JSON, where=where),
        texts=texts,
        when=_pointers(row, "when", where=where),
        model=_pointers(row, "model", where=where),
        conversation=_pointers(row, "conversation", where=where),
        conversation_after=tables.text(row, "conversation_after", where=where),
        stream=stream,
        attachments=tuple(
            _attached(each, where=f"{where}: attachments")
            for each in tables.rows(row, "attachments", where=where)
        ),
        files=_pointers(row, "files", where=where),
        sealed=tables.flag(row, "sealed", where=where),
    )


def _attached(row: Table, *, where: str) -> Attached:
    tables.check_keys(row, frozenset({"at"}), frozenset({"kind", "name", "media_type", "size"}), where=where)
    inside = {
        key: _pointer(tables.text(row, key, where=where), where=f"{where}: {key}")
        for key in ("name", "media_type", "size")
        if key in row
    }
    return Attached(
        at=_pointer(tables.text(row, "at", where=where), where=f"{where}: at"),
        kind=tables.text(row, "kind", where=where) or "file",
        **inside,
    )


def _answer(row: Table, *, where: str) -> ShapeAnswer:
    tables.check_keys(row, frozenset(), _ANSWER, where=where)
    says = tuple(
        each
        for key, role in _CHANNELS.items()
        for each in _channels(row, key, role, grows=key == "grows", where=where)
    )
    repeats = tuple(_says("", each, where=f"{where}: repeats") for each in _texts(row, "repeats", where))
    _count((*says, *repeats), where=where)
    padding = tables.text(row, "padding", where=where)
    if len(padding) > 1:
        raise ConfigError(f"{where}: padding must be one character")
    return ShapeAnswer(
        padding=padding,
        framing=_choice(Framing, row, "framing", Framing.SSE, where=where),
        types=tuple(each.lower() for each in _texts(row, "types", where)),
        says=says,
        repeats=repeats,
        sticky=_texts(row, "sticky", where),
        end_events=_texts(row, "end_events", where),
        end_data=_texts(row, "end_data", where),
        end=_pointers(row, "end", where=where),
        finish=_pointers(row, "finish", where=where),
        model=_pointers(row, "model", where=where),
        input_tokens=_pointers(row, "input_tokens", where=where),
        output_tokens=_pointers(row, "output_tokens", where=where),
    )


def _channels(row: Table, key: str, role: Role, *, grows: bool, where: str) -> Iterable[Says]:
    channels = tables.table(row, key, where=where)
    for channel in channels:
        for each in tables.texts(channels, channel, where=f"{where}: {key}"):
            yield _says(channel, each, where=f"{where}: {key}.{channel}", role=role, grows=grows)


def _says(channel: str, text: str, *, where: str, role: Role = Role.ASSISTANT, grows: bool = False) -> Says:
    """`<event|event>` before a pointer names the events that it is for."""
    events: tuple[str, ...] = ()
    if text.startswith("<"):
        names, closed, text = text[1:].partition(">")
        events = tuple(names.split("|"))
        if not closed or not all(events):
            raise ConfigError(f"{where}: names of events must stand in <> and be parted by '|'")
    return Says(channel=channel, at=_pointer(text, where=where), events=events, grows=grows, role=role)


def _block(row: Table, *, where: str) -> ShapeBlock:
    tables.check_keys(row, frozenset(), _BLOCK, where=where)
    status = row.get("status", 200)
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise ConfigError(f"{where}: status must be an HTTP status")
    return ShapeBlock(
        status=status,
        media_type=tables.text(row, "type", where=where),
        events=_shown(row, "events", where=where),
        stopped=_shown(row, "stopped", where=where),
        body=tables.text(row, "body", where=where),
        error=tables.text(row, "error", where=where),
    )


def _shown(row: Table, key: str, *, where: str) -> tuple[ShownEvent, ...]:
    found: list[ShownEvent] = []
    for each in tables.rows(row, key, where=where):
        tables.check_keys(each, frozenset({"data"}), frozenset({"event"}), where=f"{where}: {key}")
        found.append(
            ShownEvent(
                data=tables.text(each, "data", where=f"{where}: {key}"),
                event=tables.text(each, "event", where=f"{where}: {key}"),
            )
        )
    return tuple(found)


def _example(row: Table, *, where: str) -> ShapeExample:
    tables.check_keys(row, frozenset(), _EXAMPLE, where=where)
    if not row.keys() & {"request", "answer"}:
        raise ConfigError(f"{where}: needs a request or an answer")
    return ShapeExample(
        request=tables.text(row, "request", where=where),
        content_type=tables.text(row, "type", where=where),
        reads=_texts(row, "reads", where),
        model=tables.text(row, "model", where=where),
        conversation=tables.text(row, "conversation", where=where),
        answer=tables.text(row, "answer", where=where),
        says=_texts(row, "says", where),
    )


def _pointers(row: Table, key: str, *, where: str) -> tuple[Pointer, ...]:
    return tuple(_pointer(each, where=f"{where}: {key}") for each in _texts(row, key, where))


def _pointer(text: str, *, where: str) -> Pointer:
    try:
        return parse_pointer(text)
    except ValueError as error:
        raise ConfigError(f"{where}: the pointer {text[:80]!r} {error}") from error


def _texts(row: Table, key: str, where: str) -> tuple[str, ...]:
    return tables.texts(row, key, where=where)


def _count(pointers: tuple[object, ...], *, where: str) -> None:
    if len(pointers) > MAX_POINTERS:
        raise ConfigError(f"{where}: more than {MAX_POINTERS} places for texts")


def _choice[T: (Carrier, Framing)](kind: type[T], row: Table, key: str, usual: T, *, where: str) -> T:
    value = row.get(key, usual.value)
    if value not in [each.value for each in kind]:
        known = ", ".join(each.value for each in kind)
        raise ConfigError(f"{where}: {key} {value!r} is unknown", hint=f"known: {known}")
    return kind(str(value))
