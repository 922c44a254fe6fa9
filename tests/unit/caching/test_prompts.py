"""Only the last words of a short conversation are compared by meaning; everything else must be equal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.caching.prompts import Prompt, prompt_of
from agent.model.conversation import (
    CacheHint,
    Conversation,
    Media,
    MediaKind,
    OutputFormat,
    OutputKind,
    Part,
    Reasoning,
    Sampling,
    Speaker,
    Text,
    Tool,
    ToolResult,
    Turn,
)
from agent.policy.caching import Semantic

SETTINGS = Semantic(max_history=2, max_prompt_chars=40)


def turn(speaker: Speaker, *parts: Part | str) -> Turn:
    return Turn(
        speaker=speaker, parts=tuple(Text(text=each) if isinstance(each, str) else each for each in parts)
    )


SYSTEM = turn(Speaker.SYSTEM, "Be brief.")
ASKS = turn(Speaker.USER, "What is TCP?")
PLAIN = Conversation(model="m", turns=(SYSTEM, ASKS))
PICTURE = Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAAA")


def read(conversation: Conversation, settings: Semantic = SETTINGS) -> Prompt:
    prompt = prompt_of(conversation, settings)
    assert prompt is not None
    return prompt


def test_the_last_words_are_the_text() -> None:
    assert read(PLAIN).text == "What is TCP?"
    assert read(replace(PLAIN, turns=(SYSTEM, ASKS, turn(Speaker.USER, "Briefly.")))).text.endswith(
        "\nBriefly."
    )


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAIN, turns=(turn(Speaker.SYSTEM, "Be verbose."), ASKS)),
        replace(PLAIN, turns=(SYSTEM, ASKS, turn(Speaker.ASSISTANT, "A protocol."), ASKS)),
        replace(PLAIN, turns=(SYSTEM, turn(Speaker.USER, "What is TCP?", PICTURE))),
        replace(PLAIN, tools=(Tool(name="f"),)),
        replace(PLAIN, sampling=Sampling(temperature=0.1)),
        replace(PLAIN, reasoning=Reasoning(budget_tokens=0)),
        replace(PLAIN, output=OutputFormat(kind=OutputKind.JSON)),
    ],
)
def test_everything_else_must_be_equal(other: Conversation) -> None:
    assert read(other).rest != read(PLAIN).rest


def test_marks_for_the_providers_cache_and_the_last_words_are_not_part_of_the_rest() -> None:
    marked = Text(text="Be brief.", cache=CacheHint())
    other = replace(PLAIN, turns=(turn(Speaker.SYSTEM, marked), turn(Speaker.USER, "Explain TCP.")))
    assert read(other).rest == read(PLAIN).rest


def test_policy_may_leave_system_prompts_out() -> None:
    settings = Semantic(ignore_system_prompt=True)
    assert read(replace(PLAIN, turns=(ASKS,)), settings).rest == read(PLAIN, settings).rest


@pytest.mark.parametrize(
    "conversation",
    [
        replace(PLAIN, turns=(SYSTEM,)),
        replace(PLAIN, turns=(ASKS, turn(Speaker.ASSISTANT, "A protocol."))),
        replace(
            PLAIN, turns=(ASKS, turn(Speaker.ASSISTANT, "A."), ASKS, turn(Speaker.ASSISTANT, "B."), ASKS)
        ),
        replace(PLAIN, turns=(turn(Speaker.USER, "x" * 41),)),
        replace(PLAIN, turns=(turn(Speaker.USER, "  "),)),
        replace(PLAIN, turns=(turn(Speaker.USER, ToolResult(call_id="c", parts=()), "Go on."),)),
        replace(PLAIN, unread=("logit_bias",)),
        replace(PLAIN, unread=("tools[2].type=web_search",)),
    ],
)
def test_what_is_only_cached_exactly(conversation: Conversation) -> None:
    assert prompt_of(conversation, SETTINGS) is None


def test_fields_that_change_no_answer_need_not_be_understood() -> None:
    assert read(replace(PLAIN, unread=("metadata.request", "prompt_cache_key"))) == read(PLAIN)
