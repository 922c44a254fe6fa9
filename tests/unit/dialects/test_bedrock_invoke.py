"""Bedrock's InvokeModel: the bodies of many vendors, and their documents in chunks."""

from __future__ import annotations

from base64 import b64encode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects import DIALECTS
from agent.dialects.base import EventView, ParsedRequest
from agent.dialects.eventstream import MessageDecoder, event, exception
from agent.dialects.framing import ChunkFraming
from agent.errors import ContentError
from agent.model.content import Attachment, Edit, Role, Usage
from tests.unit.dialects.feeding import assert_every_slot_can_be_edited, repeats, request, said, texts

NAME = "bedrock-invoke"
DIALECT = DIALECTS[NAME]
CLAUDE: dict[str, object] = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 9,
    "system": "Be brief.",
    "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
}
NOVA: dict[str, object] = {
    "schemaVersion": "messages-v1",
    "system": [{"text": "Be brief."}],
    "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
    "inferenceConfig": {"maxTokens": 9},
}
LLAMA: dict[str, object] = {"prompt": "Hello", "max_gen_len": 9}
TITAN: dict[str, object] = {"inputText": "Hello", "textGenerationConfig": {"maxTokenCount": 9}}
CHAT: dict[str, object] = {"messages": [{"role": "user", "content": "Hello"}]}
COMMAND_R: dict[str, object] = {"message": "Hello", "chat_history": [{"role": "USER", "message": "before"}]}
EMBED: dict[str, object] = {"texts": ["Hello", "World"], "input_type": "search_query"}
STABILITY: dict[str, object] = {"text_prompts": [{"text": "Hello", "weight": 1}], "init_image": "aGVsbG8="}
NOVA_CANVAS: dict[str, object] = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "Hello"}}
ASYNC: dict[str, object] = {
    "modelId": "amazon.nova-reel-v1:0",
    "modelInput": {"textToVideoParams": {"text": "Hello"}},
}
FORMS = (CLAUDE, NOVA, LLAMA, TITAN, CHAT, COMMAND_R, EMBED, STABILITY, NOVA_CANVAS, ASYNC)
METRICS = {
    "amazon-bedrock-invocationMetrics": {
        "inputTokenCount": 7,
        "outputTokenCount": 5,
        "cacheReadInputTokenCount": 2,
    }
}


def chunks(*documents: dict[str, object]) -> bytes:
    return b"".join(
        event("chunk", orjson.dumps({"bytes": b64encode(orjson.dumps(each)).decode(), "p": "abc"}))
        for each in documents
    )


def fed(stream: bytes, sizes: list[int] | None = None) -> list[EventView]:
    reader, framing = DIALECT.stream_reader(ParsedRequest()), DIALECT.framing()
    events = []
    turn = 0
    while stream:
        size = sizes[turn % len(sizes)] if sizes else len(stream)
        events += framing.feed(stream[:size])
        stream = stream[size:]
        turn += 1
    return [reader.read(each.event, each.data) for each in events]


@pytest.mark.parametrize("body", FORMS, ids=lambda body: next(iter(body)))
def test_every_form_is_read_and_can_be_changed(body: dict[str, object]) -> None:
    parsed = request(NAME, body, path="/model/us.anthropic.claude-x-v1%3A0/invoke-with-response-stream")
    assert (parsed.model, parsed.stream) == ("us.anthropic.claude-x-v1:0", True)
    assert (Role.USER, "Hello") in said(parsed.slots)
    assert_every_slot_can_be_edited(NAME, body)


def test_the_model_may_be_an_arn() -> None:
    arn = "arn:aws:bedrock:eu-west-1:123:application-inference-profile/abc"
    assert request(NAME, LLAMA, path=f"/model/{arn}/invoke").model == arn


def test_pictures_are_attachments() -> None:
    assert request(NAME, STABILITY).attachments == (Attachment(kind="image", size=5),)


def test_a_second_form_beside_the_first_is_not_unseen() -> None:
    assert (Role.USER, "hidden") in said(request(NAME, {**CLAUDE, "inputText": "hidden"}).slots)


def test_a_document_that_repeats_a_key_is_refused() -> None:
    with pytest.raises(ContentError):
        DIALECT.parse_answer(b'{"generation":"a","generation":"b"}')


@pytest.mark.parametrize(
    ("answer", "usage", "finish"),
    [
        ({"type": "message", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn",
          "usage": {"input_tokens": 1, "output_tokens": 2}}, Usage(input_tokens=1, output_tokens=2), "end_turn"),
        ({"output": {"message": {"content": [{"text": "Hi"}]}}, "stopReason": "end_turn",
          "usage": {"inputTokens": 1, "outputTokens": 2}}, Usage(input_tokens=1, output_tokens=2), "end_turn"),
        ({"generation": "Hi", "stop_reason": "stop", "prompt_token_count": 1, "generation_token_count": 2},
         Usage(input_tokens=1, output_tokens=2), "stop"),
        ({"outputs": [{"text": "Hi", "stop_reason": "stop"}]}, Usage(), ""),
        ({"inputTextTokenCount": 1, "results": [{"tokenCount": 2, "outputText": "Hi", "completionReason": "FINISH"}]},
         Usage(input_tokens=1, output_tokens=2), "FINISH"),
        ({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}, Usage(), "stop"),
        ({"generations": [{"text": "Hi"}]}, Usage(), ""),
        ({"response_id": "r", "text": "Hi", "finish_reason": "COMPLETE"}, Usage(), "COMPLETE"),
    ],
)  # fmt: skip
def test_whole_answers(answer: dict[str, object], usage: Usage, finish: str) -> None:
    parsed = DIALECT.parse_answer(orjson.dumps(answer))
    assert said(parsed.slots) == [(Role.ASSISTANT, "Hi")]
    assert (parsed.usage, parsed.finish_reason) == (usage, finish)


