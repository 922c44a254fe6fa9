"""No field of a request is lost silently: what a reader does not know it names, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from agent.errors import ContentError
from agent.model.conversation import (
    CacheHint,
    Conversation,
    Media,
    MediaKind,
    OutputFormat,
    OutputKind,
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
from agent.translation.base import Losses, Quirks, Translator
from agent.translation.registry import TRANSLATORS
from tests.contract.translation.meaning import path_for

NEW = "zzNewField"
CLIENTS_OWN = frozenset(  # values in which any key may stand
    (
        "args",
        "arguments",
        "input",
        "input_schema",
        "json",
        "json_schema",
        "parameters",
        "parametersJsonSchema",
        "response",
        "responseJsonSchema",
        "schema",
    )
)
HINT = CacheHint(ttl="1h")
SCHEMA = {"type": "object", "properties": {"town": {"type": "string"}}}
RICH = Conversation(
    model="m",
    turns=(
        Turn(speaker=Speaker.SYSTEM, parts=(Text(text="Be brief.", cache=HINT), Text(text="Be kind."))),
        Turn(
            speaker=Speaker.USER,
            parts=(
                Text(text="Look", cache=HINT),
                Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC", cache=HINT),
                Media(kind=MediaKind.IMAGE, url="https://images.example/a.png"),
                Media(kind=MediaKind.DOCUMENT, media_type="application/pdf", data="AAEC", name="a.pdf"),
            ),
        ),
        Turn(
            speaker=Speaker.ASSISTANT,
            parts=(
                Thinking(text="hm", signature="c2ln"),
                Thinking(sealed="c2VhbA=="),
                Text(text="I ask."),
                ToolCall(id="c1", name="weather", arguments='{"town":"Bern"}'),
            ),
        ),
        Turn(
            speaker=Speaker.USER,
            parts=(ToolResult(call_id="c1", name="weather", parts=(Text(text="a"), Text(text="b"))),),
        ),
    ),
    tools=(
        Tool(name="weather", description="d", parameters=SCHEMA, cache=HINT),
        Tool(name="time", parameters=SCHEMA),
    ),
    tool_choice=ToolChoice(use=ToolUse.NAMED, name="weather", parallel=False),
    sampling=Sampling(max_tokens=9000, temperature=0.5, top_k=3, stop=("x",)),
    output=OutputFormat(kind=OutputKind.SCHEMA, name="n", schema=SCHEMA),
    stream=True,
    user="ada",
)
THINKING = Conversation(
    model="m",
    turns=(Turn(speaker=Speaker.USER, parts=(Text(text="a"),)),),
    reasoning=Reasoning(budget_tokens=2000, summary="auto"),
)
STILL_SILENT = {
    "openai-chat": 27,
    "openai-responses": 0,
    "anthropic-messages": 27,
    "gemini-generate-content": 0,
    "bedrock-converse": 0,
    "cohere-chat": 0,
}
"""How many places of these two requests a reader does not look at. A ratchet: it may only get smaller."""


def places(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the format's own."""
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            if key not in CLIENTS_OWN or isinstance(inner, list):
                yield from places(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, f"{path}[{index}]")


def silent(translator: Translator, conversation: Conversation) -> Iterator[str]:
    """Where a new field goes unnoticed."""
    losses = Losses(target=translator.name, drop=True)
    accepted = frozenset(("cache_control", "reasoning_details", "reasoning_content", "top_k"))
    body = translator.write_request(conversation, losses, Quirks(family="claude-3.7", accepts=accepted)).body
    path, query = path_for(translator, conversation.model)
    for index, (where, _) in enumerate(places(orjson.loads(body))):
        document = orjson.loads(body)
        list(places(document))[index][1][NEW] = {"asks": "for something"}
        try:
            read = translator.read_request(path, query, orjson.dumps(document))
        except ContentError:
            continue
        if not any(NEW in each for each in read.unread):
            yield where


@pytest.mark.parametrize("translator", TRANSLATORS, ids=lambda translator: translator.name)
def test_a_new_field_is_named_or_refused_wherever_it_stands(translator: Translator) -> None:
    unnoticed = [*silent(translator, RICH), *silent(translator, THINKING)]
    assert len(unnoticed) == STILL_SILENT[translator.name], unnoticed
