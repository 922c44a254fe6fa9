"""What the process that reads files is asked and answers: frames of a length and as many bytes.

No pickle, nothing that could run: whoever takes over that process by a hostile file can answer nonsense, no more. An
answer is checked for its size and for the type of each of its values.
"""

from __future__ import annotations

import struct
from dataclasses import asdict
from typing import IO, Any

import orjson

from agent.extraction.budget import Limits
from agent.model.reading import Passage, Problem, Reading

_LENGTH = struct.Struct(">Q")
_MOST_HEAD = 64 * 1024
_SPARE = 1024 * 1024  # bytes of an answer beside its texts
_WIDEST = 6  # bytes of JSON for a character, at the most


class Broken(Exception):
    """The other side ended, or does not keep to the form."""


def write_question(stream: IO[bytes], data: bytes, *, name: str, declared: str, limits: Limits) -> None:
    """Ask. Raises OSError."""
    head = orjson.dumps(
        {"name": _plain(name)[:1024], "declared": _plain(declared)[:256], "limits": asdict(limits)}
    )
    _write(stream, head)
    _write(stream, data)
    stream.flush()


def read_question(stream: IO[bytes]) -> tuple[bytes, str, str, Limits] | None:
    """The file, its name, its declared type, and the limits; None where no question follows. Raises Broken."""
    head = _read(stream, _MOST_HEAD)
    if head is None:
        return None
    asked = orjson.loads(head)
    limits = Limits(**asked["limits"])
    data = _read(stream, limits.bytes)
    if data is None:
        raise Broken("no file follows")
    return data, asked["name"], asked["declared"], limits


def write_answer(stream: IO[bytes], reading: Reading) -> None:
    """Answer. Raises OSError."""
    document = asdict(reading)
    for passage in document["passages"]:
        passage["text"] = _plain(passage["text"])
    _write(stream, orjson.dumps(document))
    stream.flush()


def read_answer(stream: IO[bytes], limits: Limits) -> Reading:
    """The answer. Raises Broken."""
    body = _read(stream, limits.characters * _WIDEST + _SPARE)
    if body is None:
        raise Broken("the process ended")
    try:
        return _reading(orjson.loads(body), limits)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise Broken("the answer is no reading") from None


def _reading(document: dict[str, Any], limits: Limits) -> Reading:
    passages = tuple(
        Passage(text=_typed(each["text"], str), rewritable=_typed(each["rewritable"], bool))
        for each in document["passages"]
    )
    if sum(len(passage.text) for passage in passages) > limits.characters:
        raise ValueError("too long")
    pixels = document["pixels"]
    return Reading(
        type=_typed(document["type"], str)[:32],
        passages=passages,
        codec=_typed(document["codec"], str)[:32],
        problem=None if document["problem"] is None else Problem(document["problem"]),
        pages=_count(document["pages"]),
        entries=_count(document["entries"]),
        pixels=None if pixels is None else (_typed(pixels[0], int), _typed(pixels[1], int)),
        silent=_typed(document["silent"], bool),
    )


def _count(value: object) -> int | None:
    return None if value is None else _typed(value, int)


def _typed[T](value: object, kind: type[T]) -> T:
    if type(value) is not kind:
        raise TypeError(kind.__name__)
    return value


def _write(stream: IO[bytes], data: bytes) -> None:
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)


def _read(stream: IO[bytes], most: int) -> bytes | None:
    """The next frame, None at the end of the stream. Raises Broken."""
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise Broken("cut short")
    (length,) = _LENGTH.unpack(head)
    if length > most:
        raise Broken("a frame is too long")
    data = stream.read(length)
    if len(data) < length:
        raise Broken("cut short")
    return data


def _plain(text: str) -> str:
    """`text` without the lone surrogates that neither JSON nor a provider can carry."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text
