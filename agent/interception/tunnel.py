"""A blind tunnel: bytes both ways between client and origin, with back-pressure, unread and unchanged."""

from __future__ import annotations

import asyncio


class Pipe(asyncio.Protocol):
    """One end of a tunnel; gives what it reads to the other end."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._peer: Pipe | None = None
        self._early: list[bytes] = []
        self._ended = False  # nothing more will come from this end's socket
        self.lost = False  # the socket is gone

    @property
    def ended(self) -> bool:
        """Whether this end's socket has said that nothing more will come."""
        return self._ended

    @property
    def joined(self) -> bool:
        """Whether the other end is known."""
        return self._peer is not None

    def join(self, peer: Pipe) -> None:
        """Connect two ends; what arrived early goes out now. An end that is already lost takes the other along."""
        self.meet(peer)
        peer.meet(self)
        if self.lost or peer.lost:
            self.close()
            peer.close()

    def meet(self, peer: Pipe) -> None:
        """Learn who the other end is."""
        self._peer = peer
        for data in self._early:
            peer.send(data)
        self._early.clear()
        self.go_on()

    def send(self, data: bytes) -> None:
        """Write to this end's socket."""
        if self._transport is not None:
            self._transport.write(data)

    def half_close(self) -> bool:
        """Tell this end's socket that no more will come; whether it can still be read."""
        if self._transport is None or self._transport.is_closing() or not self._transport.can_write_eof():
            return False
        self._transport.write_eof()
        return True

    def rest(self) -> None:
        """Stop reading: the other side is slow."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Read again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """End this side, after what was written has gone out."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End this side at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The socket is ready."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Pass bytes on; what comes early is kept, and no more is read."""
        if self._peer is None:
            self._early.append(data)
            self.rest()
        else:
            self._peer.send(data)

    def eof_received(self) -> bool:
        """Pass a half-close on; the other direction stays open until it ends as well, then both ends close."""
        self._ended = True
        return self._peer is not None and self._peer.half_close() and not self._peer.ended

    def pause_writing(self) -> None:
        """Our socket is slow."""
        if self._peer is not None:
            self._peer.rest()

    def resume_writing(self) -> None:
        """Our socket has caught up."""
        if self._peer is not None:
            self._peer.go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """One end is gone: so is the tunnel."""
        self.lost = True
        peer, self._peer = self._peer, None  # each would keep the other
        if peer is not None:
            peer.close()
