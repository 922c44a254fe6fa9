"""The envelopes of streaming messages in the Connect protocol: a byte of flags, four of length, the message.

Source: connectrpc.com/docs/protocol, "Streaming RPCs": flag 1 is a compressed message, flag 2 the end of a stream,
whose JSON holds an `error` where there was one.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.errors import ContentError

HEAD = 5
COMPRESSED = 1
END = 2


def envelope(flags: int, message: bytes) -> bytes:
    """The message in its envelope."""
    return bytes((flags,)) + len(message).to_bytes(4) + message


def envelopes(body: bytes) -> Iterator[tuple[int, int, int]]:
    """Flags, start and end of each message of a body. Raises ContentError where one is cut."""
    at = 0
    while at < len(body):
        start = at + HEAD
        end = start + int.from_bytes(body[at + 1 : start])
        if start > len(body) or end > len(body):
            raise ContentError("a message in an envelope that is cut")
        yield body[at], start, end
        at = end
