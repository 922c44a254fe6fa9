"""The same question has the same key however it is written; another question has another."""

from __future__ import annotations

import json
import random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.caching.canonical import DEFAULTS, key_of, read_request

CHAT: dict[str, object] = {
    "model": "gpt",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
    "temperature": 0.5,
    "max_tokens": 100,
}


def canonical(request: object, dialect: str = "openai-chat") -> bytes:
    return read_request(dialect, orjson.dumps(request)).canonical


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


def shuffled(node: object, generator: random.Random) -> object:
    """The same JSON in another spelling."""
    if isinstance(node, dict):
        items = list(node.items())
        generator.shuffle(items)
        return {name: shuffled(value, generator) for name, value in items}
    if isinstance(node, list):
        return [shuffled(each, generator) for each in node]
    if type(node) is int and generator.random() < 0.5:
        return float(node)
    return node


@given(st.dictionaries(st.text(max_size=5), values, max_size=5), st.randoms(use_true_random=False))
def test_neither_order_nor_white_space_nor_the_form_of_numbers_matters(
    request_: dict[str, object], generator: random.Random
) -> None:
    other = json.dumps(shuffled(request_, generator), indent=2, ensure_ascii=True).encode()
    assert read_request("openai-chat", other).canonical == canonical(request_)


@pytest.mark.parametrize(
    "more",
    [
        {"stream": True, "stream_options": {"include_usage": True}},
        {"user": "u-1", "metadata": {"request_id": "r-1"}, "safety_identifier": "s"},
        {"prompt_cache_key": "k", "service_tier": "flex", "store": False},
        {"n": 1, "top_p": 1.0, "presence_penalty": 0, "logprobs": False, "tool_choice": "auto"},
        {"response_format": {"type": "text"}, "stop": None, "seed": None, "tools": []},
        {"model": "an-alias"},
    ],
)
def test_what_does_not_change_the_answer_does_not_change_the_question(more: dict[str, object]) -> None:
    assert canonical({**CHAT, **more}) == canonical(CHAT)


@pytest.mark.parametrize(
    "more",
    [
        {"temperature": 0.7},
        {"max_tokens": 101},
        {"seed": 0},
        {"top_p": True},
        {"response_format": {"type": "json_object"}},
        {"a_field_of_tomorrow": 1},
        {"messages": [{"role": "user", "content": "Hi "}]},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
    ],
)
def test_what_may_change_the_answer_changes_the_question(more: dict[str, object]) -> None:
    assert canonical({**CHAT, **more}) != canonical(CHAT)


def test_marks_for_the_providers_own_cache_do_not_matter() -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    text = {"type": "text", "text": "Hi"}
    plain = {"system": [text], "messages": [{"role": "user", "content": [text]}]}
    marked = {"system": [{**text, **mark}], "messages": [{"role": "user", "content": [{**text, **mark}]}]}
    argument = {"messages": [{"role": "user", "content": [{"input": {"cache_control": "x"}}]}]}
    assert canonical(marked, "anthropic-messages") == canonical(plain, "anthropic-messages")
    assert b"cache_control" in canonical(argument, "anthropic-messages")


@pytest.mark.parametrize("dialect", DEFAULTS)
def test_every_default_is_left_out(dialect: str) -> None:
    assert canonical(dict(DEFAULTS[dialect]), dialect) == b"{}"


@pytest.mark.parametrize(
    ("more", "obstacle"),
    [
        ({"previous_response_id": "resp_1"}, "stateful"),
        ({"conversation": "conv_1"}, "stateful"),
        ({"store": True}, "stateful"),
        ({"prompt": {"id": "pmpt_1"}}, "stateful"),
        ({"cachedContent": "cachedContents/1"}, "stateful"),
        ({"mcp_servers": [{"url": "https://mcp.example"}]}, "stateful"),
        ({"n": 2}, "choices"),
        ({"generationConfig": {"candidateCount": 3}}, "choices"),
        ({"tools": [{"type": "web_search"}]}, "hosted_tool"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "hosted_tool"),
        ({"tools": [{"googleSearch": {}}]}, "hosted_tool"),
        ({"tools": [{"functionDeclarations": [], "googleSearch": {}}]}, "hosted_tool"),
        ({"tools": [{"type": 3}]}, "hosted_tool"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, ""),
        ({"tools": [{"name": "f", "input_schema": {}}]}, ""),
        ({"tools": [{"functionDeclarations": []}]}, ""),
        ({"n": 1, "background": False}, ""),
    ],
)
def test_what_is_never_cached(more: dict[str, object], obstacle: str) -> None:
    assert read_request("openai-chat", orjson.dumps({**CHAT, **more})).obstacle == obstacle


def test_a_tool_of_the_provider_may_be_called_safe() -> None:
    for tool in (
        {"type": "web_search"},
        {"type": "web_search_20250305", "name": "web_search"},
        {"web_search": {}},
    ):
        body = orjson.dumps({**CHAT, "tools": [tool]})
        assert read_request("openai-chat", body, {"web_search"}).obstacle == ""


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"a": 1e999}'])
def test_what_cannot_be_read_is_not_cached(body: bytes) -> None:
    assert read_request("openai-chat", body).obstacle in ("unreadable", "")
    assert read_request("openai-chat", b"[").obstacle == "unreadable"


def test_the_temperature_is_found_where_the_format_has_it() -> None:
    assert read_request("openai-chat", b'{"temperature": 0}').temperature == 0
    assert read_request("x", b'{"generationConfig": {"temperature": 1.5}}').temperature == 1.5
    assert read_request("x", b"{}").temperature is None


def test_a_key_depends_on_every_part_and_the_secret() -> None:
    keys = {
        key_of(b"s", b"ab", b"c"),
        key_of(b"s", b"a", b"bc"),
        key_of(b"t", b"ab", b"c"),
        key_of(b"s", b"ab"),
    }
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}
