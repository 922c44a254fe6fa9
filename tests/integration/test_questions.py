"""A person who is asked gives a reason at the terminal, and the same request passes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import DIALECTS, Dialect, made_up_key
from tests.integration.stage import Dial, Stage, dialling

ASKING = """\
schema_version: 1
id: asking
access:
  - {id: largest, when: "size > 5000", action: block, message: "Too large. Ref {ref}."}
guardrails:
  - {id: trial, detect: [secret], action: block, shadow: true}
  - {id: secrets, detect: [secret], where: [prompt, tool_result], action: ask}
"""


@pytest.fixture(scope="module")
def asking(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent that asks about secrets."""
    with stage.agent(tmp_path_factory.mktemp("asking"), policy=ASKING) as agent:
        yield agent


@pytest.fixture
def dial(asking: AgentProcess) -> Iterator[Dial]:
    """Opens lines to it."""
    with dialling(asking) as dial:
        yield dial


pytestmark = pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")


def at_terminal(agent: AgentProcess, *arguments: str) -> CompletedProcess[str]:
    """A command of ours, as a person runs it."""
    theirs, ours = os.openpty()
    try:
        return agent.drawbridge(*arguments, "--policy", str(agent.directory / "policy.yaml"), stdin=ours)
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_with_a_reason_the_same_request_passes_and_no_other(
    asking: AgentProcess, dial: Dial, provider: Provider, dialect: Dialect
) -> None:
    key = made_up_key()
    line = dial(dialect.host)
    refused = line.ask("POST", dialect.target(), dialect.body(f"my key is {key}"))
    ref = refused.headers["x-drawbridge-ref"]
    assert f"drawbridge explain {ref} --justify" in dialect.error_message(refused.document)
    assert provider.requests == ()

    told = at_terminal(asking, "explain", ref, "--justify", "a key that is revoked")
    assert told.returncode == 0, told.stderr
    assert line.ask("POST", dialect.target(), dialect.body(f"my key is {key}")).status == 200
    assert key in provider.requests[-1].body.decode()
    assert (
        line.ask("POST", dialect.target(), dialect.body(f"not {key} but {made_up_key()}")).status
        == refused.status
    )

    events = [asking.trail.show(row.id).document for row in asking.trail.events(kind="exchange", limit=2)]
    decision = events[1]["unmapped"]["drawbridge"]["decision"]  # type: ignore[index, call-overload]
    assert decision["action"] == "alert"
    reasons = {hit["guardrail"]: hit.get("justification") for hit in decision["hits"]}
    assert reasons == {"trial": None, "secrets": "a key that is revoked"}
    assert key not in json.dumps(events)
    assert key not in asking.paths.justifications.read_text()


def test_a_request_that_is_too_large_is_refused_in_the_words_of_the_rule(
    dial: Dial, provider: Provider
) -> None:
    dialect = DIALECTS[0]
    refused = dial(dialect.host).ask("POST", dialect.target(), dialect.body("x" * 5001))
    assert dialect.error_message(refused.document).startswith("Too large. Ref ")
    assert dial(dialect.host).ask("POST", dialect.target(), dialect.body("x" * 4000)).status == 200
    assert len(provider.requests) == 1


def test_an_agent_without_a_terminal_cannot_give_the_reason_itself(asking: AgentProcess, dial: Dial) -> None:
    dialect = DIALECTS[0]
    refused = dial(dialect.host).ask("POST", dialect.target(), dialect.body(f"my key is {made_up_key()}"))
    ref = refused.headers["x-drawbridge-ref"]
    told = asking.drawbridge("explain", ref, "--justify", "the task needs it")
    assert told.returncode == 1
    assert "given at a terminal" in told.stderr
