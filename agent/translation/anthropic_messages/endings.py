"""How a message ends: stop reasons, token counts and errors, both ways.

Source: the Anthropic API reference, "Messages", "Handling stop reasons" and "Errors".
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.dialects.anthropic_errors import KIND_OF_STATUS, STATUS_OF_KIND
from agent.dialects.shapes import integer, mapping, string
from agent.model.conversation import NO_COUNT, Finish, Text, TokenCount
from agent.translation.fields import Document

_READ = {
    "end_turn": Finish.STOP,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "stop_sequence": Finish.STOP_SEQUENCE,
    "tool_use": Finish.TOOL_CALLS,
    "pause_turn": Finish.PAUSED,
    "refusal": Finish.FILTERED,
}
_WRITTEN = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL_CALLS: "tool_use",
    Finish.FILTERED: "refusal",
    Finish.STOP_SEQUENCE: "stop_sequence",
    Finish.PAUSED: "pause_turn",
    Finish.FAILED: "refusal",  # the only word for an answer that is not to be used
}
_KINDS = {**KIND_OF_STATUS, 503: "overloaded_error"}


def read_finish(reason: object) -> Finish:
    """Why the message ended."""
    return _READ.get(string(reason), Finish.STOP)


def write_finish(finish: Finish, *, refused: bool) -> str:
    """The API's word. `refused`: the model said in so many words that it will not answer."""
    return "refusal" if refused and finish is Finish.STOP else _WRITTEN[finish]


def says_no(parts: Iterable[object]) -> bool:
    """Whether one of the parts is a refusal."""
    return any(isinstance(part, Text) and part.refusal for part in parts)


def read_usage(value: object) -> TokenCount:
    """Normalised counts: `input_tokens` leaves out what was read from the cache or written to it."""
    if type(value) is not dict:
        return NO_COUNT
    fresh = integer(value.get("input_tokens"))
    read = integer(value.get("cache_read_input_tokens"))
    written, long = _read_written(value)
    return TokenCount(
        input=None if fresh is None else fresh + (read or 0) + (written or 0),
        output=integer(value.get("output_tokens")),
        cache_read=read,
        cache_write=written,
        cache_write_1h=long,
        reasoning=integer(mapping(value.get("output_tokens_details")).get("thinking_tokens")),
    )


def _read_written(usage: Document) -> tuple[int | None, int | None]:
    """Tokens written to the cache, and those of them that stay for an hour. The breakdown is of the total, not beside
    it; where only the breakdown is told, it makes the total."""
    total = integer(usage.get("cache_creation_input_tokens"))
    parts = mapping(usage.get("cache_creation"))
    short = integer(parts.get("ephemeral_5m_input_tokens"))
    long = integer(parts.get("ephemeral_1h_input_tokens"))
    if total is None and (short is not None or long is not None):
        total = (short or 0) + (long or 0)
    return total, long


def write_usage(count: TokenCount) -> dict[str, object]:
    """The `usage` object."""
    read = count.cache_read or 0
    written = count.cache_write or 0
    usage: dict[str, object] = {
        "input_tokens": max((count.input or 0) - read - written, 0),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": count.output or 0,
    }
    if count.cache_write_1h is not None:
        usage["cache_creation"] = {
            "ephemeral_5m_input_tokens": max(written - count.cache_write_1h, 0),
            "ephemeral_1h_input_tokens": count.cache_write_1h,
        }
    if count.reasoning is not None:
        usage["output_tokens_details"] = {"thinking_tokens": count.reasoning}
    return usage


def status_of(kind: str) -> int:
    """The HTTP status that goes with an error's type, 0 where it is not known."""
    return STATUS_OF_KIND.get(kind, 0)


def kind_of(kind: str, status: int) -> str:
    """The API's type for an error of another API."""
    if kind in STATUS_OF_KIND:
        return kind
    return _KINDS.get(status, "invalid_request_error" if 400 <= status < 500 else "api_error")
