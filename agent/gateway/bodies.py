"""What a request's head says of its body, and the body itself: read and decoded within limits."""

from __future__ import annotations

from urllib.parse import quote

from agent.dialects.encoding import decode
from agent.errors import ContentError
from agent.gateway import headers
from agent.gateway.routing import Refused
from agent.gateway.transport.base import Headers
from agent.gateway.wire import BodyTooLarge, ClientRequest, Wire
from agent.inspection import RuleBook
from agent.model.surface import Endpoint

MAX_BODY = 64 * 1024 * 1024  # bytes of a request, as sent and decoded
BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
"""Methods whose requests mostly have none."""

_PRINTABLE = bytes({*range(0x21, 0x7F)} - {0x23}).decode("ascii")


class Bodies:
    """Reads them. `limit` is in bytes, for what is sent and for what that becomes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    async def read(self, request: ClientRequest, wire: Wire) -> bytes:
        """The body as it was sent. Raises Refused where it is too large, ClientGone."""
        try:
            return await wire.body(limit=self._limit, announced=announced(request.headers))
        except BodyTooLarge:
            raise Refused(413, f"the request is larger than {self._limit // 2**20} MB") from None

    def decoded(self, request: ClientRequest, sent: bytes) -> bytes:
        """The body without its Content-Encoding. Raises Refused where that is not what it says."""
        encoding = headers.combined(request.headers, b"content-encoding")
        if not encoding:
            return sent
        try:
            return decode(sent, encoding.decode("latin-1"), limit=self._limit)
        except ContentError as error:
            raise Refused(400, str(error)) from error

    def plain(self, request: ClientRequest, sent: bytes) -> bytes:
        """The same where a body that cannot be decoded is nobody's fault yet: nothing."""
        try:
            return self.decoded(request, sent)
        except Refused:
            return b""


def announced(fields: Headers) -> int | None:
    """The length that a head names, None where it names none."""
    value = headers.get(fields, b"content-length")
    return int(value) if value.isdigit() else None


def has_body(fields: Headers) -> bool:
    """Whether a body follows the head."""
    return bool(announced(fields)) or bool(headers.get(fields, b"transfer-encoding"))


def in_address(query: bytes) -> bytes:
    """A query that was edited: what may not stand in an address, because it was edited as plain text, is escaped."""
    return quote(query, safe=_PRINTABLE).encode()


def reads_query(endpoint: Endpoint, rules: RuleBook) -> bool:
    """Whether prompts may stand in the query of an address there."""
    dialect = rules.dialects.get(endpoint.dialect)
    return dialect is not None and dialect.reads_query
