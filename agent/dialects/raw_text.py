"""No dialect at all: a body on an inference path that does not follow its format, judged as one piece of text."""

from __future__ import annotations

from agent.dialects.base import Block, ParsedRequest, RequestHead
from agent.dialects.jsonedits import edit
from agent.errors import ContentError
from agent.model.content import Edit, Role, Slot


class RawText:
    """The whole body is one slot. Used where a dialect gave up, never chosen by the catalog."""

    name = "raw-text"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """Raises ContentError where the body is no UTF-8."""
        del head
        return ParsedRequest(slots=(Slot(address=((),), role=Role.USER, text=_decode(body)),))

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """The text with its edits made. Raises ContentError where the body is no UTF-8."""
        return edit(body, edits)

    def block(self, message: str) -> Block:
        """Plain text: the client's dialect is not known."""
        return self.error(400, message)

    def error(self, status: int, message: str) -> Block:
        """Plain text."""
        return Block(
            status=status, headers=((b"content-type", b"text/plain; charset=utf-8"),), body=message.encode()
        )


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise ContentError("the body is neither JSON nor UTF-8 text") from None
