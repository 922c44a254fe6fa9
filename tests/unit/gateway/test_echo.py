"""The echo answers as each provider would, in full shape, and repeats what it was told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.gateway.echo import EchoApp
from tests.fakes.asgi_client import AsgiClient

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
GENERATE = "/v1beta/models/gemini-x:generateContent"
STREAM_GENERATE = "/v1beta/models/gemini-x:streamGenerateContent"
DIALECTS = (CHAT, RESPONSES, MESSAGES, GENERATE)

type Json = dict[str, object]


@pytest.fixture
def client() -> AsgiClient:
    return AsgiClient(EchoApp(clock=lambda: 1700000000.5, token=lambda: "t0k3n"))


def request(path: str, text: str, **extra: object) -> Json:
    """A request for `path` in which the user says `text`."""
    if path == RESPONSES:
        return {"model": "m", "input": text, **extra}
    if ":" in path:
        return {"contents": [{"role": "user", "parts": [{"text": text}]}], **extra}
    return {"model": "m", "messages": [{"role": "user", "content": text}], **extra}


def events(body: bytes) -> Iterator[tuple[str, Json]]:
    """The events of an event stream: name and data."""
    for event in body.replace(b"\r\n", b"\n").removesuffix(b"\n\n").split(b"\n\n"):
        name = ""
        for line in event.split(b"\n"):
            field, _, value = line.partition(b": ")
            if field == b"event":
                name = value.decode()
            elif value != b"[DONE]":
                yield name, json.loads(value)


def spoken(path: str, body: bytes) -> str:
    """The text of a whole answer, found by the dialect's own path."""
    answer = json.loads(body)
    if path == RESPONSES:
        return answer["output"][0]["content"][0]["text"]
    if path == MESSAGES:
        return answer["content"][0]["text"]
    if ":" in path:
        return answer["candidates"][0]["content"]["parts"][0]["text"]
    return answer["choices"][0]["message"]["content"]


def streamed(path: str, body: bytes) -> list[str]:
    """The pieces of text of a streamed answer, found by the dialect's own path."""
    match path:
        case "/v1/responses":
            return [data["delta"] for name, data in events(body) if name == "response.output_text.delta"]
        case "/v1/messages":
            return [data["delta"]["text"] for name, data in events(body) if name == "content_block_delta"]
        case "/v1/chat/completions":
            deltas = [data["choices"][0]["delta"] for _, data in events(body)]
            return [delta["content"] for delta in deltas if delta.get("content")]
        case _:
            return [data["candidates"][0]["content"]["parts"][0]["text"] for _, data in events(body)]


async def stream(client: AsgiClient, path: str, text: str, **extra: object) -> bytes:
    if ":" in path:
        return await client.ask(STREAM_GENERATE + "?alt=sse", request(path, text, **extra))
    return await client.ask(path, request(path, text, stream=True, **extra))


@pytest.mark.parametrize("path", DIALECTS)
async def test_the_last_user_text_is_repeated(path: str, client: AsgiClient) -> None:
    assert spoken(path, await client.ask(path, request(path, "hello ✓"))) == "You said: hello ✓"
    assert client.status == 200
    assert client.header(b"content-type").startswith(b"application/json")


@pytest.mark.parametrize("path", DIALECTS)
async def test_reverse_answers_with_a_text_that_is_not_in_the_prompt(path: str, client: AsgiClient) -> None:
    assert spoken(path, await client.ask(path, request(path, "reverse: abc def"))) == "fed cba"


@pytest.mark.parametrize("path", DIALECTS)
async def test_a_stream_comes_in_pieces_of_three_characters(path: str, client: AsgiClient) -> None:
    body = await stream(client, path, "reverse: 987654321ü")
    assert streamed(path, body) == ["ü12", "345", "678", "9"]
    assert client.header(b"content-type").startswith(b"text/event-stream")
    assert all(one["more_body"] for one in client.sent[1:-1])


