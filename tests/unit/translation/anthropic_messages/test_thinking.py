"""What may be asked of which Claude together."""

from __future__ import annotations

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
from agent.translation.anthropic_messages.thinking import Manner, generation, manner
from agent.translation.base import NO_QUIRKS, Losses, Quirks

HIGH = Reasoning(effort=Effort.HIGH)


def ask(
    model: str,
    reasoning: Reasoning | None = None,
    *turns: Turn,
    quirks: Quirks = NO_QUIRKS,
    choice: ToolChoice | None = None,
    **sampling: object,
) -> tuple[Manner, tuple[str, ...]]:
    """How the model is asked, and what was lost."""
    losses = Losses(target="anthropic-messages", drop=True)
    conversation = Conversation(
        model=model,
        turns=turns,
        tools=(Tool(name="t"),),
        tool_choice=choice,
        reasoning=reasoning,
        sampling=Sampling(**sampling),  # type: ignore[arg-type]
    )
    return manner(conversation, losses, quirks), losses.settle()


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("claude-3-haiku-20240307", (3, 0)),
        ("claude-3-7-sonnet-20250219", (3, 7)),
        ("claude-3.5-sonnet", (3, 5)),
        ("claude-sonnet-4-20250514", (4, 0)),
        ("claude-opus-4-1", (4, 1)),
        ("anthropic/claude-opus-4.7", (4, 7)),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", (4, 5)),
        ("claude-opus-4-5@20251101", (4, 5)),
        ("claude-fable-5-1", (5, 1)),
        ("claude-opus-5", (5, 0)),
        ("claude-opus-latest", (99, 0)),
        ("deepseek-chat", None),
    ],
)
def test_a_models_name_tells_its_generation(model: str, found: object) -> None:
    assert generation(model) == found


@pytest.mark.parametrize(
    ("model", "reasoning", "thinking", "effort"),
    [
        ("claude-sonnet-4-5", None, None, ""),
        ("claude-sonnet-4-5", HIGH, {"type": "enabled", "budget_tokens": 24_576}, ""),
        (
            "claude-sonnet-4-5",
            Reasoning(budget_tokens=5_000),
            {"type": "enabled", "budget_tokens": 5_000},
            "",
        ),
        ("claude-sonnet-4-5", Reasoning(budget_tokens=5), {"type": "enabled", "budget_tokens": 1_024}, ""),
        ("claude-sonnet-4-5", Reasoning(budget_tokens=-1), {"type": "enabled", "budget_tokens": 10_240}, ""),
        ("claude-opus-4-6", HIGH, {"type": "adaptive"}, "high"),
        ("claude-opus-4-6", Reasoning(effort=Effort.XHIGH), {"type": "adaptive"}, "high"),
        ("claude-opus-4-6", Reasoning(budget_tokens=5_000), {"type": "enabled", "budget_tokens": 5_000}, ""),
        ("claude-opus-4-7", Reasoning(effort=Effort.XHIGH), {"type": "adaptive"}, "xhigh"),
        ("claude-opus-4-7", Reasoning(budget_tokens=5_000), {"type": "adaptive"}, "medium"),
        ("claude-opus-5", Reasoning(effort=Effort.MINIMAL), {"type": "adaptive"}, "low"),
        (
            "claude-opus-5",
            Reasoning(budget_tokens=-1, summary="auto"),
            {"type": "adaptive", "display": "summarized"},
            "",
        ),
        ("claude-opus-5", Reasoning(effort=Effort.NONE), {"type": "disabled"}, ""),
        ("claude-sonnet-4-5", Reasoning(effort=Effort.NONE), None, ""),
        ("claude-opus-4-7", Reasoning(budget_tokens=0), None, ""),
        ("glm-5", HIGH, {"type": "enabled", "budget_tokens": 6_553}, ""),
        ("glm-5", Reasoning(effort=Effort.NONE), {"type": "disabled"}, ""),
    ],
)
def test_each_model_is_asked_in_its_own_way(
    model: str, reasoning: Reasoning | None, thinking: object, effort: str
) -> None:
    how, lost = ask(model, reasoning)
    assert (how.thinking, how.effort, lost) == (thinking, effort, ())


@pytest.mark.parametrize(
    ("unsupported", "thinking"),
    [
        ("reasoning.budget_tokens", {"type": "adaptive"}),
        ("reasoning.effort", {"type": "enabled", "budget_tokens": 24_576}),
    ],
)
def test_a_servers_row_decides_over_the_name(unsupported: str, thinking: object) -> None:
    model = "claude-sonnet-4-5" if unsupported == "reasoning.budget_tokens" else "claude-opus-4-6"
    how, _ = ask(model, HIGH, quirks=Quirks(unsupported=frozenset({unsupported})))
    assert how.thinking == thinking


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-3-haiku-20240307", 4_096),
        ("claude-3-5-haiku-20241022", 8_192),
        ("claude-sonnet-4-5", 32_000),
        ("glm-5", 8_192),
    ],
)
def test_a_limit_is_always_told(model: str, limit: int) -> None:
    assert ask(model)[0].max_tokens == limit
    assert ask(model, quirks=Quirks(default_max_tokens=99))[0].max_tokens == 99
    assert ask(model, max_tokens=7)[0].max_tokens == 7


