"""The values that a long conversation and a stream make by the hundred, made fast.

The same frozen values that the ordinary constructors make, at a third of the time (see `dialects.moulds`). Nothing else
belongs here; a test holds each mould against its constructor.
"""

from __future__ import annotations

from agent.model.conversation import CacheHint, Part, PartDelta, Speaker, Text, ToolCall, ToolResult, Turn

_new = object.__new__
_text_text = Text.__dict__["text"].__set__
_text_cache = Text.__dict__["cache"].__set__
_text_refusal = Text.__dict__["refusal"].__set__
_call_id = ToolCall.__dict__["id"].__set__
_call_name = ToolCall.__dict__["name"].__set__
_call_arguments = ToolCall.__dict__["arguments"].__set__
_call_signature = ToolCall.__dict__["signature"].__set__
_call_cache = ToolCall.__dict__["cache"].__set__
_result_call_id = ToolResult.__dict__["call_id"].__set__
_result_parts = ToolResult.__dict__["parts"].__set__
_result_name = ToolResult.__dict__["name"].__set__
_result_error = ToolResult.__dict__["error"].__set__
_result_cache = ToolResult.__dict__["cache"].__set__
_turn_speaker = Turn.__dict__["speaker"].__set__
_turn_parts = Turn.__dict__["parts"].__set__
_delta_part = PartDelta.__dict__["part"].__set__
_delta_text = PartDelta.__dict__["text"].__set__
_delta_choice = PartDelta.__dict__["choice"].__set__
_delta_logprobs = PartDelta.__dict__["logprobs"].__set__


def new_text(text: str, cache: CacheHint | None = None) -> Text:
    """`Text(text=…, cache=…)`."""
    made = _new(Text)
    _text_text(made, text)
    _text_cache(made, cache)
    _text_refusal(made, False)  # noqa: FBT003
    return made


def new_call(call_id: str, name: str, arguments: str, cache: CacheHint | None = None) -> ToolCall:
    """`ToolCall(id=…, name=…, arguments=…, cache=…)`."""
    made = _new(ToolCall)
    _call_id(made, call_id)
    _call_name(made, name)
    _call_arguments(made, arguments)
    _call_signature(made, "")
    _call_cache(made, cache)
    return made


def new_result(
    call_id: str, parts: tuple[Part, ...], name: str, cache: CacheHint | None = None
) -> ToolResult:
    """`ToolResult(call_id=…, parts=…, name=…, cache=…)`."""
    made = _new(ToolResult)
    _result_call_id(made, call_id)
    _result_parts(made, parts)
    _result_name(made, name)
    _result_error(made, False)  # noqa: FBT003
    _result_cache(made, cache)
    return made


def new_turn(speaker: Speaker, parts: tuple[Part, ...]) -> Turn:
    """`Turn(speaker=…, parts=…)`."""
    made = _new(Turn)
    _turn_speaker(made, speaker)
    _turn_parts(made, parts)
    return made


def new_delta(part: int, text: str, choice: int = 0) -> PartDelta:
    """`PartDelta(part=…, text=…, choice=…)`."""
    made = _new(PartDelta)
    _delta_part(made, part)
    _delta_text(made, text)
    _delta_choice(made, choice)
    _delta_logprobs(made, ())
    return made
