"""Gemini generateContent."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import ParsedRequest
from agent.dialects.framing import ArrayFraming
from agent.dialects.sse import SseDecoder
from agent.model.content import Attachment, Edit, Role, Slot, Usage
from tests.unit.dialects.feeding import (
    assert_every_slot_can_be_edited,
    closes,
    read,
    repeats,
    request,
    said,
    stream,
    texts,
)

NAME = "gemini-generate-content"
DIALECT = DIALECTS[NAME]
PATH = "/v1beta/models/gemini-3-pro:streamGenerateContent"
REQUEST: dict[str, object] = {
    "systemInstruction": {"role": "user", "parts": [{"text": "Be kind."}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "Look"},
                {"inlineData": {"mimeType": "image/png", "data": "aGVsbG8=", "displayName": "cat"}},
                {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x.example/f"}},
                {"novelPart": {"text": "seen all the same", "signature": "s"}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "thought", "thought": True, "thoughtSignature": "c2ln"},
                {
                    "functionCall": {"id": "1", "name": "f", "args": {"q": "x", "n": 4111111111111111}},
                    "thoughtSignature": "c2ln",
                },
                {"functionCall": {"id": "2", "name": "g", "args": {"q": "y"}}},
                {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "1", "name": "f", "response": {"result": '{"k": "v\\n"}'}}},
                {
                    "functionResponse": {
                        "id": "2",
                        "name": "g",
                        "response": {"error": "none"},
                        "parts": [{"inlineData": {"mimeType": "audio/wav", "data": "YWJj"}}],
                    }
                },
            ],
        },
        {"parts": {"text": "no role, no list"}},
    ],
    "tools": [
        {
            "functionDeclarations": [
                {
                    "name": "f",
                    "description": "Finds",
                    "parameters": {
                        "type": "OBJECT",
                        "properties": {"q": {"type": "STRING", "description": "query"}},
                    },
                }
            ]
        }
    ],
    "generationConfig": {"temperature": 1, "responseSchema": {"type": "OBJECT", "description": "shape"}},
}
SNAKE = {
    "systemInstruction": "system_instruction",
    "inlineData": "inline_data",
    "mimeType": "mime_type",
    "displayName": "display_name",
    "fileData": "file_data",
    "functionCall": "function_call",
    "functionResponse": "function_response",
    "functionDeclarations": "function_declarations",
    "generationConfig": "generation_config",
    "executableCode": "executable_code",
    "codeExecutionResult": "code_execution_result",
    "thoughtSignature": "thought_signature",
    "finishReason": "finish_reason",
    "usageMetadata": "usage_metadata",
    "modelVersion": "model_version",
    "promptTokenCount": "prompt_token_count",
    "candidatesTokenCount": "candidates_token_count",
    "thoughtsTokenCount": "thoughts_token_count",
    "cachedContentTokenCount": "cached_content_token_count",
    "partialArgs": "partial_args",
    "jsonPath": "json_path",
    "stringValue": "string_value",
}


def snake(value: object) -> object:
    """The document in the other spelling."""
    if isinstance(value, dict):
        return {SNAKE.get(key, key): snake(item) for key, item in value.items()}
    return [snake(item) for item in value] if isinstance(value, list) else value


SPELLINGS = pytest.mark.parametrize("spelling", [lambda value: value, snake], ids=["camel", "snake"])


@SPELLINGS
def test_every_text_of_a_request_is_found_in_order_with_its_speaker(spelling: object) -> None:
    parsed = request(NAME, spelling(REQUEST), path=PATH)  # type: ignore[operator]
    assert (parsed.model, parsed.stream, parsed.operation) == ("gemini-3-pro", True, "chat")
    assert said(parsed.slots) == [
        (Role.SYSTEM, "Be kind."),
        (Role.USER, "Look"),
        (Role.USER, "seen all the same"),
        (Role.ASSISTANT, "thought"),
        (Role.TOOL_CALL, "x"),
        (Role.TOOL_CALL, "4111111111111111"),
        (Role.TOOL_CALL, "y"),
        (Role.TOOL_CALL, "print(1)"),
        (Role.TOOL_RESULT, "1"),
        (Role.TOOL_RESULT, '{"k": "v\\n"}'),
        (Role.TOOL_RESULT, "v\n"),
        (Role.TOOL_RESULT, "none"),
        (Role.USER, "no role, no list"),
        (Role.TOOL_CALL, "Finds"),
        (Role.TOOL_CALL, "query"),
        (Role.TOOL_CALL, "shape"),
    ]
    assert parsed.attachments == (
        Attachment(kind="image", media_type="image/png", size=5, name="cat"),
        Attachment(kind="document", media_type="application/pdf"),
        Attachment(kind="audio", media_type="audio/wav", size=3),
    )


def test_every_slot_can_be_edited_where_it_stands() -> None:
    assert_every_slot_can_be_edited(NAME, REQUEST)


@pytest.mark.parametrize(
    ("path", "model", "streaming", "operation"),
    [
        ("/v1beta/models/gemini-3:generateContent", "gemini-3", False, "chat"),
        ("/v1beta/tunedModels/mine:streamGenerateContent", "mine", True, "chat"),
        ("/v1/projects/p/locations/l/publishers/google/models/g:countTokens", "g", False, "count_tokens"),
        ("/v1beta/models/e:batchEmbedContents", "e", False, "embeddings"),
        ("/v1internal:streamGenerateContent", "in-the-body", True, "chat"),
        ("/elsewhere", "in-the-body", False, "chat"),
    ],
)
def test_model_and_method_stand_in_the_path(path: str, model: str, streaming: bool, operation: str) -> None:
    parsed = request(NAME, {"model": "models/in-the-body"}, path=path)
    assert (parsed.model, parsed.stream, parsed.operation) == (model, streaming, operation)


@pytest.mark.parametrize(
    "document",
    [
        {"request": {"contents": [{"parts": [{"text": "x"}]}]}},
        {"generateContentRequest": {"contents": [{"parts": [{"text": "x"}]}]}},
        {"requests": [{"content": {"parts": [{"text": "x"}]}}]},
        {"content": {"parts": [{"text": "x"}]}},
        {"contents": {"parts": [{"text": "x"}]}},
        {"contents": ["x"]},
    ],
)
def test_contents_are_found_in_every_envelope(document: object) -> None:
    assert said(request(NAME, document).slots) == [(Role.USER, "x")]


def answer(*parts: object, finish: str | None = None, **more: object) -> dict[str, object]:
    candidate: dict[str, object] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": "gemini-3-001", **more}


COUNTS = {
    "promptTokenCount": 9,
    "candidatesTokenCount": 4,
    "thoughtsTokenCount": 2,
    "cachedContentTokenCount": 3,
}
COUNTED = Usage(input_tokens=9, output_tokens=4, cache_read_tokens=3, reasoning_tokens=2)


@SPELLINGS
def test_a_complete_answer_is_read(spelling: object) -> None:
    whole = answer(
        {"text": "Hello"},
        {"functionCall": {"name": "f", "args": {"q": "x"}}},
        finish="MALFORMED_FUNCTION_CALL",
        usageMetadata=COUNTS,
    )
    parsed = DIALECT.parse_answer(orjson.dumps(spelling(whole)))  # type: ignore[operator]
    assert said(parsed.slots) == [(Role.ASSISTANT, "Hello"), (Role.TOOL_CALL, "x")]
    assert (parsed.model, parsed.finish_reason) == ("gemini-3-001", "MALFORMED_FUNCTION_CALL")
    assert parsed.usage == COUNTED


def test_a_stream_without_sse_is_an_array_of_answers() -> None:
    body = orjson.dumps(
        [answer({"text": "Hel"}), answer({"text": "lo"}, finish="STOP", usageMetadata=COUNTS)]
    )
    parsed = DIALECT.parse_answer(body)
    assert [slot.text for slot in parsed.slots] == ["Hel", "lo"]
    assert (parsed.finish_reason, parsed.usage) == ("STOP", COUNTED)
    edits = tuple(Edit(address=slot.address, start=0, end=1, replacement="-") for slot in parsed.slots)
    assert DIALECT.edit_answer(body, edits) == body.replace(b'"Hel"', b'"-el"').replace(b'"lo"', b'"-o"')


def test_sources_that_quote_the_answer_are_read() -> None:
    grounding = {
        "groundingSupports": [{"segment": {"text": "quoted"}}],
        "groundingChunks": [{"web": {"title": "T"}}],
    }
    whole = answer({"text": "a"})
    whole["candidates"][0]["groundingMetadata"] = grounding  # type: ignore[index]
    assert [slot.text for slot in DIALECT.parse_answer(orjson.dumps(whole)).slots] == ["a", "quoted", "T"]
    assert repeats(read(NAME, stream(whole))) == [(Role.ASSISTANT, "quoted"), (Role.ASSISTANT, "T")]


@SPELLINGS
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_stream_of_text_thoughts_and_calls_is_read(spelling: object, line_end: bytes) -> None:
    events = [
        answer({"text": "hm", "thought": True}),
        answer({"text": "Hel"}, usageMetadata={"promptTokenCount": 9}),
        answer({"text": "lo"}),
        answer({"functionCall": {"name": "f", "args": {"q": "x"}}}, {"text": "!"}),
        answer({"text": ""}, finish="STOP", usageMetadata=COUNTS),
    ]
    views = read(NAME, stream(*map(spelling, events)).replace(b"\n", line_end))  # type: ignore[arg-type,call-overload]
    assert texts(views) == {"candidate/0/thought": "hm", "candidate/0": "Hello!"}
    assert repeats(views) == [(Role.TOOL_CALL, "x")]
    assert closes(views) == ["candidate/0/thought", "candidate/0"]
    assert [view.finish_reason for view in views] == ["", "", "", "", "STOP"]
    assert views[1].usage == Usage(input_tokens=9)
    assert views[-1].usage == COUNTED
    assert {view.model for view in views} == {"gemini-3-001"}


def test_deltas_say_where_they_stand() -> None:
    two = {
        "candidates": [
            {"index": 0, "content": {"parts": []}},
            {"index": 1, "content": {"parts": [{}, {"text": "b"}]}},
        ]
    }
    (plain, second, wrapped) = read(
        NAME, stream(answer({"text": "a"}), two, {"response": answer({"text": "c"})})
    )
    path = ("candidates", 0, "content", "parts", 0, "text")
    assert plain.deltas[0].slot == Slot(address=(path,), role=Role.ASSISTANT, text="a")
    assert second.deltas[0].channel == "candidate/1"
    assert second.deltas[0].slot.address == (("candidates", 1, "content", "parts", 1, "text"),)
    assert wrapped.deltas[0].slot.address == (("response", *path),)


@SPELLINGS
def test_arguments_that_stream_are_read_by_their_place(spelling: object) -> None:
    def part(text: str) -> dict[str, object]:
        return {
            "functionCall": {
                "name": "f",
                "willContinue": True,
                "partialArgs": [{"jsonPath": "$.q", "stringValue": text}],
            }
        }

    views = read(NAME, stream(*(spelling(answer(part(text))) for text in ("se", "cret"))))  # type: ignore[operator]
    assert texts(views) == {"candidate/0/call/$.q": "secret"}
    assert repeats(views) == []
    assert {delta.slot.role for view in views for delta in view.deltas} == {Role.TOOL_CALL}


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_stopped_stream_ends_with_the_message_and_a_finish_reason(wrapped: bool) -> None:
    reader = DIALECT.stream_reader(ParsedRequest())
    sent = answer({"text": "a"})
    reader.read("", orjson.dumps({"response": sent} if wrapped else sent))

    (event,) = SseDecoder().feed(reader.block("Blocked."))

    document = orjson.loads(event.data)
    (candidate,) = (document["response"] if wrapped else document)["candidates"]
    assert candidate["content"]["parts"] == [{"text": "Blocked."}]
    assert candidate["finishReason"] == "PROHIBITED_CONTENT"


@pytest.mark.parametrize(
    ("status", "name"),
    [(413, "INVALID_ARGUMENT"), (502, "UNAVAILABLE"), (504, "DEADLINE_EXCEEDED"), (403, "PERMISSION_DENIED")],
)
def test_an_error_names_its_status(status: int, name: str) -> None:
    assert orjson.loads(DIALECT.error(status, "m").body) == {
        "error": {"code": status, "message": "m", "status": name}
    }


def test_a_refusal_is_an_invalid_argument() -> None:
    assert orjson.loads(DIALECT.block("No.").body) == {
        "error": {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT"}
    }


ENVELOPE: dict[str, object] = {
    "model": "gemini-3-pro",
    "project": "p",
    "user_prompt_id": "u",
    "request": {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
        "generationConfig": {"maxOutputTokens": 9},
        "session_id": "s",
    },
}


def test_code_assist_wraps_the_same_request() -> None:
    parsed = request(NAME, ENVELOPE, path="/v1internal:streamGenerateContent")
    assert (parsed.model, parsed.stream, parsed.max_tokens) == ("gemini-3-pro", True, 9)
    assert said(parsed.slots) == [(Role.USER, "hi"), (Role.SYSTEM, "Be brief.")]
    assert_every_slot_can_be_edited(NAME, ENVELOPE)
    counted = {"request": {"model": "models/g", "contents": [{"parts": [{"text": "hi"}]}]}}
    assert said(request(NAME, counted, path="/v1internal:countTokens").slots) == [(Role.USER, "hi")]


def test_a_batch_is_requests() -> None:
    one = {"request": {"contents": [{"parts": [{"text": "hi"}]}]}, "metadata": {"key": "k"}}
    for batch in (
        {"batch": {"display_name": "d", "input_config": {"requests": {"requests": [one]}}}},
        {"batch": {"inputConfig": {"requests": {"requests": [one]}}}},
        {"requests": [{"model": "models/e", "content": {"parts": [{"text": "hi"}]}}]},
    ):
        parsed = request(NAME, batch, path="/v1beta/models/g:batchGenerateContent")
        assert said(parsed.slots) == [(Role.USER, "hi")]
        assert_every_slot_can_be_edited(NAME, batch)


def test_a_stream_that_nobody_asked_events_for_is_an_array() -> None:
    asked = ParsedRequest(stream=True)
    assert DIALECT.framing_of(b"application/json", asked) is ArrayFraming
    assert DIALECT.framing_of(b"application/json", ParsedRequest()) is None
    assert DIALECT.framing_of(b"text/event-stream", asked) is not None


def test_the_end_of_an_array_ends_what_is_open() -> None:
    reader = DIALECT.stream_reader(ParsedRequest(stream=True))
    reader.read("", orjson.dumps(answer({"text": "a"})))
    view = reader.read("]", b"")
    assert (view.final, view.closes) == (True, ("candidate/0",))
