"""A transport that can gather writes, so that an answer's head and body leave in one piece: that spares the client, and
every relay on the way, a second read."""

from __future__ import annotations

import asyncio
from typing import Any


class CorkedTransport(asyncio.Transport):
    """Passes everything on to the transport it wraps, but may hold writes back for a moment: those made in
    its context leave together."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._inner = transport
        self._gathered: list[bytes] | None = None
        self._closing = False

    def __enter__(self) -> None:
        self.gather()

    def __exit__(self, *exc: object) -> None:
        self.release()

    def gather(self) -> None:
        """Hold back what is written from now on."""
        self._gathered = []

    def release(self) -> None:
        """Write what was gathered, at once; then close, if that was asked for meanwhile."""
        gathered, self._gathered = self._gathered, None
        if gathered and not self._inner.is_closing():
            self._inner.write(b"".join(gathered))
        if self._closing:
            self._inner.close()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write now, or with what else is gathered."""
        if self._gathered is None:
            self._inner.write(data)
        else:
            self._gathered.append(bytes(data))

    def close(self) -> None:
        """Close after what was written has gone out."""
        self._closing = True
        if self._gathered is None:
            self._inner.close()

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._closing or self._inner.is_closing()

    def abort(self) -> None:
        """Close at once; what was gathered is lost."""
        self._gathered = None
        self._inner.abort()

    def pause_reading(self) -> None:
        """Stop reading."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._inner.resume_reading()

    def is_reading(self) -> bool:
        """Whether it is read."""
        return self._inner.is_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Give the connection to another protocol."""
        self._inner.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that has the connection."""
        return self._inner.get_protocol()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """See asyncio.BaseTransport."""
        return self._inner.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be sent."""
        return self._inner.get_write_buffer_size()

    def can_write_eof(self) -> bool:
        """Whether a half-close is possible."""
        return self._inner.can_write_eof()

    def write_eof(self) -> None:
        """Half-close."""
        self._inner.write_eof()
