"""Cohere's chat, version 2. Source: docs.cohere.com/reference/chat, /reference/chat-stream, /docs/tool-use-overview."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fakes.vendors.scene import (
    KEYS,
    Answer,
    Json,
    Refusal,
    Request,
    Said,
    demand,
    encoded,
    picture_in,
    pieces,
    said,
    sse,
    streamed,
    whole,
)

_NUMBER = (int, float)
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "model": str,
    "messages": list,
    "stream": bool,
    "tools": list,
    "strict_tools": bool,
    "documents": list,
    "citation_options": dict,
    "response_format": dict,
    "safety_mode": str,
    "max_tokens": int,
    "stop_sequences": list,
    "temperature": _NUMBER,
    "seed": int,
    "frequency_penalty": _NUMBER,
    "presence_penalty": _NUMBER,
    "k": int,
    "p": _NUMBER,
    "logprobs": bool,
    "tool_choice": str,
    "thinking": dict,
    "priority": int,
}
_MESSAGES = {
    "user": {"role", "content"},
    "system": {"role", "content"},
    "assistant": {"role", "content", "tool_calls", "tool_plan", "citations"},
    "tool": {"role", "content", "tool_call_id"},
}
_PARTS = {
    "user": {"text", "image_url"},
    "system": {"text"},
    "assistant": {"text", "thinking"},
    "tool": {"text", "document"},
}


class Cohere:
    """See the module."""

    def serves(self, path: str) -> bool:
        """…/v2/chat."""
        return path.endswith("/v2/chat")

    def error(self, refusal: Refusal) -> bytes:
        """Cohere's."""
        return encoded({"id": "co-error", "message": str(refusal)})

    def answer(self, request: Request) -> Answer:
        """A response, or its events."""
        demand(request.headers.get("authorization") == f"Bearer {KEYS['cohere']}", "invalid api token", 401)
        body = request.body
        _check(body)
        answer = _said(body)
        return streamed(_events(request, answer)) if body.get("stream") else whole(_response(request, answer))


def _check(body: Json) -> None:
    for name, value in body.items():
        demand(name in _FIELDS, f"invalid request: unknown field: parameter '{name}' is not a valid field")
        right = isinstance(value, _FIELDS[name]) and (
            name in {"stream", "logprobs", "strict_tools"} or value is not True
        )
        demand(right, f"invalid request: {name} has the wrong type")
    demand(body.get("model"), "invalid request: model is required")
    demand(body.get("messages"), "invalid request: messages must not be empty")
    demand(body.get("tool_choice", "NONE") in ("REQUIRED", "NONE"), "invalid request: tool_choice is invalid")
    demand("tool_choice" not in body or body.get("tools"), "invalid request: tool_choice needs tools")
    demand(0 <= body.get("p", 0.5) <= 0.99, "invalid request: p must be between 0.01 and 0.99")
    thinking = body.get("thinking", {"type": "disabled"})
    demand(set(thinking) <= {"type", "token_budget"}, "invalid request: thinking has an unknown field")
    demand(thinking.get("type") in ("enabled", "disabled"), "invalid request: thinking.type is invalid")
    for tool in body.get("tools", ()):
        demand(set(tool) <= {"type", "function"} and tool.get("type") == "function", "invalid tool")
        function = tool["function"]
        known = set(function) <= {"name", "description", "parameters"}
        demand(
            known and "name" in function and "parameters" in function,
            "invalid request: invalid tool function",
        )
    open_calls: set[str] = set()
    for message in body["messages"]:
        _check_message(message, open_calls)
    demand(not open_calls, f"invalid request: missing tool results for {sorted(open_calls)}")
    demand(
        body["messages"][-1]["role"] in ("user", "tool"),
        "invalid request: the last message must be user's or tool's",
    )