@pytest.mark.parametrize("path", DIALECTS)
async def test_the_size_of_the_pieces_is_the_constructors(path: str) -> None:
    body = await stream(AsgiClient(EchoApp(piece=5)), path, "reverse: gfedcba")
    assert streamed(path, body) == ["abcde", "fg"]


@pytest.mark.parametrize("path", DIALECTS)
@given(text=st.text(max_size=30), piece=st.integers(1, 12))
@settings(max_examples=25, deadline=None)
def test_any_text_survives_streaming(path: str, text: str, piece: int) -> None:
    body = asyncio.run(stream(AsgiClient(EchoApp(piece=piece)), path, "reverse: " + text))
    assert "".join(streamed(path, body)) == text[::-1]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}] * 2}),
        (
            CHAT,
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "no"}]},
        ),
        (
            MESSAGES,
            {"messages": [{"role": "user", "content": [{"type": "text", "text": t} for t in ("no", "a")]}]},
        ),
        (
            RESPONSES,
            {
                "input": [
                    {"role": "developer", "content": [{"type": "input_text", "text": "no"}]},
                    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
                ]
            },
        ),
        (GENERATE, {"contents": [{"parts": [{"text": "no"}, {"text": "a"}]}]}),
    ],
)
async def test_the_users_last_text_part_counts(path: str, body: Json, client: AsgiClient) -> None:
    assert spoken(path, await client.ask(path, body)) == "You said: a"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            CHAT,
            {"messages": [{"role": "user", "content": "q"}, {"role": "tool", "content": "sunny"}]},
        ),
        (
            RESPONSES,
            {
                "input": [
                    {"role": "user", "content": "q"},
                    {"type": "function_call_output", "call_id": "c", "output": "sunny"},
                ]
            },
        ),
        (
            MESSAGES,
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "tool_result", "content": [{"type": "text", "text": "sunny"}]},
                            {"type": "text", "text": "a reminder"},
                        ],
                    }
                ]
            },
        ),
        (
            GENERATE,
            {"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {"r": "sunny"}}}]}]},
        ),
    ],
)
async def test_a_tool_result_is_repeated_as_such(path: str, body: Json, client: AsgiClient) -> None:
    assert spoken(path, await client.ask(path, body)) == "The tool said: sunny"


async def test_a_tool_result_before_the_users_last_word_is_history(client: AsgiClient) -> None:
    messages = [{"role": "tool", "content": "old"}, {"role": "user", "content": "new"}]
    assert spoken(CHAT, await client.ask(CHAT, {"messages": messages})) == "You said: new"


CALL = 'call: {"city": "Köln"}'
TOOLS = {
    CHAT: [{"type": "function", "function": {"name": "first"}}, {"function": {"name": "second"}}],
    RESPONSES: [{"type": "function", "name": "first"}, {"type": "function", "name": "second"}],
    MESSAGES: [{"name": "first"}, {"name": "second"}],
    GENERATE: [{"functionDeclarations": [{"name": "first"}, {"name": "second"}]}],
}