STREAMS: dict[str, tuple[dict[str, object], ...]] = {
    "claude": (
        {"type": "message_start", "message": {"role": "assistant", "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "I "}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ask."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop", **METRICS},
    ),
    "nova": (
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "I "}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "ask."}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 7, "outputTokens": 5}}, **METRICS},
    ),
    "llama": (
        {"generation": "I ", "prompt_token_count": 7, "stop_reason": None},
        {"generation": "ask.", "generation_token_count": 5, "stop_reason": "stop", **METRICS},
    ),
    "mistral": (
        {"outputs": [{"text": "I ", "stop_reason": None}]},
        {"outputs": [{"text": "ask.", "stop_reason": "stop"}], **METRICS},
    ),
    "titan": (
        {"outputText": "I ", "index": 0, "inputTextTokenCount": 7, "completionReason": None},
        {"outputText": "ask.", "totalOutputTextTokenCount": 5, "completionReason": "FINISH", **METRICS},
    ),
    "chat": (
        {"choices": [{"index": 0, "delta": {"content": "I "}}]},
        {"choices": [{"index": 0, "delta": {"content": "ask."}, "finish_reason": "stop"}], **METRICS},
    ),
    "command": (
        {"event_type": "text-generation", "text": "I ", "is_finished": False},
        {"event_type": "text-generation", "text": "ask.", "is_finished": False},
        {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE", **METRICS},
    ),
}


@pytest.mark.parametrize("vendor", STREAMS)
@given(sizes=st.lists(st.integers(1, 200), min_size=1))
def test_the_chunks_of_a_stream(vendor: str, sizes: list[int]) -> None:
    views = fed(chunks(*STREAMS[vendor]), sizes)
    assert list(texts(views).values()) == ["I ask."]
    usage = Usage()
    for view in views:
        usage = usage.merged(view.usage)
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (7, 5, 2)
    assert views[-1].final
    assert any(view.finish_reason for view in views)


@pytest.mark.parametrize("vendor", STREAMS)
def test_a_piece_can_be_changed_in_its_chunk(vendor: str) -> None:
    framing, reader = DIALECT.framing(), DIALECT.stream_reader(ParsedRequest())
    changed = b""
    for each in framing.feed(chunks(*STREAMS[vendor])):
        edits = tuple(
            Edit(address=delta.slot.address, start=0, end=len(delta.slot.text), replacement="[X]")
            for delta in reader.read(each.event, each.data).deltas
        )
        data = DIALECT.edit_event(each.data, edits)
        changed += framing.rewritten(each, data) if edits else each.raw
    assert list(texts(fed(changed)).values()) == ["[X][X]"]


def test_an_exception_ends_a_stream() -> None:
    (view,) = fed(exception("modelStreamErrorException", b'{"message":"broken"}'))
    assert (view.final, view.finish_reason) == (True, "error")
    (view,) = fed(event("initial-response", b"{}"))
    assert view == EventView()


def test_a_stopped_stream_of_claude_ends_as_claude_does() -> None:
    reader, framing = DIALECT.stream_reader(ParsedRequest()), ChunkFraming()
    for each in framing.feed(chunks(*STREAMS["claude"][:3])):
        reader.read(each.event, each.data)
    kinds = [orjson.loads(each.data)["type"] for each in framing.feed(reader.block("No."))]
    assert kinds == ["content_block_delta", "content_block_stop", "message_delta", "message_stop"]


@pytest.mark.parametrize("vendor", ["llama", "nova", "chat"])
def test_another_stopped_stream_ends_with_an_exception(vendor: str) -> None:
    reader = DIALECT.stream_reader(ParsedRequest())
    for each in ChunkFraming().feed(chunks(*STREAMS[vendor][:2])):
        reader.read(each.event, each.data)
    (message,) = MessageDecoder().feed(reader.block("No."))
    assert (message.kind, message.payload) == ("exception", b'{"message":"No."}')


def test_out_of_step_claude_ends_with_an_exception_too() -> None:
    reader = DIALECT.stream_reader(ParsedRequest())
    for each in ChunkFraming().feed(chunks(*STREAMS["claude"][:2])):
        reader.read(each.event, each.data)
    (message,) = MessageDecoder().feed(reader.block("No.", in_step=False))
    assert message.name == "validationException"


def test_a_signed_thought_is_no_text() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    body = {**CLAUDE, "messages": [{"role": "assistant", "content": [thought]}]}
    assert said(request(NAME, body).slots) == [(Role.SYSTEM, "Be brief.")]


def test_what_nova_says_whole_is_found_below_its_event() -> None:
    delta = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"citation": {"title": "cited"}}}}
    views = fed(chunks({"messageStart": {"role": "assistant"}}, delta))
    assert repeats(views) == [(Role.ASSISTANT, "cited")]
    assert views[1].repeats[0].address[0][0] == "contentBlockDelta"
