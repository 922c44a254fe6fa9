"""How each family of models behind Converse is told to think."""

from __future__ import annotations

import orjson
import pytest

from agent.model.conversation import (
    Conversation,
    Effort,
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
from agent.translation.base import Losses, Quirks
from agent.translation.bedrock_converse import BedrockConverse
from agent.translation.bedrock_converse.thinking import goes_on_without_thought
from tests.fakes import bedrock

CONVERSE = BedrockConverse()
HELLO = Turn(speaker=Speaker.USER, parts=(Text(text="hi"),))
CALL = ToolCall(id="1", name="weather")
RESULT = Turn(speaker=Speaker.USER, parts=(ToolResult(call_id="1", parts=(Text(text="sun"),)),))


def written(
    family: str, reasoning: Reasoning, *turns: Turn, lost: tuple[str, ...] = (), **others: object
) -> dict[str, object]:
    losses = Losses(target="Bedrock", drop=True)
    conversation = Conversation(model="m", turns=turns or (HELLO,), reasoning=reasoning, **others)  # type: ignore[arg-type]
    body = CONVERSE.write_request(conversation, losses, Quirks(family=family)).body
    assert losses.settle() == lost
    assert bedrock.complaints(body) == []
    document: dict[str, object] = orjson.loads(body)
    del document["messages"]
    document.pop("toolConfig", None)
    return document


@pytest.mark.parametrize(
    ("family", "reasoning", "body"),
    [
        (
            "claude-3.7",
            Reasoning(budget_tokens=2000),
            {
                "inferenceConfig": {"maxTokens": 32000},
                "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            },
        ),
        (
            "claude-3.7",
            Reasoning(effort=Effort.NONE),
            {"additionalModelRequestFields": {"thinking": {"type": "disabled"}}},
        ),
        (
            "claude-4.7",
            Reasoning(effort=Effort.MINIMAL),
            {
                "outputConfig": {"effort": "low"},
                "additionalModelRequestFields": {"thinking": {"type": "adaptive"}},
            },
        ),
        (
            "claude-4.7",
            Reasoning(budget_tokens=0),
            {"additionalModelRequestFields": {"thinking": {"type": "disabled"}}},
        ),
        (
            "nova-2",
            Reasoning(effort=Effort.XHIGH),
            {
                "additionalModelRequestFields": {
                    "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}
                }
            },
        ),
        (
            "nova-2",
            Reasoning(effort=Effort.NONE),
            {"additionalModelRequestFields": {"reasoningConfig": {"type": "disabled"}}},
        ),
        (
            "gpt-oss",
            Reasoning(budget_tokens=-1),
            {"additionalModelRequestFields": {"reasoning_effort": "medium"}},
        ),
        (
            "gpt-oss",
            Reasoning(effort=Effort.NONE),
            {"additionalModelRequestFields": {"reasoning_effort": "low"}},
        ),
        ("", Reasoning(effort=Effort.NONE), {}),
    ],
)
def test_each_family_is_told_in_its_way(family: str, reasoning: Reasoning, body: dict[str, object]) -> None:
    assert written(family, reasoning) == body


def test_a_model_of_no_family_is_not_told_at_all() -> None:
    assert written("", Reasoning(effort=Effort.HIGH), lost=("reasoning",)) == {}


def test_a_budget_leaves_room_for_the_answer() -> None:
    sampling = Sampling(max_tokens=2000)
    body = written("claude-3.7", Reasoning(budget_tokens=9000), sampling=sampling)
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 1600}}
    sampling = Sampling(max_tokens=1000)
    written("claude-3.7", Reasoning(effort=Effort.HIGH), sampling=sampling, lost=("reasoning",))


@pytest.mark.parametrize("family", ["claude-3.7", "claude-4.7"])
def test_who_thinks_is_neither_cooled_nor_narrowed_nor_forced(family: str) -> None:
    think = Reasoning(effort=Effort.LOW)
    sampling = Sampling(max_tokens=9000, temperature=0.5, top_p=0.5, top_k=4)
    lost = ("sampling.temperature", "sampling.top_p", "sampling.top_k")
    assert written(family, think, sampling=sampling, lost=lost)["inferenceConfig"] == {"maxTokens": 9000}
    forced = ToolChoice(use=ToolUse.REQUIRED)
    written(family, think, tools=(Tool(name="weather"),), tool_choice=forced, lost=("reasoning",))


def assistant(*parts: Part) -> Turn:
    return Turn(speaker=Speaker.ASSISTANT, parts=parts)


@pytest.mark.parametrize(
    ("turns", "without"),
    [
        ((HELLO,), False),
        ((HELLO, assistant(CALL), RESULT), True),
        ((HELLO, assistant(Thinking(text="x", signature="s"), CALL), RESULT), False),
        ((HELLO, assistant(Thinking(text="unsigned"), CALL), RESULT), True),
        ((HELLO, assistant(CALL), RESULT, assistant(Text(text="so")), HELLO), False),
    ],
)
def test_a_turn_that_began_without_a_thought_goes_on_without(turns: tuple[Turn, ...], without: bool) -> None:
    assert goes_on_without_thought(turns) is without
    for family in ("claude-3.7", "claude-4.7"):
        body = written(family, Reasoning(effort=Effort.LOW), *turns)  # which tells of no loss
        assert ("additionalModelRequestFields" not in body) is without


def test_what_a_client_says_to_each_family_is_read() -> None:
    for fields, reasoning in (
        ({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}, Reasoning(effort=Effort.LOW)),
        ({"reasoning_config": {"type": "enabled", "budget_tokens": 4000}}, Reasoning(budget_tokens=4000)),
        ({"reasoning_effort": "high"}, Reasoning(effort=Effort.HIGH)),
        ({"thinking": {"type": "disabled"}}, Reasoning(budget_tokens=0)),
        ({"thinking": {"type": "adaptive"}}, Reasoning(budget_tokens=-1)),
    ):
        path, body = bedrock.asked(modelId="m", messages=[], additionalModelRequestFields=fields)
        read = CONVERSE.read_request(path, "", body)
        assert read.reasoning == reasoning
        assert not read.unread
