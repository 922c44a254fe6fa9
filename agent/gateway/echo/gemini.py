"""The echo's voice at `…/models/{model}:generateContent`, as Google speaks it."""

from __future__ import annotations

from collections.abc import Iterator

from agent.errors import ContentError
from agent.gateway.echo.reply import Asked, Call, JsonObject, Request, Say, Stamp, Turn, pieces
from agent.gateway.echo.wire import encode, functions, member, objects, sse, word

_STATUSES = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 405: "UNIMPLEMENTED", 413: "INVALID_ARGUMENT"}


class Gemini:
    """Gemini's generateContent. Source: ai.google.dev/api/generate-content and the official SDK's types.

    The model stands in the path; the method there says whether the answer is streamed. Tool calls come whole,
    as Gemini sends them.
    """

    def stream_type(self, turn: Turn) -> str:
        """Server-sent events where `alt=sse` asks for them, else one JSON array."""
        return "text/event-stream" if _wants_events(turn) else "application/json; charset=UTF-8"

    def read(self, request: Request) -> Asked:
        """The last user content's last text; a content that carries function responses is about those."""
        contents = tuple(objects(request.body.get("contents")))
        if not contents:
            raise ContentError("* GenerateContentRequest.contents: contents is not specified")
        text = ""
        results: tuple[str, ...] = ()
        for content in contents:
            if content.get("role", "user") != "model":
                parts = tuple(objects(content.get("parts")))
                written = [word(part, "text") for part in parts if isinstance(part.get("text"), str)]
                results = tuple(_result(part) for part in parts if _response(part))
                text = written[-1] if written else text
        model, _, method = request.path.rpartition("/")[2].partition(":")
        return Asked(
            model=model,
            stream=method == "streamGenerateContent",
            text=text,
            results=results,
            tools=functions(_declarations(request.body)),
        )

    def whole(self, turn: Turn) -> bytes:
        """One GenerateContentResponse, indented as Google writes it."""
        return encode(_response_object(turn, _part(turn), final=True), indent=2)

    def stream(self, turn: Turn, piece: int) -> Iterator[bytes]:
        """GenerateContentResponses, each with a piece of the text."""
        match turn.reply:
            case Say():
                texts = pieces(turn.reply.text, piece)
                parts: list[JsonObject] = [{"text": text} for text in texts] or [_part(turn)]
            case Call():
                parts = [_part(turn)]
        last = len(parts) - 1
        answers = [_response_object(turn, part, final=place == last) for place, part in enumerate(parts)]
        if _wants_events(turn):
            yield from (sse(answer, newline=b"\r\n") for answer in answers)
            return
        for place, answer in enumerate(answers):
            yield (b",\r\n" if place else b"[") + encode(answer, indent=2) + b"\n"
        yield b"]"

    def error(self, status: int, message: str, stamp: Stamp) -> bytes:
        """Google's error object."""
        name = _STATUSES.get(status, "INTERNAL")
        return encode({"error": {"code": status, "message": message, "status": name}}, indent=2)


def _wants_events(turn: Turn) -> bool:
    return "alt=sse" in turn.request.query.split("&")


def _part(turn: Turn) -> JsonObject:
    match turn.reply:
        case Say():
            return {"text": turn.reply.text}
        case Call():
            return {"functionCall": {"name": turn.reply.tool.name, "args": turn.reply.values}}


def _response_object(turn: Turn, part: JsonObject, *, final: bool) -> JsonObject:
    prompt, answer = turn.request.tokens, turn.tokens
    candidate: JsonObject = {"content": {"parts": [part], "role": "model"}}
    return {
        "candidates": [candidate | ({"finishReason": "STOP"} if final else {}) | {"index": 0}],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "candidatesTokenCount": answer,
            "totalTokenCount": prompt + answer,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
        },
        "modelVersion": turn.asked.model,
        "responseId": turn.stamp.token,
    }


def _response(part: JsonObject) -> JsonObject:
    return member(part, "functionResponse", "function_response")


def _result(part: JsonObject) -> str:
    """What a function returned: its only value where that is a text, else all of it as JSON."""
    response = member(_response(part), "response")
    match list(response.values()):
        case [str(text)]:
            return text
        case _:
            return encode(response).decode()


def _declarations(body: JsonObject) -> Iterator[JsonObject]:
    for tool in objects(body.get("tools")):
        yield from objects(tool.get("functionDeclarations", tool.get("function_declarations")))
