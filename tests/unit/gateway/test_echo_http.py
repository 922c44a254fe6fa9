"""The echo's full shapes, its errors, and its manners as an ASGI application."""

from __future__ import annotations

import gzip
import json

import pytest
import zstandard

from agent.gateway.echo import EchoApp
from tests.fakes.asgi_client import AsgiClient

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
GENERATE = "/v1beta/models/gemini-x:generateContent"
INFERENCE = (CHAT, RESPONSES, MESSAGES, GENERATE)
HELLO = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def client() -> AsgiClient:
    return AsgiClient(EchoApp(clock=lambda: 1700000000.5, token=lambda: "t0k3n"))


def names(body: bytes) -> list[str]:
    return [line[7:] for line in body.decode().splitlines() if line.startswith("event: ")]


async def test_openai_chat_carries_id_time_model_and_usage(client: AsgiClient) -> None:
    answer = json.loads(await client.ask(CHAT, HELLO))
    assert (answer["id"], answer["object"]) == ("chatcmpl-t0k3n", "chat.completion")
    assert (answer["created"], answer["model"]) == (1700000000, "m")
    usage = answer["usage"]
    assert usage["prompt_tokens"] == len(json.dumps(HELLO)) // 4
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert client.header(b"x-request-id") == b"req_t0k3n"


async def test_openai_chat_streams_usage_only_when_asked(client: AsgiClient) -> None:
    asked = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}
    plain = await client.ask(CHAT, {**HELLO, "stream": True})
    counted = await client.ask(CHAT, asked)
    assert b'"usage"' not in plain
    assert plain.endswith(b"data: [DONE]\n\n")
    *_, usage, done = counted.removesuffix(b"\n\n").split(b"\n\n")
    assert done == b"data: [DONE]"
    last = json.loads(usage.removeprefix(b"data: "))
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] > 0


async def test_openai_chat_gives_as_many_choices_as_asked_for(client: AsgiClient) -> None:
    answer = json.loads(await client.ask(CHAT, {**HELLO, "n": 2}))
    assert [choice["index"] for choice in answer["choices"]] == [0, 1]
    body = await client.ask(CHAT, {**HELLO, "n": 2, "stream": True})
    assert body.count(b'"index":0') == body.count(b'"index":1') > 2


async def test_openai_responses_streams_the_events_of_a_message_in_order(client: AsgiClient) -> None:
    body = {"model": "m", "input": "reverse: x", "stream": True, "instructions": "be brief"}
    answer = await client.ask(RESPONSES, body)
    assert names(answer) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    data = [json.loads(line[6:]) for line in answer.decode().splitlines() if line.startswith("data: ")]
    assert [one["sequence_number"] for one in data] == list(range(9))
    assert [one["type"] for one in data] == names(answer)
    assert data[0]["response"]["instructions"] == "be brief"
    assert data[-1]["response"] == json.loads(await client.ask(RESPONSES, {**body, "stream": False})) | {
        "usage": data[-1]["response"]["usage"]
    }


async def test_anthropic_streams_the_events_of_a_message_in_order(client: AsgiClient) -> None:
    answer = await client.ask(MESSAGES, {**HELLO, "stream": True})
    assert names(answer) == [
        "message_start",
        "content_block_start",
        "ping",
        *["content_block_delta"] * 5,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert b'"id":"msg_t0k3n"' in answer
    assert b'"stop_reason":"end_turn"' in answer


async def test_gemini_streams_a_json_array_without_alt_sse(client: AsgiClient) -> None:
    contents = {"contents": [{"parts": [{"text": "hi"}]}]}
    answer = json.loads(await client.ask("/v1beta/models/g:streamGenerateContent", contents))
    assert client.header(b"content-type").startswith(b"application/json")
    assert [one["candidates"][0].get("finishReason") for one in answer] == [None] * 3 + ["STOP"]
    assert {one["modelVersion"] for one in answer} == {"g"}
    assert answer[-1]["usageMetadata"]["totalTokenCount"] > 0


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
async def test_lone_surrogates_are_answered_as_escapes(path: str, client: AsgiClient) -> None:
    body = b'{"input":"\\ud800","messages":[{"role":"user","content":"\\ud800"}]}'
    assert b"You said: \\ud800" in await client.ask(path, body)


@pytest.mark.parametrize(
    ("path", "key"),
    [("/v1/messages/count_tokens", "input_tokens"), ("/v1beta/models/g:countTokens", "totalTokens")],
)
async def test_tokens_are_counted_without_an_answer(path: str, key: str, client: AsgiClient) -> None:
    assert json.loads(await client.ask(path, b'{"contents":"12345"}')) == {key: 5}


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/chat/completions",
        "/openai/deployments/d/chat/completions",
        "/anthropic/v1/messages",
        "/v1/projects/p/locations/l/publishers/google/models/g:generateContent",
        "/backend-api/codex/responses",
    ],
)
async def test_what_stands_before_the_paths_end_does_not_matter(path: str, client: AsgiClient) -> None:
    body = {**HELLO, "input": "hello", "contents": [{"parts": [{"text": "hello"}]}]}
    assert b"You said: hello" in await client.ask(path, body)