@pytest.mark.parametrize(("limit", "budget"), [(2_000, 1_600), (8_000, 6_400), (64_000, 24_576)])
def test_a_budget_leaves_room_for_the_answer(limit: int, budget: int) -> None:
    how, _ = ask("claude-sonnet-4-5", HIGH, max_tokens=limit)
    assert how.thinking == {"type": "enabled", "budget_tokens": budget}
    assert how.max_tokens == limit


def test_without_room_to_think_thinking_is_lost() -> None:
    how, lost = ask("claude-sonnet-4-5", HIGH, max_tokens=512)
    assert how.thinking is None
    assert lost == ("reasoning",)


def test_a_budget_beyond_the_limit_is_cut_and_one_without_a_limit_makes_room() -> None:
    budget = Reasoning(budget_tokens=40_000)
    how, _ = ask("claude-sonnet-4-5", budget, max_tokens=10_000)
    assert how.thinking == {"type": "enabled", "budget_tokens": 8_000}
    how, _ = ask("claude-sonnet-4-5", budget)
    assert how.thinking == {"type": "enabled", "budget_tokens": 40_000}
    assert how.max_tokens == 44_096


@pytest.mark.parametrize("use", [ToolUse.REQUIRED, ToolUse.NAMED])
@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-opus-4-7"])
def test_a_forced_tool_counts_more_than_thinking(use: ToolUse, model: str) -> None:
    how, lost = ask(model, HIGH, choice=ToolChoice(use=use, name="t"))
    assert how.thinking is None
    assert lost == ("reasoning",)


def test_a_model_that_cannot_think() -> None:
    how, lost = ask("claude-3-5-haiku-20241022", HIGH)
    assert how.thinking is None
    assert lost == ("reasoning",)


@pytest.mark.parametrize(
    ("sampling", "left", "lost"),
    [
        ({"temperature": 1.0}, {}, ()),
        ({"temperature": 0.2, "top_k": 5}, {}, ("sampling.temperature", "sampling.top_k")),
        ({"top_p": 0.5}, {}, ("sampling.top_p",)),
        ({"top_p": 0.97}, {"top_p": 0.97}, ()),
    ],
)
def test_with_thinking_there_is_no_temperature(
    sampling: dict[str, float], left: dict[str, float], lost: tuple[str, ...]
) -> None:
    how, found = ask("claude-sonnet-4-5", HIGH, **sampling)
    assert how.sampling == Sampling(**left)  # type: ignore[arg-type]
    assert found == lost


@pytest.mark.parametrize(
    ("model", "sampling", "left", "lost"),
    [
        ("claude-opus-4-7", {"temperature": 0.2}, {}, ("sampling.temperature",)),
        ("claude-opus-4-7", {"temperature": 1.0, "top_p": 1.0}, {}, ()),
        ("claude-sonnet-4-5", {"temperature": 0.2, "top_p": 0.9}, {"temperature": 0.2}, ("sampling.top_p",)),
        ("claude-sonnet-4-5", {"temperature": 1.0, "top_p": 0.9}, {"top_p": 0.9}, ()),
        ("claude-3-7-sonnet", {"temperature": 0.2, "top_p": 0.9}, {"temperature": 0.2, "top_p": 0.9}, ()),
        ("glm-5", {"temperature": 0.2, "top_p": 0.9}, {"temperature": 0.2, "top_p": 0.9}, ()),
    ],
)
def test_what_models_take_of_sampling(
    model: str, sampling: dict[str, float], left: dict[str, float], lost: tuple[str, ...]
) -> None:
    how, found = ask(model, **sampling)
    assert how.sampling == Sampling(**left)  # type: ignore[arg-type]
    assert found == lost


SIGNED = Thinking(text="hm", signature="s")
CALL = ToolCall(id="1", name="t")
RESULT = Turn(speaker=Speaker.USER, parts=(ToolResult(call_id="1", parts=()),))
QUESTION = Turn(speaker=Speaker.USER, parts=(Text(text="a"),))


@pytest.mark.parametrize(
    ("parts", "after", "thinks"),
    [
        ((SIGNED, CALL), RESULT, True),
        ((CALL,), RESULT, False),
        ((Thinking(text="unsigned"), CALL), RESULT, False),
        ((Thinking(sealed="x", id="rs_1"), CALL), RESULT, False),
        ((CALL,), QUESTION, True),
    ],
)
def test_in_the_middle_of_a_turn_that_began_without_a_thought_there_is_none(
    parts: tuple[Part, ...], after: Turn, thinks: bool
) -> None:
    """A chat client that sends no thoughts back; the API refuses the request otherwise."""
    made = Turn(speaker=Speaker.ASSISTANT, parts=parts)
    how, lost = ask("claude-sonnet-4-5", HIGH, QUESTION, made, after)
    assert (how.thinking is not None) is thinks
    assert lost == ()
    assert ask("claude-opus-4-7", HIGH, QUESTION, made, after)[0].thinking is not None
