"""How an answer ends: finish reasons, token counts and log probabilities, both ways.

Source: the OpenAI API reference, "Chat Completions"; the words of compatible servers are named where they are read.
"""

from __future__ import annotations

from agent.dialects.shapes import integer, mapping, objects, string
from agent.model.conversation import NO_COUNT, Finish, TokenCount, TokenLogprob

_READ = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "tool_calls": Finish.TOOL_CALLS,
    "function_call": Finish.TOOL_CALLS,
    "content_filter": Finish.FILTERED,
    "model_length": Finish.LENGTH,  # Mistral: the context is full
    "error": Finish.FAILED,  # Mistral, OpenRouter
    "insufficient_system_resource": Finish.FAILED,  # DeepSeek
    "abort": Finish.FAILED,  # vLLM, SGLang
    # what proxies pass on in the words of other APIs
    "max_tokens": Finish.LENGTH,
    "tool_use": Finish.TOOL_CALLS,
    "refusal": Finish.FILTERED,
    "safety": Finish.FILTERED,
    "recitation": Finish.FILTERED,
}
_WRITTEN = {
    Finish.STOP: "stop",
    Finish.LENGTH: "length",
    Finish.TOOL_CALLS: "tool_calls",
    Finish.FILTERED: "content_filter",
    Finish.STOP_SEQUENCE: "stop",
    Finish.PAUSED: "length",  # not the end, and asking again continues it
    Finish.FAILED: "error",  # as OpenRouter says it: a plain stop would pass half an answer for a whole one
}


def read_finish(reason: object, *, calls: bool, matched: object = None) -> tuple[Finish, str]:
    """Why the choice ended, and the stop sequence that did it.

    `calls`: it holds tool calls; Gemini's and Ollama's endpoints say `stop` then. `matched` is vLLM's `stop_reason`.
    """
    word = string(reason).lower()
    finish = _READ.get(word)
    if finish is None:  # Gemini: `function_call_filter: MALFORMED_FUNCTION_CALL`
        finish = Finish.FAILED if "malformed" in word or "error" in word else Finish.STOP
    if finish is not Finish.STOP:
        return finish, ""
    if calls:
        return Finish.TOOL_CALLS, ""
    sequence = string(matched)
    return (Finish.STOP_SEQUENCE, sequence) if sequence else (Finish.STOP, "")


def write_finish(finish: Finish) -> str:
    """The API's word."""
    return _WRITTEN[finish]


def read_usage(value: object) -> TokenCount:
    """Counts as the API says them: cached tokens within the prompt, thoughts within the completion.

    xAI's and Gemini's endpoints leave thoughts out of the completion and only count them in the total.
    """
    if type(value) is not dict:
        return NO_COUNT
    prompt = integer(value.get("prompt_tokens"))
    output = integer(value.get("completion_tokens"))
    total = integer(value.get("total_tokens"))
    read = mapping(value.get("prompt_tokens_details"))
    reasoning = integer(mapping(value.get("completion_tokens_details")).get("reasoning_tokens"))
    if reasoning and prompt is not None and output is not None and total == prompt + output + reasoning:
        output += reasoning
    cached = integer(read.get("cached_tokens"))
    return TokenCount(
        input=prompt,
        output=output,
        cache_read=integer(value.get("prompt_cache_hit_tokens")) if cached is None else cached,  # DeepSeek
        cache_write=integer(read.get("cache_write_tokens")),
        reasoning=reasoning,
    )


def write_usage(count: TokenCount) -> dict[str, object]:
    """The `usage` object."""
    prompt = count.input or 0
    output = count.output or 0
    usage: dict[str, object] = {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
    }
    read = {
        name: value
        for name, value in (("cached_tokens", count.cache_read), ("cache_write_tokens", count.cache_write))
        if value is not None
    }
    if read:
        usage["prompt_tokens_details"] = read
    if count.reasoning is not None:
        usage["completion_tokens_details"] = {"reasoning_tokens": count.reasoning}
    return usage


def read_logprobs(value: object) -> tuple[TokenLogprob, ...]:
    """The log probabilities of a choice, or of a chunk of it."""
    if type(value) is not dict:
        return ()
    found = objects(value.get("content") or value.get("refusal"))
    return tuple(
        TokenLogprob(
            token=string(item.get("token")),
            logprob=_real(item.get("logprob")),
            top=tuple(
                (string(other.get("token")), _real(other.get("logprob")))
                for _, other in objects(item.get("top_logprobs"))
            ),
        )
        for _, item in found
    )


def write_logprobs(logprobs: tuple[TokenLogprob, ...]) -> dict[str, object] | None:
    """The `logprobs` object, null where there are none."""
    if not logprobs:
        return None
    return {
        "content": [
            {**_token(one.token, one.logprob), "top_logprobs": [_token(*other) for other in one.top]}
            for one in logprobs
        ],
        "refusal": None,
    }


def _token(token: str, logprob: float) -> dict[str, object]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def _real(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
