"""No dialect: inference paths whose bodies are private to one maker (protobuf of Cursor, Windsurf, Warp).

Nothing is read there, and nothing is claimed to be. Owns only how such a client is told no: Connect's error where it
speaks Connect (https://connectrpc.com/docs/protocol), gRPC's where it speaks that, else plain text.
"""

from __future__ import annotations

from urllib.parse import quote

import orjson

from agent.dialects.base import Block
from agent.dialects.raw_text import RawText

NAME = "opaque"
PROBLEM = "not inspected: private format"
"""What the record says of an exchange that passed."""
_END = 0x02  # the flag of a Connect stream's last envelope
_DENIED = "permission_denied"
_GRPC_DENIED = b"7"


class Opaque:
    """Says no to a client whose request has the media type `content_type`."""

    def __init__(self, content_type: str) -> None:
        self._type = content_type.partition(";")[0].strip().lower()

    def block(self, message: str) -> Block:
        """The refusal in the client's protocol. None of its codes is one that is tried again."""
        if self._type.startswith("application/connect+"):
            end = orjson.dumps({"error": {"code": _DENIED, "message": message}})
            return _reply(200, self._type, bytes((_END,)) + len(end).to_bytes(4) + end)
        if self._type.startswith("application/grpc"):
            said = quote(message, safe=" !'()*,-./:;<=>?@[]").encode()
            told = ((b"grpc-status", _GRPC_DENIED), (b"grpc-message", said))
            return _reply(200, self._type, b"", *told)
        if self._type in ("application/proto", "application/json"):
            return _reply(403, "application/json", orjson.dumps({"code": _DENIED, "message": message}))
        return RawText().block(message)

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy, in plain text."""
        return RawText().error(status, message)


def _reply(status: int, kind: str, body: bytes, *more: tuple[bytes, bytes]) -> Block:
    length = str(len(body)).encode()
    return Block(
        status=status,
        headers=((b"content-type", kind.encode()), (b"content-length", length), *more),
        body=body,
    )