def _check_message(message: Json, open_calls: set[str]) -> None:
    role = message.get("role")
    if role not in _MESSAGES:
        raise Refusal(f"invalid request: invalid role {role!r}")
    foreign = set(message) - _MESSAGES[role]
    demand(not foreign, f"invalid request: unknown fields {sorted(foreign)} in a message of {role}")
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        demand(
            part.get("type") in _PARTS[role], f"invalid request: a content of {part.get('type')} in {role}"
        )
    if role == "tool":
        known = message.get("tool_call_id") in open_calls
        demand(known, "invalid request: tool_call_id must be one of the preceding tool_calls")
        open_calls.discard(message["tool_call_id"])
        return
    demand(not open_calls, f"invalid request: missing tool results for {sorted(open_calls)}")
    calls = message.get("tool_calls")
    demand(content or calls, f"invalid request: a message of {role} must have content or tool_calls")
    for call in calls or ():
        whole_call = call.get("type") == "function" and isinstance(call["function"]["arguments"], str)
        demand(whole_call and call.get("id"), "invalid request: tool_calls are invalid")
        open_calls.add(call["id"])


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    return "".join(part.get("text") or _document(part) for part in parts)


def _document(part: Json) -> str:
    data = part.get("document", {}).get("data", "")
    return data if isinstance(data, str) else "".join(map(str, data.values()))


def _said(body: Json) -> Said:
    text, results = "", []
    for message in body["messages"]:
        if message["role"] == "user":
            text, results = _text(message["content"]), []
        elif message["role"] == "tool":
            results.append(_text(message["content"]))
    tools = tuple(tool["function"]["name"] for tool in body.get("tools", ()))
    parts = [
        part for each in body["messages"] if isinstance(each.get("content"), list) for part in each["content"]
    ]
    pictures = [picture_in(part["image_url"]["url"]) for part in parts if part["type"] == "image_url"]
    form = body.get("response_format") or {}
    return said(
        text,
        tuple(results),
        tools,
        thinks=body.get("thinking", {}).get("type") == "enabled",
        prefix="lookup_",
        schema=form.get("json_schema"),
        picture=pictures[-1] if pictures else None,
    )


def _call(identity: str, name: str, arguments: str) -> Json:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def _response(request: Request, answer: Said) -> Json:
    content = [{"type": "thinking", "thinking": answer.thought}] if answer.thought else []
    message: Json = {"role": "assistant"}
    if answer.calls:
        message["tool_calls"] = [_call(call.id, call.name, call.text) for call in answer.calls]
        message |= {"tool_plan": answer.text} if answer.text else {}
    else:
        content.append({"type": "text", "text": answer.text})
    message |= {"content": content} if content else {}
    return {
        "id": "co-v1",
        "finish_reason": _finish(answer),
        "message": message,
        "usage": _usage(request, answer),
    }


def _events(request: Request, answer: Said) -> Iterator[bytes]:
    def event(name: str, **fields: object) -> bytes:
        return sse({"type": name, **fields}, event=name)

    def message(**fields: object) -> Json:
        return {"message": fields}

    start = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield event("message-start", id="co-v1", delta=message(**start))
    contents = [("thinking", answer.thought)] if answer.thought else []
    contents += [] if answer.calls else [("text", answer.text)]
    for index, (kind, text) in enumerate(contents):
        yield event("content-start", index=index, delta=message(content={"type": kind, kind: ""}))
        for piece in pieces(text):
            yield event("content-delta", index=index, delta=message(content={kind: piece}))
        yield event("content-end", index=index)
    if answer.calls:
        for piece in pieces(answer.text):
            yield event("tool-plan-delta", delta=message(tool_plan=piece))
    for index, call in enumerate(answer.calls):
        yield event("tool-call-start", index=index, delta=message(tool_calls=_call(call.id, call.name, "")))
        for piece in pieces(call.text):
            delta = message(tool_calls={"function": {"arguments": piece}})
            yield event("tool-call-delta", index=index, delta=delta)
        yield event("tool-call-end", index=index)
    yield event("message-end", delta={"finish_reason": _finish(answer), "usage": _usage(request, answer)})
    yield b"data: [DONE]\n\n"


def _finish(answer: Said) -> str:
    return "TOOL_CALL" if answer.calls else "COMPLETE"


def _usage(request: Request, answer: Said) -> Json:
    counts = {"input_tokens": request.tokens, "output_tokens": answer.tokens}
    return {"billed_units": counts, "tokens": counts, "cached_tokens": 0}
