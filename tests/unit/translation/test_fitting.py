"""A conversation cut to what a server takes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.model.conversation import (
    Conversation,
    Effort,
    OutputFormat,
    OutputKind,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
    ToolUse,
)
from agent.translation.base import Losses, Quirks, Untranslatable
from agent.translation.fitting import asks, fitted

FULL = Conversation(
    model="m",
    turns=(),
    tools=(Tool(name="t", strict=True),),
    tool_choice=ToolChoice(use=ToolUse.REQUIRED, parallel=False),
    sampling=Sampling(temperature=0.5, seed=7, stop=("x",), choices=1, logprobs=False),
    reasoning=Reasoning(effort=Effort.LOW),
    output=OutputFormat(kind=OutputKind.JSON),
    user="u",
)


def fit(*unsupported: str, drop: bool = True) -> tuple[Conversation, Losses]:
    losses = Losses(target="t", drop=drop)
    return fitted(FULL, Quirks(unsupported=frozenset(unsupported)), losses), losses


def test_a_server_that_refuses_nothing_gets_the_conversation_itself() -> None:
    found, losses = fit()
    assert found is FULL
    assert losses.settle() == ()


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("sampling.temperature", lambda found: found.sampling.temperature),
        ("sampling.seed", lambda found: found.sampling.seed),
        ("sampling.stop", lambda found: found.sampling.stop),
        ("reasoning", lambda found: found.reasoning),
        ("output", lambda found: found.output),
        ("tools", lambda found: found.tools or found.tool_choice),
        ("tool_choice", lambda found: found.tool_choice),
        ("tool_choice.parallel", lambda found: found.tool_choice.parallel),
        ("user", lambda found: found.user),
    ],
)
def test_what_it_refuses_is_gone_and_told(name: str, left: Callable[[Conversation], object]) -> None:
    found, losses = fit(name)
    assert not left(found)
    assert losses.settle() == (name,)


@pytest.mark.parametrize("name", ["sampling.choices", "sampling.logprobs", "sampling.top_p"])
def test_what_asks_for_nothing_is_no_loss(name: str) -> None:
    found, losses = fit(name)
    assert getattr(found.sampling, name.removeprefix("sampling.")) is None
    assert losses.settle() == ()


def test_a_loss_that_policy_does_not_allow_is_refused_by_name() -> None:
    _, losses = fit("sampling.seed", "user", drop=False)
    with pytest.raises(Untranslatable, match=r"sampling\.seed, user"):
        losses.settle()


def test_exact_schemas_are_a_wish() -> None:
    found, losses = fit("tools.strict")
    assert found.tools[0].strict is None
    assert losses.settle() == ()


@pytest.mark.parametrize(
    ("sampling", "name", "asked"),
    [
        (Sampling(temperature=1.0), "temperature", False),
        (Sampling(temperature=0.0), "temperature", True),
        (Sampling(presence_penalty=0.0), "presence_penalty", False),
        (Sampling(choices=2), "choices", True),
        (Sampling(), "seed", False),
        (Sampling(seed=0), "seed", True),
    ],
)
def test_asking_for_something(sampling: Sampling, name: str, asked: bool) -> None:
    assert asks(sampling, name) is asked