BAD_BODIES = (b"", b"{", b"[]", b'"text"', b"\xff\xfe{}", b"[" * 100_000, b"{}", b'{"messages":7}')


@pytest.mark.parametrize("path", INFERENCE)
@pytest.mark.parametrize("body", BAD_BODIES)
async def test_a_malformed_body_is_the_dialects_400(path: str, body: bytes, client: AsgiClient) -> None:
    answer = json.loads(await client.ask(path, body))
    assert client.status == 400
    assert answer["error"]["message"]
    match path:
        case "/v1/messages":
            assert (answer["type"], answer["error"]["type"]) == ("error", "invalid_request_error")
            assert answer["request_id"] == "req_t0k3n"
        case "/v1/chat/completions" | "/v1/responses":
            assert answer["error"]["type"] == "invalid_request_error"
        case _:
            assert (answer["error"]["code"], answer["error"]["status"]) == (400, "INVALID_ARGUMENT")


async def test_a_body_over_the_limit_is_refused_and_at_the_limit_is_not() -> None:
    body = json.dumps(HELLO).encode()
    client = AsgiClient(EchoApp(body_limit=len(body)))
    await client.ask(MESSAGES, body)
    assert client.status == 200
    answer = json.loads(await client.ask(MESSAGES, body + b" "))
    assert (client.status, answer["error"]["type"]) == (413, "request_too_large")


@pytest.mark.parametrize(
    ("coding", "compress"), [("gzip", gzip.compress), ("zstd", zstandard.compress), ("identity", bytes)]
)
async def test_compressed_bodies_are_read_within_the_same_limit(coding: str, compress: object) -> None:
    body, headers = json.dumps(HELLO).encode(), ((b"content-encoding", coding.encode()),)
    client = AsgiClient(EchoApp(body_limit=1000))
    assert b"You said: hello" in await client.ask(CHAT, compress(body), headers=headers)
    await client.ask(CHAT, compress(body + b" " * 1000), headers=headers)
    assert client.status == 413


@pytest.mark.parametrize("coding", ["gzip", "zstd", "br"])
async def test_a_body_that_breaks_its_content_encoding_is_a_400(coding: str, client: AsgiClient) -> None:
    await client.ask(CHAT, HELLO, headers=((b"content-encoding", coding.encode()),))
    assert client.status == 400


async def test_models_are_listed_for_every_kind_of_client(client: AsgiClient) -> None:
    page = json.loads(await client.ask("/v1/models", method="GET"))
    assert (page["object"], page["has_more"], page["models"]) == ("list", False, [])
    assert page["data"][0]["id"] == "echo"
    one = json.loads(await client.ask("/v1/models/other", method="GET"))
    assert (one["id"], one["object"], one["type"]) == ("other", "model", "model")
    gemini = json.loads(await client.ask("/v1beta/models", method="GET"))
    assert gemini["models"][0]["name"] == "models/echo"


@pytest.mark.parametrize("path", ["/", "/api/hello"])
async def test_clients_that_ask_whether_anyone_is_there_get_an_answer(path: str, client: AsgiClient) -> None:
    await client.ask(path, method="HEAD")
    assert client.status == 200


async def test_an_unknown_path_is_a_404_and_a_wrong_method_a_405(client: AsgiClient) -> None:
    assert b"Invalid URL (POST /v1/nothing)" in await client.ask("/v1/nothing", {})
    assert client.status == 404
    await client.ask(CHAT, method="GET")
    assert client.status == 405


async def test_a_websocket_is_refused_with_426_so_that_codex_falls_back_at_once(client: AsgiClient) -> None:
    await client.ask(RESPONSES, method="GET", headers=((b"upgrade", b"websocket"),))
    assert client.status == 426
    assert client.header(b"connection") == b"close"


async def test_a_websocket_scope_is_refused_too(client: AsgiClient) -> None:
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await client.app({"type": "websocket", "extensions": {"websocket.http.response": {}}}, receive, send)
    await client.app({"type": "websocket"}, receive, send)
    assert sent[0]["status"] == 426
    assert sent[-1]["type"] == "websocket.close"


async def test_a_client_that_leaves_ends_a_slow_stream() -> None:
    client = AsgiClient(EchoApp(delay=0.001))
    whole = await client.ask(CHAT, {**HELLO, "stream": True})
    assert whole.endswith(b"[DONE]\n\n")
    slow = AsgiClient(EchoApp(delay=60.0))
    await slow.ask(CHAT, {**HELLO, "stream": True}, gone_after=2)
    assert len(slow.sent) == 2


async def test_a_client_that_leaves_within_its_request_gets_no_answer(client: AsgiClient) -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        raise AssertionError("nothing may be sent")

    await client.app({"type": "http", "method": "POST", "path": CHAT, "headers": []}, receive, send)


@pytest.mark.parametrize("wrong", [{"piece": 0}, {"delay": -1.0}, {"body_limit": -1}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        EchoApp(**wrong)
