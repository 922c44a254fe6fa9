"""Google's generateContent. Source: ai.google.dev/api/generate-content and its guides to functions and thinking.

As Gemini 3 does, it signs its calls where it thought, and wants the signature back: on the first call of a turn.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from google.genai import types
from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from tests.fakes.vendors.scene import (
    KEYS,
    SIGNATURE,
    Answer,
    Json,
    Refusal,
    Request,
    Said,
    demand,
    encoded,
    pieces,
    said,
    sse,
    streamed,
    whole,
)

_METHOD = re.compile(r".*/models/([^/:]+):(generateContent|streamGenerateContent|countTokens)")
_FUNCTION = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND"}
_FIELDS = {
    "contents": TypeAdapter(list[types.Content]),
    "systemInstruction": TypeAdapter(types.Content),
    "tools": TypeAdapter(list[types.Tool]),
    "toolConfig": TypeAdapter(types.ToolConfig),
    "safetySettings": TypeAdapter(list[types.SafetySetting]),
    "generationConfig": TypeAdapter(types.GenerationConfig),
    "cachedContent": TypeAdapter(str),
}

_OWN = frozenset(
    {
        "args",
        "response",
        "parameters",
        "parametersJsonSchema",
        "responseSchema",
        "responseJsonSchema",
        "labels",
    }
)
"""What in a request has names of the client's."""


class Gemini:
    """See the module."""

    def serves(self, path: str) -> bool:
        """…/models/{model}:generateContent and its like."""
        return _METHOD.fullmatch(path) is not None

    def error(self, refusal: Refusal) -> bytes:
        """Google's."""
        name = _STATUSES.get(refusal.status, "INTERNAL")
        return encoded({"error": {"code": refusal.status, "message": str(refusal), "status": name}})

    def answer(self, request: Request) -> Answer:
        """A GenerateContentResponse, or several."""
        demand(request.headers.get("x-goog-api-key") == KEYS["gemini"], "API key not valid.")
        match = _METHOD.fullmatch(request.path)
        assert match is not None
        model, method = match.groups()
        if method == "countTokens":
            return whole({"totalTokens": request.tokens})
        body = _spelled(request.body)
        _check_shapes(body)
        _check(body)
        answer = _said(body)
        shows = _thinking(body).include_thoughts is True
        if method == "generateContent":
            parts = list(_parts(answer, shows=shows))
            return whole(_response(request, model, answer, parts, final=True))
        demand("alt=sse" in request.query.split("&"), "this stand-in streams by alt=sse only")
        return streamed(_events(request, model, answer, shows=shows))


