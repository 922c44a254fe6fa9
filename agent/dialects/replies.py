"""What all dialects whose documents are JSON share: edits in place, and answers of our own."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from agent.dialects import counting
from agent.dialects.base import Block, ParsedRequest
from agent.dialects.faults import Fault
from agent.dialects.framing import Framing, MessageFraming, SseFraming
from agent.dialects.jsonedits import edit
from agent.dialects.multipart import edit_form, is_form
from agent.model.content import Edit, Usage
from agent.model.conversation import TokenCount

_INVALID = "invalid_request_error"
_BLOCKED = "content_policy_violation"
_OPENAI_ERRORS = {  # type and code by status; OpenAI tells of a quota with 429, which its SDKs would ask again
    401: (_INVALID, "invalid_api_key"),
    402: ("insufficient_quota", "insufficient_quota"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}
_OPENAI_FAULTS = {Fault.MODEL: "model_not_found", Fault.LENGTH: "context_length_exceeded"}
_AMAZON_ERRORS = {
    401: "AccessDeniedException",
    402: "ServiceQuotaExceededException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
    504: "ModelTimeoutException",
}


class JsonEdits:
    """The half of a `Dialect` that formats share in which requests, answers and events are JSON documents, and streams
    server-sent events."""

    __slots__ = ()

    @property
    def reads_query(self) -> bool:
        """Whether the query of its address is what is read of a request without a body."""
        return False

    @property
    def stream_type(self) -> bytes:
        """The `content-type` of its streams."""
        return SseFraming.content_type

    def framing(self) -> Framing:
        """What cuts one of its streams into events."""
        return SseFraming()

    def framing_of(self, kind: bytes, request: ParsedRequest) -> Callable[[], Framing] | None:
        """What cuts an answer of that media type into events; None where it is read whole."""
        del request
        return self.framing if kind in (SseFraming.content_type, self.stream_type) else None

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        return edit(body, edits)

    def edit_answer(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        return edit(body, edits)

    def edit_event(self, data: bytes, edits: tuple[Edit, ...]) -> bytes:
        """One event's data with the edits made."""
        return edit(data, edits)


def json_reply(status: int, document: dict[str, object], *headers: tuple[bytes, bytes]) -> Block:
    """A complete HTTP answer with `document` as its body."""
    body = orjson.dumps(document)
    return Block(
        status=status,
        headers=(
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *headers,
        ),
        body=body,
    )


class AmazonReplies(JsonEdits):
    """How Amazon's services say no: an exception by its name in a header, and a message."""

    __slots__ = ()

    @property
    def stream_type(self) -> bytes:
        """The `content-type` of its streams."""
        return MessageFraming.content_type

    def framing(self) -> Framing:
        """Binary messages."""
        return MessageFraming()

    def block(self, message: str) -> Block:
        """A ValidationException, which no SDK retries."""
        return _amazon_error(400, "ValidationException", message)

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy."""
        usual = "InternalServerException" if status >= 500 else "ValidationException"
        return _amazon_error(status, _AMAZON_ERRORS.get(status, usual), message)


def _amazon_error(status: int, kind: str, message: str) -> Block:
    return json_reply(status, {"message": message}, (b"x-amzn-errortype", kind.encode()))


class OpenAIReplies(JsonEdits):
    """How both OpenAI dialects count, and say no. What is uploaded comes in forms.

    Source of types and codes: the OpenAI API guides, "Error codes", "Rate limits" and "Image generation".
    """

    __slots__ = ()

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        return edit_form(body, edits) if is_form(body) else edit(body, edits)

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised."""
        return counting.inclusive(usage)

    def block(self, message: str) -> Block:
        """HTTP 400 with the code `content_policy_violation`. SDK clients show the message, Codex the whole body; none
        retries."""
        return json_reply(400, openai_block(message))

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy."""
        return self.error_about(Fault.UNSAID, status, message)

    def error_about(self, fault: Fault, status: int, message: str) -> Block:
        """The same with the code that OpenAI has for what it is about, none where it has none."""
        kind, code = _OPENAI_ERRORS.get(status, ("server_error" if status >= 500 else _INVALID, None))
        return json_reply(status, openai_error(message, kind=kind, code=_OPENAI_FAULTS.get(fault, code)))


def openai_block(message: str) -> dict[str, object]:
    """The error that says that the policy has blocked something."""
    return openai_error(message, code=_BLOCKED)


def openai_error(message: str, *, kind: str = _INVALID, code: str | None = None) -> dict[str, object]:
    """OpenAI's error object, inside its envelope."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
