"""Ollama's own API."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import EventView, ParsedRequest
from agent.dialects.framing import LinesFraming
from agent.model.content import Attachment, Role, Usage
from tests.unit.dialects.feeding import assert_every_slot_can_be_edited, repeats, request, said, texts

NAME = "ollama-native"
DIALECT = DIALECTS[NAME]
CHAT: dict[str, object] = {
    "model": "llama3.2",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Look", "images": ["aGVsbG8="]},
        {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [
            {"function": {"name": "weather", "arguments": {"town": "Bern"}}}]},
        {"role": "tool", "content": "warm", "tool_name": "weather"},
    ],
    "tools": [{"type": "function", "function": {"name": "weather", "description": "of a town"}}],
    "format": {"type": "object", "properties": {"a": {"description": "what"}}},
    "options": {"num_predict": 9, "temperature": 0},
}  # fmt: skip
LINES = (
    {"model": "llama3.2", "message": {"role": "assistant", "content": "", "thinking": "so"}, "done": False},
    {"model": "llama3.2", "message": {"role": "assistant", "content": "I "}, "done": False},
    {"model": "llama3.2", "message": {"role": "assistant", "content": "ask."}, "done": False},
    {"message": {"tool_calls": [{"function": {"name": "w", "arguments": {"t": "Bern"}}}]}, "done": False},
    {"model": "llama3.2", "message": {"content": ""}, "done": True, "done_reason": "stop",
     "prompt_eval_count": 26, "eval_count": 298},
)  # fmt: skip


def views(*lines: dict[str, object]) -> list[EventView]:
    reader = DIALECT.stream_reader(ParsedRequest())
    stream = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    return [reader.read(each.event, each.data) for each in LinesFraming().feed(stream)]


def test_every_text_of_a_chat_is_found() -> None:
    parsed = request(NAME, CHAT, path="/api/chat")
    assert (parsed.model, parsed.stream, parsed.max_tokens) == ("llama3.2", True, 9)
    assert said(parsed.slots) == [
        (Role.SYSTEM, "Be brief."),
        (Role.USER, "Look"),
        (Role.ASSISTANT, "hm"),
        (Role.TOOL_CALL, "Bern"),
        (Role.TOOL_RESULT, "warm"),
        (Role.TOOL_CALL, "of a town"),
        (Role.TOOL_CALL, "what"),
    ]
    assert parsed.attachments == (Attachment(kind="image", size=5),)
    assert not request(NAME, {**CHAT, "stream": False}, path="/api/chat").stream


def test_prompts_and_inputs() -> None:
    asked = {"model": "m", "prompt": "p", "suffix": "s", "system": "y", "images": ["AA=="], "context": [1, 2]}
    parsed = request(NAME, asked, path="/api/generate")
    assert said(parsed.slots) == [(Role.USER, "p"), (Role.USER, "s"), (Role.SYSTEM, "y")]
    assert parsed.stream
    parsed = request(NAME, {"model": "m", "input": ["a", "b"]}, path="/api/embed")
    assert said(parsed.slots) == [(Role.USER, "a"), (Role.USER, "b")]
    assert not parsed.stream


def test_every_text_can_be_changed() -> None:
    assert_every_slot_can_be_edited(NAME, CHAT)


def test_whole_answers() -> None:
    chat = {"model": "m", "message": {"content": "Hi"}, "done": True, "done_reason": "stop", "eval_count": 2}
    parsed = DIALECT.parse_answer(orjson.dumps(chat))
    assert said(parsed.slots) == [(Role.ASSISTANT, "Hi")]
    assert (parsed.model, parsed.finish_reason, parsed.usage) == ("m", "stop", Usage(output_tokens=2))
    parsed = DIALECT.parse_answer(b'{"response":"Hi","thinking":"hm"}')
    assert said(parsed.slots) == [(Role.ASSISTANT, "Hi"), (Role.ASSISTANT, "hm")]


def test_the_lines_of_a_chat() -> None:
    seen = views(*LINES)
    assert texts(seen) == {"thinking": "so", "content": "I ask."}
    assert repeats(seen) == [(Role.TOOL_CALL, "Bern")]
    assert seen[-1].final
    assert seen[-1].closes == ("thinking", "content")
    assert (seen[-1].finish_reason, seen[-1].usage) == ("stop", Usage(input_tokens=26, output_tokens=298))


def test_the_lines_of_a_text() -> None:
    seen = views({"response": "a", "done": False}, {"response": "b", "thinking": "t", "done": True})
    assert texts(seen) == {"response": "ab", "thinking": "t"}
    assert seen[-1].final


def test_an_error_ends_a_stream() -> None:
    (view,) = views({"error": "out of memory"})
    assert (view.final, view.finish_reason) == (True, "error")
    assert repeats([view]) == [(Role.ASSISTANT, "out of memory")]


def test_a_stopped_stream_ends_with_an_error() -> None:
    assert DIALECT.stream_reader(ParsedRequest()).block('No "x".') == b'{"error":"No \\"x\\"."}\n'


@pytest.mark.parametrize("kind", [b"application/x-ndjson", b"application/jsonl"])
def test_lines_have_several_names(kind: bytes) -> None:
    assert DIALECT.framing_of(kind, ParsedRequest()) is LinesFraming
    assert DIALECT.framing_of(b"application/json", ParsedRequest(stream=True)) is None
