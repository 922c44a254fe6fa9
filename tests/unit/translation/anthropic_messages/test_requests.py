"""Messages requests, read. The bodies are shaped as in the Anthropic API reference, "Create a Message"."""

from __future__ import annotations

import base64

import orjson
import pytest

from agent.errors import ContentError
from agent.model.conversation import (
    CacheHint,
    Conversation,
    Effort,
    Media,
    MediaKind,
    OutputFormat,
    OutputKind,
    Part,
    Reasoning,
    Sampling,
    Speaker,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from agent.translation.anthropic_messages import AnthropicMessages

HELLO = {"role": "user", "content": "hello"}
HINT = {"cache_control": {"type": "ephemeral"}}


def read(*messages: object, path: str = "/v1/messages", **fields: object) -> Conversation:
    """The request with these messages and fields."""
    body = {"model": "claude", "max_tokens": 9, "messages": messages or (HELLO,), **fields}
    return AnthropicMessages().read_request(path, "", orjson.dumps(body))


def turn(speaker: str, *parts: Part) -> Turn:
    return Turn(speaker=Speaker(speaker), parts=parts)


def test_the_smallest_request() -> None:
    assert read() == Conversation(
        model="claude", turns=(turn("user", Text(text="hello")),), sampling=Sampling(max_tokens=9)
    )


@pytest.mark.parametrize(
    ("system", "parts"),
    [
        ("be kind", (Text(text="be kind"),)),
        (
            [{"type": "text", "text": "be"}, {"type": "text", "text": "kind", **HINT}],
            (Text(text="be"), Text(text="kind", cache=CacheHint())),
        ),
    ],
)
def test_the_system_prompt_is_the_first_turn(system: object, parts: tuple[Part, ...]) -> None:
    assert read(system=system).turns[0] == turn("system", *parts)


def test_a_system_message_stays_where_it_stands() -> None:
    found = read(HELLO, {"role": "system", "content": "be kind"})
    assert found.turns[1] == turn("system", Text(text="be kind"))


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "a"}, Text(text="a")),
        (
            {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            Text(text="a", cache=CacheHint(ttl="1h")),
        ),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAEC"}},
            Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC"),
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://i.example/a"}},
            Media(kind=MediaKind.IMAGE, url="https://i.example/a"),
        ),
        (
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
            Media(kind=MediaKind.IMAGE, file_id="file_1"),
        ),
        (
            {
                "type": "document",
                "title": "a.pdf",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "AAEC"},
            },
            Media(kind=MediaKind.DOCUMENT, media_type="application/pdf", data="AAEC", name="a.pdf"),
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://f.example/a.pdf"}},
            Media(kind=MediaKind.DOCUMENT, url="https://f.example/a.pdf"),
        ),
        (
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}},
            Media(kind=MediaKind.DOCUMENT, media_type="text/plain", data=base64.b64encode(b"hi").decode()),
        ),
    ],
)
def test_blocks(block: object, part: Part) -> None:
    found = read({"role": "user", "content": [block]})
    assert found.turns == (turn("user", part),)
    assert found.unread == ()


def test_a_turn_of_an_agent() -> None:
    found = read(
        HELLO,
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "sig"},
                {"type": "redacted_thinking", "data": "sealed"},
                {"type": "redacted_thinking", "data": "rs_1:elsewhere"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "a"}},
                {"type": "tool_use", "id": "toolu_2", "name": "list", "input": {}, **HINT},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "text"},
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_2",
                    "is_error": True,
                    "content": [
                        {"type": "text", "text": "gone"},
                        {"type": "image", "source": {"type": "url", "url": "https://i.example/a"}},
                    ],
                    **HINT,
                },
                {"type": "text", "text": "go on"},
            ],
        },
    )
    assert found.turns[1:] == (
        turn(
            "assistant",
            Thinking(text="hm", signature="sig"),
            Thinking(sealed="sealed"),
            Thinking(sealed="elsewhere", id="rs_1"),
            Text(text="I look."),
            ToolCall(id="toolu_1", name="read", arguments='{"path":"a"}'),
            ToolCall(id="toolu_2", name="list", cache=CacheHint()),
        ),
        turn(
            "user",
            ToolResult(call_id="toolu_1", name="read", parts=(Text(text="text"),)),
            ToolResult(
                call_id="toolu_2",
                name="list",
                error=True,
                parts=(Text(text="gone"), Media(kind=MediaKind.IMAGE, url="https://i.example/a")),
                cache=CacheHint(),
            ),
            Text(text="go on"),
        ),
    )
    assert found.unread == ()


def test_automatic_caching_marks_the_last_block() -> None:
    assert read(**HINT).turns == (turn("user", Text(text="hello", cache=CacheHint())),)


TOOL = {
    "name": "t",
    "description": "d",
    "input_schema": {"type": "object"},
    "strict": True,
    "eager_input_streaming": True,
    **HINT,
}


def test_tools() -> None:
    found = read(tools=[TOOL, {"type": "custom", "name": "u", "input_schema": {}}])
    assert found.tools == (
        Tool(name="t", description="d", parameters={"type": "object"}, strict=True, cache=CacheHint()),
        Tool(name="u"),
    )
    assert found.unread == ()