def _spelled(value: object) -> Any:
    """Both spellings of the fields' names are taken; what is the client's own stays."""
    if isinstance(value, list):
        return [_spelled(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        to_camel(name): inner if to_camel(name) in _OWN else _spelled(inner) for name, inner in value.items()
    }


def _check_shapes(body: Json) -> None:
    for name, value in body.items():
        demand(name in _FIELDS, f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
        try:
            _FIELDS[name].validate_python(value)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise Refusal(f"Invalid JSON payload received. {first['msg']} at '{name}.{place}'") from None


def _check(body: Json) -> None:
    contents = body.get("contents")
    demand(contents, "* GenerateContentRequest.contents: contents is not specified")
    for tool in body.get("tools", ()):
        for function in tool.get("functionDeclarations", ()):
            demand(_FUNCTION.fullmatch(function["name"]), "Invalid function name.")
            both = "parameters" in function and "parametersJsonSchema" in function
            demand(not both, "only one of parameters and parameters_json_schema may be set")
    for content in contents:
        demand(content.get("role") in ("user", "model"), "Please use a valid role: user, model.")
        demand(content.get("parts"), "GenerateContentRequest.contents: contents.parts must not be empty.")
    demand(contents[-1]["role"] == "user", "Please ensure that the last turn is a user turn.")
    for before, content, after in zip([None, *contents], contents, [*contents[1:], None], strict=False):
        _check_turn(before, content, after)


def _check_turn(before: Json | None, content: Json, after: Json | None) -> None:
    calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
    if not calls:
        return
    demand(
        before is not None and before["role"] == "user",
        "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
    )
    responses = [
        part["functionResponse"] for part in (after or {}).get("parts", ()) if "functionResponse" in part
    ]
    demand(
        len(responses) == len(calls),
        "Please ensure that the number of function response parts is equal to the number of function call parts of the "
        "function call turn.",
    )
    names = [call["name"] for call in calls]
    demand([each["name"] for each in responses] == names, "function responses must match the calls by name")
    first = next(part for part in content["parts"] if "functionCall" in part)
    signature = first.get("thoughtSignature")
    demand(
        signature in (SIGNATURE, "skip_thought_signature_validator", "context_engineering_is_the_way_to_go"),
        f"Function call is missing a thought_signature in functionCall parts ({names[0]}).",
    )


def _thinking(body: Json) -> types.ThinkingConfig:
    """What the request says of it."""
    return (
        types.GenerationConfig.model_validate(body.get("generationConfig", {})).thinking_config
        or types.ThinkingConfig()
    )


def _said(body: Json) -> Said:
    text, results = "", []
    for content in body["contents"]:
        if content["role"] != "user":
            continue
        parts = content["parts"]
        results = [_result(part["functionResponse"]) for part in parts if "functionResponse" in part]
        text = next((part["text"] for part in parts if part.get("text")), text)
    functions = [each for tool in body.get("tools", ()) for each in tool.get("functionDeclarations", ())]
    thinking = _thinking(body)
    thinks = thinking.thinking_budget not in (0, None) or thinking.thinking_level or thinking.include_thoughts
    parts = [part for content in body["contents"] for part in content["parts"]]
    pictures = [part["inlineData"] for part in parts if "inlineData" in part]
    generation = body.get("generationConfig", {})
    schema = generation.get("responseJsonSchema") or generation.get("responseSchema")
    asks_json = generation.get("responseMimeType") == "application/json"
    demand(asks_json or not schema, "response_schema needs the response_mime_type application/json")
    return said(
        text,
        tuple(results),
        tuple(each["name"] for each in functions),
        thinks=bool(thinks),
        schema=schema,
        picture=_picture(pictures[-1]) if pictures else None,
    )


def _picture(blob: Json) -> tuple[str, str]:
    read = types.Blob.model_validate(blob)
    return read.mime_type or "", b64encode(read.data or b"").decode()


def _result(response: Json) -> str:
    match list(response["response"].items()):
        case [("output" | "result" | "content" | "error", str(text))]:
            return text
        case _:
            return encoded(response["response"]).decode()


def _parts(answer: Said, *, shows: bool) -> Iterator[Json]:
    if answer.thought and shows:
        yield {"text": answer.thought, "thought": True}
    if answer.text:
        yield {"text": answer.text}
    for number, call in enumerate(answer.calls):
        part: Json = {"functionCall": {"name": call.name, "args": call.arguments}}
        yield part if number else part | {"thoughtSignature": SIGNATURE}


def _events(request: Request, model: str, answer: Said, *, shows: bool) -> Iterator[bytes]:
    """Texts in pieces, calls whole, the reason for the end in a last event with an empty text."""
    for part in _parts(answer, shows=shows):
        shown = [part | {"text": piece} for piece in pieces(part["text"])] if "text" in part else [part]
        for one in shown:
            yield sse(_response(request, model, answer, [one], final=False), newline=b"\r\n")
    yield sse(_response(request, model, answer, [{"text": ""}], final=True), newline=b"\r\n")


def _response(request: Request, model: str, answer: Said, parts: list[Json], *, final: bool) -> Json:
    candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0}
    usage = {
        "promptTokenCount": request.tokens,
        "candidatesTokenCount": answer.tokens - answer.thought_tokens,
        "totalTokenCount": request.tokens + answer.tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": request.tokens}],
    }
    return {
        "candidates": [candidate | ({"finishReason": "STOP"} if final else {})],
        "usageMetadata": usage | ({"thoughtsTokenCount": answer.thought_tokens} if answer.thought else {}),
        "modelVersion": model,
        "responseId": "gem-v1",
    }
