"""OpenAI's Responses. Source: platform.openai.com/docs/api-reference/responses and its guide to reasoning."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from openai.types.responses import response_create_params as params

from tests.fakes.vendors import openai_errors
from tests.fakes.vendors.scene import (
    SIGNATURE,
    Answer,
    Json,
    Refusal,
    Request,
    Said,
    demand,
    picture_in,
    pieces,
    said,
    sse,
    streamed,
    whole,
)
from tests.fakes.vendors.shapes import complaints

_DEFAULTS: dict[object, Json] = {"function": {"strict": True}, "input_image": {"detail": "auto"}}
_IDS = {"function_call": "fc", "message": "msg", "reasoning": "rs"}


class OpenAIResponses:
    """See the module."""

    def serves(self, path: str) -> bool:
        """…/responses."""
        return path.endswith("/responses")

    def error(self, refusal: Refusal) -> bytes:
        """OpenAI's."""
        return openai_errors.body(refusal)

    def answer(self, request: Request) -> Answer:
        """A `response`, or its events."""
        openai_errors.authenticate(request)
        body = request.body
        streams = body.get("stream") is True
        kind = params.ResponseCreateParamsStreaming if streams else params.ResponseCreateParamsNonStreaming
        for complaint in complaints(_filled(body), kind):
            raise Refusal(f"Invalid value: {complaint}")
        items = _items(body)
        _check(body, items)
        answer = _said(body, items)
        return streamed(_numbered(request, answer)) if streams else whole(_response(request, answer))


def _filled(body: Json) -> Json:
    """The types want more than the API does: of an earlier answer's items, and where it has a default."""
    tools = body.get("tools")
    if isinstance(tools, list):
        body = body | {"tools": [_DEFAULTS.get(tool.get("type"), {}) | tool for tool in tools]}
    given = body.get("input")
    if not isinstance(given, list):
        return body
    return body | {"input": [_filled_item(item) if isinstance(item, dict) else item for item in given]}


def _filled_item(item: Json) -> Json:
    match item:
        case {"role": "assistant", "content": list(content)}:
            parts = [
                {"annotations": []} | part if part.get("type") == "output_text" else part for part in content
            ]
            return {"type": "message", "id": "msg_0", "status": "completed"} | item | {"content": parts}
        case {"role": "user", "content": list(content)}:
            return item | {"content": [_DEFAULTS.get(part.get("type"), {}) | part for part in content]}
        case {"type": "reasoning"}:
            return {"id": "rs_0"} | item
    return item


def _items(body: Json) -> list[Json]:
    demand("model" in body, "Missing required parameter: 'model'.")
    given = body.get("input")
    demand(given, "Missing required parameter: 'input'.")
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def _check(body: Json, items: list[Json]) -> None:
    demand(
        body.get("max_output_tokens", 16) >= 16,
        "Invalid 'max_output_tokens': integer below minimum value (16).",
    )
    calls: set[str] = set()
    answered: set[str] = set()
    for place, item in enumerate(items):
        kind = item.get("type", "message")
        prefix = _IDS.get(kind)
        if prefix and item.get("id"):
            demand(
                item["id"].startswith(prefix),
                f"Invalid 'input[{place}].id': '{item['id']}'. Expected an ID that begins with '{prefix}'.",
            )
        if kind == "function_call":
            demand(len(item["call_id"]) <= 64, f"Invalid 'input[{place}].call_id': string too long (64).")
            calls.add(item["call_id"])
        if kind == "function_call_output":
            known = item["call_id"] in calls
            demand(known, f"No tool call found for function call output with call_id {item['call_id']}.")
            answered.add(item["call_id"])
        if kind == "reasoning":
            _check_reasoning(items, place)
    for call in sorted(calls - answered):
        raise Refusal(f"No tool output found for function call {call}.")
    for tool in body.get("tools") or ():
        if tool.get("strict") is True:
            _check_strict(tool)


def _check_reasoning(items: list[Json], place: int) -> None:
    item = items[place]
    identity = item.get("id", "")
    follower = items[place + 1] if place + 1 < len(items) else {}
    ours = follower.get("role", "assistant") == "assistant" and follower.get("type") != "function_call_output"
    demand(
        follower and ours,
        f"Item '{identity}' of type 'reasoning' was provided without its required following item.",
    )
    sealed = item.get("encrypted_content")
    demand(sealed in (None, SIGNATURE), f"The encrypted content for item {identity} could not be verified.")


def _check_strict(tool: Json) -> None:
    schema = tool["parameters"]
    whole_schema = schema.get("additionalProperties") is False
    complete = set(schema.get("required", ())) == set(schema.get("properties", {}))
    demand(
        whole_schema and complete,
        f"Invalid schema for function '{tool['name']}': 'additionalProperties' is required to be supplied and to be "
        "false, and 'required' to include every key in properties.",
    )


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content) if isinstance(content, list) else ""