@pytest.mark.parametrize(
    ("wanted", "choice"),
    [
        ({"type": "auto"}, ToolChoice(use=ToolUse.AUTO)),
        (
            {"type": "any", "disable_parallel_tool_use": True},
            ToolChoice(use=ToolUse.REQUIRED, parallel=False),
        ),
        ({"type": "none"}, ToolChoice(use=ToolUse.NONE)),
        (
            {"type": "tool", "name": "t", "disable_parallel_tool_use": False},
            ToolChoice(use=ToolUse.NAMED, name="t", parallel=True),
        ),
    ],
)
def test_tool_choice(wanted: object, choice: ToolChoice) -> None:
    assert read(tools=[TOOL], tool_choice=wanted).tool_choice == choice


@pytest.mark.parametrize(
    ("fields", "reasoning"),
    [
        ({}, None),
        ({"thinking": {"type": "disabled"}}, Reasoning(effort=Effort.NONE)),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            Reasoning(budget_tokens=2000, summary="auto"),
        ),
        ({"thinking": {"type": "adaptive"}}, Reasoning(budget_tokens=-1, summary="auto")),
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "max"}},
            Reasoning(budget_tokens=-1, effort=Effort.XHIGH),
        ),
        ({"output_config": {"effort": "low"}}, Reasoning(effort=Effort.LOW)),
    ],
)
def test_thinking(fields: dict[str, object], reasoning: Reasoning | None) -> None:
    found = read(**fields)
    assert found.reasoning == reasoning
    assert found.unread == ()


FORMAT = {"type": "json_schema", "schema": {"type": "object"}}


@pytest.mark.parametrize("fields", [{"output_config": {"format": FORMAT}}, {"output_format": FORMAT}])
def test_structured_output(fields: dict[str, object]) -> None:
    assert read(**fields).output == OutputFormat(
        kind=OutputKind.SCHEMA, schema={"type": "object"}, strict=True
    )


def test_sampling_and_the_rest() -> None:
    found = read(
        temperature=0.5,
        top_p=0.9,
        top_k=4,
        stop_sequences=["x"],
        stream=True,
        metadata={"user_id": "u"},
        anthropic_version="vertex-2023-10-16",
        service_tier="auto",
    )
    assert found.sampling == Sampling(max_tokens=9, temperature=0.5, top_p=0.9, top_k=4, stop=("x",))
    assert (found.stream, found.usage_in_stream, found.user, found.unread) == (True, True, "u", ())


def test_vertex_names_the_model_and_the_stream_in_the_path() -> None:
    body = orjson.dumps({"max_tokens": 1, "messages": [HELLO]})
    path = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-x:streamRawPredict"
    found = AnthropicMessages().read_request(path, "", body)
    assert (found.model, found.stream) == ("claude-x", True)


@pytest.mark.parametrize(
    ("fields", "unread"),
    [
        ({"service_tier": "standard_only"}, "service_tier"),
        ({"container": "c"}, "container"),
        ({"mcp_servers": [{"name": "m"}]}, "mcp_servers"),
        ({"context_management": {"edits": [{}]}}, "context_management"),
        ({"metadata": {"team": "a"}}, "metadata.team"),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            "tools[0].type=web_search_20250305",
        ),
        ({"tools": [{"type": "computer_20250124", "name": "c"}]}, "tools[0].type=computer_20250124"),
        ({"tools": [{"name": "t", "input_schema": {}, "defer_loading": True}]}, "tools[0].defer_loading"),
        ({"output_config": {"task_budget": {}}}, "output_config.task_budget"),
        ({"output_format": {"type": "xml"}}, "output_format.type=xml"),
        ({"thinking": {"type": "between_tools"}}, "thinking.type=between_tools"),
        ({"invented": 1}, "invented"),
    ],
)
def test_what_has_no_place_is_named(fields: dict[str, object], unread: str) -> None:
    assert read(**fields).unread == (unread,)


@pytest.mark.parametrize(
    ("block", "unread"),
    [
        ({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, "type=server_tool_use"),
        (
            {"type": "tool_use", "id": "a", "name": "t", "input": {}, "caller": {"type": "code_execution_1"}},
            "caller.type=code_execution_1",
        ),
        ({"type": "search_result", "source": "s", "title": "t", "content": []}, "type=search_result"),
        (
            {"type": "document", "source": {"type": "content", "content": "x"}},
            "source.type=content",
        ),
    ],
)
def test_blocks_that_have_no_place_are_named(block: object, unread: str) -> None:
    found = read({"role": "user", "content": [{"type": "text", "text": "a"}, block]})
    assert found.unread == (f"messages[0].content[1].{unread}",)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"messages": None}, "`messages` must be an array"),
        ({"messages": [{"role": "tool", "content": "a"}]}, r"`messages\[0\]\.role`"),
        ({"messages": [{"role": "user", "content": 1}]}, r"`messages\[0\]\.content`"),
        ({"messages": [{"role": "user", "content": ["a"]}]}, r"`messages\[0\]\.content\[0\]`"),
        ({"system": 1}, "`system`"),
        ({"max_tokens": "x"}, "`max_tokens`"),
        ({"tools": [{"input_schema": {}}]}, r"`tools\[0\]\.name`"),
        ({"output_config": {"effort": "huge"}}, r"`output_config\.effort`"),
        ({"output_config": {"format": {"type": "json_schema"}}}, r"`output_config\.format`"),
    ],
)
def test_what_is_not_the_format_is_an_error_that_names_the_field(
    fields: dict[str, object], named: str
) -> None:
    body = {"model": "m", "max_tokens": 1, "messages": [HELLO], **fields}
    with pytest.raises(ContentError, match=named):
        AnthropicMessages().read_request("", "", orjson.dumps(body))
