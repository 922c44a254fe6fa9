"""`application/vnd.amazon.eventstream`: messages cut out of a byte stream and put together again.

A message is a prelude (its length, that of its headers, their checksum), typed headers, a payload and a checksum of
all before it; numbers are big-endian, checksums CRC-32. Follows the Smithy specification, "Amazon Event Stream", and
was held against botocore's decoder. Knows nothing of what the payloads mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from struct import Struct
from uuid import UUID
from zlib import crc32

from agent.errors import ContentError

MAX_HEADERS_BYTES = 128 * 1024  # as the specification says
MAX_PAYLOAD_BYTES = 16 * 1024 * 1024  # it allows 24 MiB; a server-sent event may be as long as this
_PRELUDE = Struct("!III")
_CHECKSUM = Struct("!I")
_LENGTH = Struct("!H")
_TRUE, _FALSE, _BYTES, _STRING, _TIMESTAMP, _UUID = 0, 1, 6, 7, 8, 9
_INTEGERS = {2: Struct("!b"), 3: Struct("!h"), 4: Struct("!i"), 5: Struct("!q")}
_MILLISECONDS = _INTEGERS[5]
_UUID_BYTES = 16
_MAX_NAME_BYTES = 255
_MAX_VALUE_BYTES = 0x7FFF
_MOST_KNOWN = 16


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A header's point in time, as milliseconds since the epoch."""

    milliseconds: int


