"""The items of a response, which requests repeat, answers hold and streams build up: their shapes, both ways."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.dialects.shapes import integer, mapping, objects, string
from agent.model.conversation import (
    Finish,
    Part,
    Text,
    Thinking,
    TokenCount,
    TokenLogprob,
    ToolCall,
)
from agent.translation import seals
from agent.translation.moulds import new_call
from agent.translation.seals import Seal

BETWEEN_SUMMARIES = "\n\n"  # a reasoning item's summary parts are paragraphs of one thought

_UNFINISHED = {  # what `incomplete_details.reason` says, by why the model stopped
    Finish.LENGTH: "max_output_tokens",
    Finish.FILTERED: "content_filter",
    Finish.PAUSED: "max_output_tokens",  # there is no word for it; the client may go on as after a limit
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSigned:
    """A tool call's signature, which travels as an item beside the call."""

    call_id: str
    signature: str


def read_call(item: dict[str, object]) -> ToolCall:
    """A `function_call`."""
    return new_call(
        string(item.get("call_id")) or string(item.get("id")),
        string(item.get("name")),
        string(item.get("arguments")) or "{}",
    )


def read_reasoning(item: dict[str, object]) -> Thinking | CallSigned | None:
    """A `reasoning` item: its raw text where there is one, else the summary. None where it only names a thought that
    the provider keeps."""
    text = "".join(string(part.get("text")) for _, part in objects(item.get("content")))
    text = text or BETWEEN_SUMMARIES.join(
        string(part.get("text")) for _, part in objects(item.get("summary"))
    )
    sealed = string(item.get("encrypted_content"))
    if seal := seals.read(sealed):
        if seal.call:
            return CallSigned(call_id=seal.call, signature=seal.signature)
        return Thinking(text=text, signature=seal.signature, sealed=seal.sealed, id=seal.id)
    if not text and not sealed:
        return None
    return Thinking(text=text, sealed=sealed, id=string(item.get("id")))


def with_signatures[P: Part](parts: tuple[P, ...], signatures: dict[str, str]) -> tuple[P, ...]:
    """The parts, the calls among them with their signatures."""
    if not signatures:
        return parts
    return tuple(
        replace(part, signature=signatures[part.id])
        if isinstance(part, ToolCall) and part.id in signatures
        else part
        for part in parts
    )


def read_logprobs(value: object) -> tuple[TokenLogprob, ...]:
    """The logprobs of a text or of a piece of it."""
    if not value:
        return ()
    return tuple(
        TokenLogprob(
            token=string(one.get("token")),
            logprob=_logarithm(one.get("logprob")),
            top=tuple(
                (string(other.get("token")), _logarithm(other.get("logprob")))
                for _, other in objects(one.get("top_logprobs"))
            ),
        )
        for _, one in objects(value)
    )


def _logarithm(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def read_usage(value: object) -> TokenCount | None:
    """The counts; None where there are none. They are normalised as they come."""
    if not isinstance(value, dict):
        return None
    read = mapping(value.get("input_tokens_details"))
    return TokenCount(
        input=integer(value.get("input_tokens")),
        output=integer(value.get("output_tokens")),
        cache_read=integer(read.get("cached_tokens")),
        cache_write=integer(read.get("cache_write_tokens")),
        reasoning=integer(mapping(value.get("output_tokens_details")).get("reasoning_tokens")),
    )


def read_finish(response: dict[str, object], *, calls: bool) -> Finish:
    """Why the model stopped. `calls`: the answer holds tool calls."""
    match response.get("status"):
        case "incomplete":
            reason = mapping(response.get("incomplete_details")).get("reason")
            return Finish.FILTERED if reason == "content_filter" else Finish.LENGTH
        case "failed" | "cancelled":
            return Finish.FAILED
    return Finish.TOOL_CALLS if calls else Finish.STOP


def text_part(part: Text, logprobs: list[dict[str, object]] | None = None) -> dict[str, object]:
    """A text or a refusal, as the content of an assistant's message."""
    if part.refusal:
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "annotations": [], "logprobs": logprobs or [], "text": part.text}


def message(id: str, content: list[dict[str, object]], status: str) -> dict[str, object]:  # noqa: A002
    """An assistant's message."""
    return {"id": id, "type": "message", "status": status, "role": "assistant", "content": content}


def call(id: str, part: ToolCall, status: str) -> dict[str, object]:  # noqa: A002
    """A tool call."""
    return {
        "id": id,
        "type": "function_call",
        "status": status,
        "arguments": part.arguments,
        "call_id": part.id,
        "name": part.name,
    }


def reasoning(id: str, text: str, sealed: str) -> dict[str, object]:  # noqa: A002
    """A thought. What it says is a summary to clients of this format."""
    item: dict[str, object] = {
        "id": id,
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}] if text else [],
    }
    if sealed:
        item["encrypted_content"] = sealed
    return item


def sealed_thought(part: Thinking) -> str:
    """`encrypted_content`, from which `read_reasoning` has it all again."""
    if not (part.signature or part.sealed or part.id):
        return ""
    return seals.written(Seal(signature=part.signature, sealed=part.sealed, id=part.id))


def sealed_call(call_id: str, signature: str) -> str:
    """`encrypted_content` of the item that carries a tool call's signature."""
    return seals.written(Seal(signature=signature, call=call_id))


def logprobs_of(logprobs: tuple[TokenLogprob, ...]) -> list[dict[str, object]]:
    """The logprobs of a text."""
    return [
        {
            "token": one.token,
            "bytes": list(one.token.encode()),
            "logprob": one.logprob,
            "top_logprobs": [
                {"token": token, "bytes": list(token.encode()), "logprob": logprob}
                for token, logprob in one.top
            ],
        }
        for one in logprobs
    ]


def usage_of(usage: TokenCount) -> dict[str, object] | None:
    """The counts; null where the provider gave none."""
    if usage.input is None and usage.output is None:
        return None
    read, made = usage.input or 0, usage.output or 0
    return {
        "input_tokens": read,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read or 0,
            "cache_write_tokens": usage.cache_write or 0,
        },
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": read + made,
    }


def response(
    *,
    id: str,  # noqa: A002
    model: str,
    created: int,
    output: list[dict[str, object]],
    status: str = "in_progress",
    finish: Finish | None = None,
    usage: TokenCount | None = None,
    error: dict[str, object] | None = None,
) -> dict[str, object]:
    """A response object. `finish` sets its status where the model has stopped."""
    reason = None
    if finish is not None:
        reason = _UNFINISHED.get(finish)
        status = "incomplete" if reason else "completed"
    if finish is Finish.FAILED:
        status = "failed"
        error = error or {"code": "server_error", "message": "the model did not finish a usable answer"}
    return {
        "id": id,
        "object": "response",
        "created_at": created,
        "status": status,
        "background": False,
        "error": error,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": False,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": usage_of(usage) if usage else None,
    }
