"""Content-Encoding (RFC 9110, section 8.4): taking off what a body is wrapped in, with a bound on what comes out.

gzip, x-gzip, deflate (zlib-wrapped as RFC 9110 says, raw as some servers send it), br (RFC 7932), zstd (RFC 8878,
window at most 8 MiB as RFC 9659 says), identity, and lists of them. A body that is cut short, corrupt or followed by
anything else is refused: what we read and what the other side reads must be the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

import brotli
import zstandard

from agent.errors import ContentError

_MAX_LAYERS = 4
_MAX_MEMBERS = 1024  # gzip members or zstd frames in one body: one is usual
_SLICE = 16 * 1024  # fed to zlib at once: it copies what lies behind a member's end
_ZSTD_WINDOW = 8 * 1024 * 1024
_ZSTD_BLOCK = (
    128 * 1024
)  # the most that one block, of no less than 4 bytes, may stand for (RFC 8878, 3.1.1.2.4)


def decode(body: bytes, encoding_header: str, *, limit: int) -> bytes:
    """The body without its encodings. `encoding_header` is the Content-Encoding field ("" where there is none).

    Raises ContentError for an unknown encoding, a corrupt, truncated or overlong body, and where more than `limit`
    bytes would come out of any layer. No more than that and 2 MiB is ever unfolded.
    """
    decoder = Decoder(encoding_header, limit=limit)
    return decoder.feed(body) + decoder.finish()


class Decoder:
    """Takes the encodings off a body that comes in chunks.

    `limit` bounds what one call may return, in bytes: a chunk that would unfold to more is refused with ContentError.
    """

    def __init__(self, encoding_header: str, *, limit: int) -> None:
        names = [name.strip().lower() for name in encoding_header.split(",")]
        names = [name for name in names if name not in ("", "identity")]
        if len(names) > _MAX_LAYERS:
            raise ContentError(f"more than {_MAX_LAYERS} content encodings")
        self._limit = limit
        self._layers = [_layer(name) for name in reversed(names)]  # the last one named was put on last

    def feed(self, data: bytes) -> bytes:
        """What the chunk adds. Raises ContentError."""
        for layer in self._layers:
            data = layer.feed(data, self._limit)
        if len(data) > self._limit:
            raise _too_large(self._limit)
        return data

    def finish(self) -> bytes:
        """What the end of the body adds, which is nothing. Raises ContentError where the body is cut short."""
        for layer in self._layers:
            layer.finish()
        return b""


class _Layer(Protocol):
    """One encoding. `feed` returns at most `limit` bytes or raises ContentError, `finish` raises where cut short."""

    def feed(self, data: bytes, limit: int) -> bytes: ...

    def finish(self) -> None: ...


def _layer(name: str) -> _Layer:
    match name:
        case "gzip" | "x-gzip":
            return _Zlib("gzip", _gzip_member, members=_MAX_MEMBERS)
        case "deflate":
            return _Zlib("deflate", _deflate_stream, members=1)
        case "br":
            return _Brotli()
        case "zstd":
            return _Zstd()
    raise ContentError(
        "unknown content encoding", hint="Send the body as gzip, deflate, br, zstd or as it is."
    )


class _Zlib:
    """gzip (one member after another, RFC 1952, section 2.2) and deflate."""

    def __init__(self, name: str, opener: Callable[[bytes], zlib._Decompress], *, members: int) -> None:
        self._name = name
        self._open = opener
        self._members = members  # how many more may come
        self._stream: zlib._Decompress | None = None
        self._head = b""  # a first byte that does not yet tell what it opens

    def feed(self, data: bytes, limit: int) -> bytes:
        pieces: list[bytes] = []
        room = limit
        data = self._head + data
        self._head = b""
        at = 0
        while at < len(data):
            if self._stream is None:
                if len(data) - at < 2:
                    self._head = data[at:]
                    break
                self._stream = self._next_member(data[at : at + 2])
            taken, piece = self._unfold(self._stream, data[at : at + _SLICE], room, limit)
            at += taken
            room -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def _next_member(self, head: bytes) -> zlib._Decompress:
        if not self._members:
            raise _trailing(self._name)
        self._members -= 1
        return self._open(head)

    def _unfold(self, stream: zlib._Decompress, data: bytes, room: int, limit: int) -> tuple[int, bytes]:
        """How much of `data` belonged to the stream, and what it stands for."""
        try:
            piece = stream.decompress(data, room + 1)  # one more than may be, to see that there is more
        except zlib.error:
            raise _corrupt(self._name) from None
        if len(piece) > room:
            raise _too_large(limit)
        if stream.eof:
            self._stream = None
        return len(data) - len(stream.unused_data), piece

    def finish(self) -> None:
        if self._stream is not None or self._head:
            raise _truncated(self._name)


def _gzip_member(head: bytes) -> zlib._Decompress:
    if head[:2] != b"\x1f\x8b":
        raise _corrupt("gzip")
    return zlib.decompressobj(wbits=31)


def _deflate_stream(head: bytes) -> zlib._Decompress:
    """zlib-wrapped where the first two bytes are a zlib header (RFC 1950, section 2.2), else raw."""
    wrapped = head[0] & 0x0F == 8 and head[0] >> 4 <= 7 and (head[0] << 8 | head[1]) % 31 == 0
    return zlib.decompressobj(wbits=15 if wrapped else -15)


class _Brotli:
    """br."""

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self._empty = True

    def feed(self, data: bytes, limit: int) -> bytes:
        if not data:
            return b""
        self._empty = False
        if self._stream.is_finished():
            raise _trailing("br")
        pieces: list[bytes] = []
        room = limit
        try:
            while True:
                piece: bytes = self._stream.process(data, output_buffer_limit=room + 1)
                room -= len(piece)
                pieces.append(piece)
                if room < 0:
                    raise _too_large(limit)
                if self._stream.can_accept_more_data():
                    return b"".join(pieces)
                data = b""
        except brotli.error:
            raise _corrupt("br") from None

    def finish(self) -> None:
        if not self._empty and not self._stream.is_finished():
            raise _truncated("br")


class _Zstd:
    """zstd, one frame after another (RFC 8878, section 3).

    The library bounds no output, so input goes in by slices so small that what they can unfold to is bounded.
    """

    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._frames = _MAX_MEMBERS  # how many more may come

    def feed(self, data: bytes, limit: int) -> bytes:
        pieces: list[bytes] = []
        room = limit
        at = 0
        while at < len(data):
            frame = self._frame = self._frame or self._next_frame()
            size = max(4 * room // _ZSTD_BLOCK, 64)
            try:
                piece = frame.decompress(data[at : at + size])
            except zstandard.ZstdError:
                raise _corrupt("zstd") from None
            room -= len(piece)
            if room < 0:
                raise _too_large(limit)
            pieces.append(piece)
            at = min(at + size, len(data))
            if frame.eof:
                at -= len(frame.unused_data)
                self._frame = None
        return b"".join(pieces)

    def _next_frame(self) -> zstandard.ZstdDecompressionObj:
        if not self._frames:
            raise _trailing("zstd")
        self._frames -= 1
        return self._decompressor.decompressobj()

    def finish(self) -> None:
        if self._frame is not None:
            raise _truncated("zstd")


def _corrupt(name: str) -> ContentError:
    return ContentError(f"the body is not valid {name}")


def _truncated(name: str) -> ContentError:
    return ContentError(f"the {name} body ends too early")


def _trailing(name: str) -> ContentError:
    return ContentError(f"the {name} body is followed by something else")


def _too_large(limit: int) -> ContentError:
    return ContentError(f"the body unfolds to more than {limit} bytes")
