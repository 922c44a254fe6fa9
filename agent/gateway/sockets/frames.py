"""WebSocket frames (RFC 6455 section 5), cut out of a byte stream, put together to messages, and written.

No socket, and no extension: none is agreed on where frames are read, so the reserved bits must be zero (section 5.2).
The bytes of a message's frames are kept: what nobody edits goes on as it came, with the mask that it had.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a message, its frames' heads included."""

_MAX_CONTROL = 125
_SHORT, _LONG = 126, 127  # lengths that say that 2 or 8 bytes of length follow
_MASKED = 0x80
_FINAL = 0x80
_RESERVED = 0x70


class Kind(IntEnum):
    """What a frame or message is: the opcode."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10

    @property
    def controls(self) -> bool:
        """Whether it is about the connection."""
        return self >= Kind.CLOSE


class CloseCode(IntEnum):
    """Why a connection is closed (section 7.4.1, and the IANA registry)."""

    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a stream is no WebSocket's any more."""

    code: CloseCode
    reason: str


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message or a control frame: its payload without masks, and the bytes of its frames as they came."""

    kind: Kind
    data: bytes
    raw: bytes


class _Violation(Exception):
    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.broken = Broken(code, reason)


class MessageReader:
    """Reads one direction, however it is chunked. Control frames come out at once, also from between the fragments of a
    message. `failure` is set where the stream cannot be read on; what was whole before it has come out."""

    __slots__ = ("_data", "_kind", "_limit", "_masked", "_needed", "_raw", "_rest", "counted", "failure")

    def __init__(self, *, masked: bool, limit: int = MAX_MESSAGE) -> None:
        """`masked`: the frames are a client's. `limit` is in bytes."""
        self._masked = masked
        self._limit = limit
        self._rest = bytearray()  # a frame that is not whole yet
        self._needed = 0  # bytes that the frame in `_rest` takes, as far as that is known
        self._kind = Kind.CONTINUATION  # of the message whose fragments are being gathered
        self._data = bytearray()
        self._raw = bytearray()
        self.failure: Broken | None = None
        self.counted = 0  # of what is held, what its owner has accounted for

    @property
    def held(self) -> int:
        """Bytes that wait for more."""
        return len(self._rest) + len(self._data) + len(self._raw)

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes."""
        messages: list[Message] = []
        if self.failure is not None:
            return messages
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return messages
            data = bytes(self._rest)
            self._rest.clear()
        at = 0
        try:
            while end := self._frame(data, at, messages):
                at = end
        except _Violation as violation:
            self.failure = violation.broken
            return messages
        if at < len(data):
            self._rest += memoryview(data)[at:]
        return messages

    def _frame(self, data: bytes, at: int, messages: list[Message]) -> int:
        """Take the frame at `at`. Returns where it ends, 0 where it is not whole. Raises _Violation."""
        have = len(data) - at
        if have < 2:
            self._needed = 2
            return 0
        first, second = data[at], data[at + 1]
        kind = self._checked(first, second)
        head, length = 2, second & 0x7F
        if length >= _SHORT:
            if kind.controls:
                raise _Violation(CloseCode.PROTOCOL_ERROR, "a control frame over 125 bytes")
            head = 4 if length == _SHORT else 10
            if have < head:
                self._needed = head
                return 0
            length = int.from_bytes(data[at + 2 : at + head])
        if self._masked:
            head += 4
        if head + length + len(self._raw) > self._limit:
            raise _Violation(CloseCode.TOO_BIG, f"a message over {self._limit // 2**20} MB")
        if have < head + length:
            self._needed = head + length
            return 0
        end = at + head + length
        payload = data[at + head : end]
        if self._masked:
            payload = masked(payload, data[at + head - 4 : at + head])
        self._take(kind, bool(first & _FINAL), payload, data[at:end], messages)
        return end

    def _checked(self, first: int, second: int) -> Kind:
        if first & _RESERVED:
            raise _Violation(CloseCode.PROTOCOL_ERROR, "an extension that was not agreed on")
        if bool(second & _MASKED) != self._masked:
            raise _Violation(CloseCode.PROTOCOL_ERROR, "a mask is missing, or where none belongs")
        try:
            kind = Kind(first & 0x0F)
        except ValueError:
            raise _Violation(CloseCode.PROTOCOL_ERROR, "a frame of an unknown kind") from None
        if kind.controls and not first & _FINAL:
            raise _Violation(CloseCode.PROTOCOL_ERROR, "a control frame in fragments")
        return kind

    def _take(
        self,
        kind: Kind,
        final: bool,  # noqa: FBT001
        payload: bytes,
        raw: bytes,
        messages: list[Message],
    ) -> None:
        if kind.controls:
            messages.append(Message(kind, payload, raw))
            return
        if (kind is Kind.CONTINUATION) is not bool(self._kind):
            raise _Violation(CloseCode.PROTOCOL_ERROR, "fragments of messages out of order")
        if final and not self._kind:
            messages.append(Message(kind, payload, raw))  # nearly every message is one frame
            return
        self._kind = kind or self._kind
        self._data += payload
        self._raw += raw
        if final:
            messages.append(Message(self._kind, bytes(self._data), bytes(self._raw)))
            self._kind = Kind.CONTINUATION
            self._data.clear()
            self._raw.clear()


def masked(payload: bytes, key: bytes) -> bytes:
    """`payload` with the mask of four bytes put on, or taken off (section 5.3)."""
    size = len(payload)
    pad = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(pad, "little")).to_bytes(size, "little")


def frame(kind: Kind, payload: bytes, *, mask: bytes = b"") -> bytes:
    """One whole frame. `mask` are four bytes nobody can foresee, for a client's; a server's frames have none."""
    size = len(payload)
    bit = _MASKED if mask else 0
    if size < _SHORT:
        head = bytes((_FINAL | kind, bit | size))
    elif size < 1 << 16:
        head = bytes((_FINAL | kind, bit | _SHORT)) + size.to_bytes(2)
    else:
        head = bytes((_FINAL | kind, bit | _LONG)) + size.to_bytes(8)
    return head + mask + masked(payload, mask) if mask else head + payload


def close(code: CloseCode, reason: str = "", *, mask: bytes = b"") -> bytes:
    """A close frame (section 5.5.1)."""
    said = reason.encode()[: _MAX_CONTROL - 2].decode("utf-8", "ignore").encode()
    return frame(Kind.CLOSE, code.to_bytes(2) + said, mask=mask)