type HeaderValue = bool | int | str | bytes | Timestamp | UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. `raw` are its exact bytes, empty where it was not read from any."""

    headers: Mapping[str, HeaderValue] = field(default_factory=dict)
    payload: bytes = b""
    raw: bytes = b""

    @property
    def kind(self) -> str:
        """`event`, `exception` or `error`."""
        return self._text(":message-type")

    @property
    def name(self) -> str:
        """What kind of event, exception or error it is."""
        match self.kind:
            case "exception":
                return self._text(":exception-type")
            case "error":
                return self._text(":error-code")
            case _:
                return self._text(":event-type")

    def _text(self, header: str) -> str:
        value = self.headers.get(header, "")
        return value if isinstance(value, str) else ""


class MessageDecoder:
    """Cuts a stream into messages, however it is chunked."""

    def __init__(self, *, max_payload_bytes: int = MAX_PAYLOAD_BYTES) -> None:
        self._limit = max_payload_bytes
        self._rest = bytearray()
        self._known: dict[
            bytes, Mapping[str, HeaderValue]
        ] = {}  # headers by their bytes: streams repeat them

    @property
    def midway(self) -> bool:
        """Whether a message has begun and not ended: at the body's end, it broke off."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes.

        Raises ContentError where the bytes are no such stream, a checksum is wrong or a message outgrows the limits.
        """
        self._rest += data
        messages: list[Message] = []
        start = 0
        while end := self._end(start):
            messages.append(self._read(bytes(self._rest[start:end])))
            start = end
        del self._rest[:start]
        return messages

    def _end(self, start: int) -> int:
        """Where the message at `start` ends; 0 where it is not all there yet."""
        if len(self._rest) - start < _PRELUDE.size:
            return 0
        total, headers, checksum = _PRELUDE.unpack_from(self._rest, start)
        if crc32(self._rest[start : start + 8]) != checksum:
            raise ContentError("an event stream message whose prelude does not match its checksum")
        payload = total - headers - _PRELUDE.size - _CHECKSUM.size
        if payload < 0:
            raise ContentError("an event stream message shorter than its headers")
        if headers > MAX_HEADERS_BYTES:
            raise ContentError(f"an event stream message with more than {MAX_HEADERS_BYTES} bytes of headers")
        if payload > self._limit:
            raise ContentError(f"an event stream message longer than {self._limit} bytes")
        end: int = start + total
        return end if end <= len(self._rest) else 0

    def _read(self, raw: bytes) -> Message:
        end = len(raw) - _CHECKSUM.size
        if crc32(raw[:end]) != _CHECKSUM.unpack_from(raw, end)[0]:
            raise ContentError("an event stream message that does not match its checksum")
        after = _PRELUDE.size + int.from_bytes(raw[4:8])
        block = raw[_PRELUDE.size : after]
        headers = self._known.get(block)
        if headers is None:
            headers = _read_headers(block)
            if len(self._known) < _MOST_KNOWN:
                self._known[block] = headers
        return Message(headers=headers, payload=raw[after:end], raw=raw)


def encode(headers: Mapping[str, HeaderValue], payload: bytes) -> bytes:
    """One complete message. Whole numbers are written as 32 bits where they fit, else as 64."""
    block = b"".join(_header(name, value) for name, value in headers.items())
    if len(block) > MAX_HEADERS_BYTES:
        raise ContentError(f"more than {MAX_HEADERS_BYTES} bytes of event stream headers")
    return _message(block, payload)


def event(name: str, payload: bytes) -> bytes:
    """The event `name` with a JSON payload."""
    return encode(
        {":event-type": name, ":content-type": "application/json", ":message-type": "event"}, payload
    )


def exception(name: str, payload: bytes) -> bytes:
    """The exception `name` with a JSON payload; it ends a stream."""
    return encode(
        {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}, payload
    )


def with_payload(raw: bytes, payload: bytes) -> bytes:
    """The message that `raw` is, with its headers byte for byte and another payload."""
    headers = raw[_PRELUDE.size : _PRELUDE.size + int.from_bytes(raw[4:8])]
    return _message(headers, payload)


def _message(block: bytes, payload: bytes) -> bytes:
    total = _PRELUDE.size + len(block) + len(payload) + _CHECKSUM.size
    prelude = total.to_bytes(4) + len(block).to_bytes(4)
    message = prelude + _CHECKSUM.pack(crc32(prelude)) + block + payload
    return message + _CHECKSUM.pack(crc32(message))


def _read_headers(block: bytes) -> dict[str, HeaderValue]:
    headers: dict[str, HeaderValue] = {}
    at = 0
    while at < len(block):
        name_end = at + 1 + block[at]
        name = _utf8(_piece(block, at + 1, name_end))
        kind = _piece(block, name_end, name_end + 1)[0]
        value, at = _read_value(block, name_end + 1, kind)
        if name in headers:
            raise ContentError("an event stream message with a repeated header")
        headers[name] = value
    return headers


def _read_value(block: bytes, at: int, kind: int) -> tuple[HeaderValue, int]:
    """The header value of type `kind` at `at`, and where it ends."""
    match kind:
        case 0 | 1:
            return kind == _TRUE, at
        case 2 | 3 | 4 | 5:
            number = _INTEGERS[kind]
            return number.unpack(_piece(block, at, at + number.size))[0], at + number.size
        case 6 | 7:
            start = at + _LENGTH.size
            end = start + int.from_bytes(_piece(block, at, start))
            value = _piece(block, start, end)
            return (value if kind == _BYTES else _utf8(value)), end
        case 8:
            end = at + _MILLISECONDS.size
            return Timestamp(_MILLISECONDS.unpack(_piece(block, at, end))[0]), end
        case 9:
            return UUID(bytes=_piece(block, at, at + _UUID_BYTES)), at + _UUID_BYTES
    raise ContentError(f"an event stream header of the unknown type {kind}")


def _piece(block: bytes, start: int, end: int) -> bytes:
    if end > len(block):
        raise ContentError("an event stream message whose headers break off")
    return block[start:end]


def _utf8(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ContentError("an event stream header that is not UTF-8") from None


def _header(name: str, value: HeaderValue) -> bytes:
    encoded = name.encode()
    if not 0 < len(encoded) <= _MAX_NAME_BYTES:
        raise ContentError(f"an event stream header's name has 1 to {_MAX_NAME_BYTES} bytes")
    return bytes((len(encoded),)) + encoded + _value(value)


def _value(value: HeaderValue) -> bytes:
    match value:
        case bool():
            return bytes((_TRUE if value else _FALSE,))
        case int():
            kind = 4 if -(2**31) <= value < 2**31 else 5
            return bytes((kind,)) + _INTEGERS[kind].pack(value)
        case str():
            return bytes((_STRING,)) + _sized(value.encode())
        case bytes():
            return bytes((_BYTES,)) + _sized(value)
        case Timestamp():
            return bytes((_TIMESTAMP,)) + _MILLISECONDS.pack(value.milliseconds)
        case UUID():
            return bytes((_UUID,)) + value.bytes


def _sized(value: bytes) -> bytes:
    if len(value) > _MAX_VALUE_BYTES:
        raise ContentError(f"an event stream header's value has at most {_MAX_VALUE_BYTES} bytes")
    return _LENGTH.pack(len(value)) + value
