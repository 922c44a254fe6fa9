"""The table of dialects, and what holds for all of them."""

from __future__ import annotations

import random

import orjson
import pytest

from agent.dialects import DIALECTS, get
from agent.dialects.base import Block, Dialect, ParsedRequest, RequestHead
from agent.errors import ContentError

HEAD = RequestHead(method="POST", path="/v1/models/m:generateContent")
FORMS = {"gemini-web", "gemini-rpc"}
PAGES = {"chatgpt-web", "chatgpt-draft", "claude-web", *FORMS}
"""Dialects of web pages. They say no in ways of their own, and notice documents of another shape than was seen."""
ALL = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
DOCUMENTS = pytest.mark.parametrize(
    "dialect", [each for each in DIALECTS.values() if each.name not in FORMS], ids=lambda each: each.name
)
APIS = pytest.mark.parametrize(
    "dialect", [each for each in DIALECTS.values() if each.name not in PAGES], ids=lambda each: each.name
)
TYPES = (
    "text image image_url input_audio file document tool_use tool_result thinking search_result message reasoning"
    " function_call function_call_output input_text input_file output_text refusal image_generation_call novel"
    " content_block_delta content_block_start message_start message_delta response.output_text.delta"
    " response.output_text.done response.completed response.output_item.done base64 url"
)
KEYS = (
    "type role text content messages system input instructions tools prompt variables metadata prediction source data"
    " contents parts systemInstruction system_instruction inlineData functionCall functionResponse partialArgs args"
    " response request choices delta message tool_calls function arguments index finish_reason usage usageMetadata"
    " output summary action code candidates content_block content_index output_index item part reasoning_details"
    " image_url file input_audio citations title signature prompt_tokens_details audio function_call model stream"
)


def test_every_dialect_is_found_by_its_own_name() -> None:
    assert (
        set(DIALECTS)
        == {
            "openai-chat",
            "openai-responses",
            "anthropic-messages",
            "gemini-generate-content",
            "bedrock-converse",
            "cohere-chat",
            "cohere-v1",
            "bedrock-invoke",
            "aws-codewhisperer",
            "ollama-native",
        }
        | PAGES
    )
    assert all(get(name) is dialect and dialect.name == name for name, dialect in DIALECTS.items())
    assert get("raw-text") is None


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        DIALECTS["mine"] = DIALECTS["openai-chat"]  # type: ignore[index]


@ALL
def test_a_body_that_is_no_document_is_a_content_error(dialect: Dialect) -> None:
    for body in (b"", b"text", b"5", b'"text"', b"null", b'{"a":1,"a":2}', b"\xff"):
        with pytest.raises(ContentError):
            dialect.parse_request(HEAD, body)
        with pytest.raises(ContentError):
            dialect.parse_answer(body)


@DOCUMENTS
@pytest.mark.parametrize("body", [b"{}", b'{"novel": {"deep": [1, "x"]}}', b"\xef\xbb\xbf {}\n"])
def test_an_object_without_anything_known_is_empty(dialect: Dialect, body: bytes) -> None:
    assert dialect.parse_request(HEAD, body).slots == ()
    assert dialect.parse_answer(body).slots == ()


@APIS
def test_wrong_types_anywhere_are_no_error(dialect: Dialect) -> None:
    dice = random.Random(7)
    request = ParsedRequest()
    for _ in range(150):
        document = {dice.choice(KEYS.split()): _anything(dice, 5) for _ in range(4)}
        body = orjson.dumps(document)
        dialect.parse_request(HEAD, body)
        dialect.parse_answer(body)
        reader = dialect.stream_reader(request)
        reader.read("", body)
        reader.read(dice.choice(TYPES.split()), body)


def _anything(dice: random.Random, depth: int) -> object:
    kind = dice.randrange(8 if depth else 5)
    match kind:
        case 0:
            return dice.choice([None, True, 0, -1, 1.5, 2**63, "", [], {}])
        case 1 | 2:
            return dice.choice(TYPES.split())
        case 3:
            return dice.choice(["user", "assistant", "tool", "data:image/png;base64,AA==", '{"a": "b\\n"}'])
        case 4:
            return dice.randrange(3)
        case 5:
            return [_anything(dice, depth - 1) for _ in range(dice.randrange(3))]
    return {"type": dice.choice(TYPES.split())} | {
        dice.choice(KEYS.split()): _anything(dice, depth - 1) for _ in range(4)
    }


@DOCUMENTS
def test_the_deepest_document_is_no_error(dialect: Dialect) -> None:
    deep = b'{"content":' * 180 + b"1" + b"}" * 180
    for key in (b"messages", b"input", b"contents", b"system", b"instructions"):
        for role in (b"", b'"role":"user",'):
            body = b'{"%s":[{%s"content":%s}]}' % (key, role, deep)
            dialect.parse_request(HEAD, body)


@DOCUMENTS
def test_unknown_events_carry_nothing(dialect: Dialect) -> None:
    for event in ("", "novel"):
        for data in (b"", b"[DONE]", b"not json", b"[]", b"5", b"null", b"{}", b'{"type": 5}', b"\xff"):
            view = dialect.stream_reader(ParsedRequest()).read(event, data)
            assert (view.deltas, view.repeats, view.closes) == ((), (), ())
            assert view.keepalive is (data == b"") or (dialect.name == "bedrock-invoke" and event == "novel")


def message_in(block: Block) -> object:
    """Where clients look for it: in an `error`, beside nothing else (Amazon, Cohere), or it is the error (Ollama)."""
    document = orjson.loads(block.body)
    error = document.get("error", document)
    return error if isinstance(error, str) else error["message"]


@APIS
def test_a_block_is_an_answer_the_client_does_not_retry(dialect: Dialect) -> None:
    block = dialect.block('Blocked: "secret".\nRef 1.')
    assert block.status == 400
    assert dict(block.headers)[b"content-type"] == b"application/json"
    assert dict(block.headers)[b"content-length"] == str(len(block.body)).encode()
    assert message_in(block) == 'Blocked: "secret".\nRef 1.'


@APIS
@pytest.mark.parametrize("status", [400, 413, 502, 504])
def test_an_error_keeps_its_status(dialect: Dialect, status: int) -> None:
    block = dialect.error(status, "no luck")
    assert block.status == status
    assert message_in(block) == "no luck"