def _said(body: Json, items: list[Json]) -> Said:
    text, results = "", []
    for item in items:
        if item.get("role") == "user":
            text, results = _text(item["content"]), []
        elif item.get("type") == "function_call_output":
            results.append(_text(item["output"]))
    tools = tuple(tool["name"] for tool in body.get("tools") or () if tool["type"] == "function")
    effort = (body.get("reasoning") or {}).get("effort")
    parts = [part for item in items if isinstance(item.get("content"), list) for part in item["content"]]
    pictures = [picture_in(part["image_url"]) for part in parts if part["type"] == "input_image"]
    form = (body.get("text") or {}).get("format") or {}
    return said(
        text,
        tuple(results),
        tools,
        thinks=effort not in (None, "none"),
        schema=form["schema"] if form.get("type") == "json_schema" else None,
        picture=pictures[-1] if pictures else None,
    )


def _output(request: Request, answer: Said) -> Iterator[Json]:
    if answer.thought:
        reasoning: Json = {"id": "rs_v0", "type": "reasoning", "summary": []}
        if (request.body.get("reasoning") or {}).get("summary"):
            reasoning["summary"] = [{"type": "summary_text", "text": answer.thought}]
        if "reasoning.encrypted_content" in (request.body.get("include") or ()):
            reasoning["encrypted_content"] = SIGNATURE
        yield reasoning
    if answer.text:
        part = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
        yield {
            "id": "msg_v1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }
    for number, call in enumerate(answer.calls):
        yield {
            "id": f"fc_v{number}",
            "type": "function_call",
            "status": "completed",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.text,
        }


def _response(request: Request, answer: Said) -> Json:
    return _state(request, "completed") | {
        "output": list(_output(request, answer)),
        "usage": {
            "input_tokens": request.tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": answer.tokens,
            "output_tokens_details": {"reasoning_tokens": answer.thought_tokens},
            "total_tokens": request.tokens + answer.tokens,
        },
    }


def _state(request: Request, status: str) -> Json:
    body = request.body
    return {
        "id": "resp_v1",
        "object": "response",
        "created_at": 1_760_000_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": body["model"],
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None, **(body.get("reasoning") or {})},
        "store": body.get("store", True),
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "metadata": {},
    }


def _numbered(request: Request, answer: Said) -> Iterator[bytes]:
    numbers = count()
    for name, fields in _events(request, answer):
        yield sse({"type": name, "sequence_number": next(numbers), **fields}, event=name)


def _events(request: Request, answer: Said) -> Iterator[tuple[str, Json]]:
    yield "response.created", {"response": _state(request, "in_progress")}
    yield "response.in_progress", {"response": _state(request, "in_progress")}
    for index, item in enumerate(_output(request, answer)):
        blank = {"summary": [], "content": [], "arguments": "", "status": "in_progress"}
        begun = item | {name: value for name, value in blank.items() if name in item}
        yield "response.output_item.added", {"output_index": index, "item": begun}
        place = {"item_id": item["id"], "output_index": index}
        match item["type"]:
            case "reasoning":
                yield from _summary(place, item)
            case "message":
                yield from _message(place, item)
            case _:
                for piece in pieces(item["arguments"]):
                    yield "response.function_call_arguments.delta", {**place, "delta": piece}
                done = {"arguments": item["arguments"], "name": item["name"]}
                yield "response.function_call_arguments.done", place | done
        yield "response.output_item.done", {"output_index": index, "item": item}
    yield "response.completed", {"response": _response(request, answer)}


def _summary(place: Json, item: Json) -> Iterator[tuple[str, Json]]:
    for number, part in enumerate(item["summary"]):
        spot = place | {"summary_index": number}
        yield "response.reasoning_summary_part.added", spot | {"part": {"type": "summary_text", "text": ""}}
        for piece in pieces(part["text"]):
            yield "response.reasoning_summary_text.delta", spot | {"delta": piece}
        yield "response.reasoning_summary_text.done", spot | {"text": part["text"]}
        yield "response.reasoning_summary_part.done", spot | {"part": part}


def _message(place: Json, item: Json) -> Iterator[tuple[str, Json]]:
    part = item["content"][0]
    spot = place | {"content_index": 0}
    yield "response.content_part.added", spot | {"part": part | {"text": ""}}
    for piece in pieces(part["text"]):
        yield "response.output_text.delta", spot | {"delta": piece, "logprobs": []}
    yield "response.output_text.done", spot | {"text": part["text"], "logprobs": []}
    yield "response.content_part.done", spot | {"part": part}