async def test_openai_chat_calls_the_first_tool_in_fragments(client: AsgiClient) -> None:
    body = request(CHAT, CALL, tools=TOOLS[CHAT])
    choice = json.loads(await client.ask(CHAT, body))["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    function = choice["message"]["tool_calls"][0]["function"]
    assert (function["name"], json.loads(function["arguments"])) == ("first", {"city": "Köln"})
    chunks = [data["choices"][0] for _, data in events(await client.ask(CHAT, {**body, "stream": True}))]
    calls = [call for chunk in chunks for call in chunk["delta"].get("tool_calls", ())]
    assert calls[0]["function"] == {"name": "first", "arguments": ""}
    assert [call["function"]["arguments"] for call in calls[1:4]] == ['{"c', "ity", '": ']
    assert "".join(call["function"]["arguments"] for call in calls) == '{"city": "Köln"}'
    assert chunks[-1]["finish_reason"] == "tool_calls"


async def test_openai_responses_calls_the_first_tool_in_fragments(client: AsgiClient) -> None:
    body = request(RESPONSES, CALL, tools=TOOLS[RESPONSES])
    item = json.loads(await client.ask(RESPONSES, body))["output"][0]
    assert (item["type"], item["name"]) == ("function_call", "first")
    assert json.loads(item["arguments"]) == {"city": "Köln"}
    seen = list(events(await client.ask(RESPONSES, {**body, "stream": True})))
    deltas = [data["delta"] for name, data in seen if name == "response.function_call_arguments.delta"]
    assert deltas[:2] == ['{"c', "ity"]
    assert "".join(deltas) == '{"city": "Köln"}'
    assert seen[-1][1]["response"]["output"] == [item]


async def test_openai_responses_opens_the_namespaces_of_tools_that_the_input_adds(client: AsgiClient) -> None:
    inner = [{"type": "custom", "name": "exec"}, {"type": "function", "name": "wait"}]
    namespace = {"type": "namespace", "name": "functions", "tools": inner}
    items = [
        {"type": "additional_tools", "role": "developer", "tools": [namespace]},
        {"role": "user", "content": "call exec: not JSON"},
    ]
    seen = list(events(await client.ask(RESPONSES, {"input": items, "stream": True})))
    item = seen[-1][1]["response"]["output"][0]
    assert (item["type"], item["namespace"], item["input"]) == ("custom_tool_call", "functions", "not JSON")
    deltas = [data["delta"] for name, data in seen if name == "response.custom_tool_call_input.delta"]
    assert deltas == ["not", " JS", "ON"]


async def test_anthropic_calls_the_first_tool_in_fragments(client: AsgiClient) -> None:
    body = request(MESSAGES, CALL, tools=TOOLS[MESSAGES])
    message = json.loads(await client.ask(MESSAGES, body))
    assert message["stop_reason"] == "tool_use"
    assert message["content"][0]["name"] == "first"
    assert message["content"][0]["input"] == {"city": "Köln"}
    seen = list(events(await client.ask(MESSAGES, {**body, "stream": True})))
    deltas = [data["delta"]["partial_json"] for name, data in seen if name == "content_block_delta"]
    assert deltas[:3] == ["", '{"c', "ity"]
    assert "".join(deltas) == '{"city": "Köln"}'
    assert next(data for name, data in seen if name == "message_delta")["delta"]["stop_reason"] == "tool_use"


async def test_gemini_calls_the_first_tool_whole(client: AsgiClient) -> None:
    body = request(GENERATE, CALL, tools=TOOLS[GENERATE])
    expected = {"functionCall": {"name": "first", "args": {"city": "Köln"}}}
    answers = [json.loads(await client.ask(GENERATE, body))]
    answers += [data for _, data in events(await client.ask(STREAM_GENERATE + "?alt=sse", body))]
    assert [answer["candidates"][0]["content"]["parts"] for answer in answers] == [[expected]] * 2


@pytest.mark.parametrize("path", DIALECTS)
@pytest.mark.parametrize("text", ["call: {not json", "call: [1]", "call third: {}", "recall: {}", "call me"])
async def test_a_call_that_cannot_be_made_is_only_a_text(path: str, text: str, client: AsgiClient) -> None:
    body = request(path, text, tools=TOOLS[path])
    assert spoken(path, await client.ask(path, body)) == "You said: " + text


async def test_a_call_without_tools_is_only_a_text(client: AsgiClient) -> None:
    assert spoken(CHAT, await client.ask(CHAT, request(CHAT, CALL))) == "You said: " + CALL


async def test_a_tool_can_be_called_by_name(client: AsgiClient) -> None:
    body = request(MESSAGES, "call second: {}", tools=TOOLS[MESSAGES])
    assert json.loads(await client.ask(MESSAGES, body))["content"][0]["name"] == "second"
