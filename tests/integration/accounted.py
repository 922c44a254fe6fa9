"""An agent that counts what a virtual key uses, and a client that shows that key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent.accounts.keys import hashed, new_key
from tests.integration.agent_process import AgentProcess
from tests.integration.line import Answer
from tests.integration.prompts import CHAT
from tests.integration.stage import Stage, dialling

KEY = new_key()
POLICY = f"""\
schema_version: 1
id: accounted
providers:
  openai: {{{{key: "env:HOUSE_KEY"}}}}
accounts:
  virtual_keys:
    - id: person
      hash: "{hashed(KEY)}"
      {{more}}
"""
ONE_A_DAY = "limits: {requests_per_day: 1}"


def accounted(
    stage: Stage,
    directory: Path,
    *,
    more: str = ONE_A_DAY,
    environ: Mapping[str, str] | None = None,
    supervise: tuple[str, ...] | None = None,
) -> AgentProcess:
    """The agent, not started; `more` are rows of the key."""
    return stage.agent(
        directory,
        policy=POLICY.format(more=more),
        environ={"HOUSE_KEY": "the-houses", **(environ or {})},
        supervise=supervise,
    )


def asked(agent: AgentProcess) -> Answer:
    """The answer to a prompt at the gateway."""
    with dialling(agent) as dial:
        fields = (("Content-Type", "application/json"), ("Authorization", f"Bearer {KEY}"))
        return dial.gateway().ask("POST", "/openai" + CHAT.target(), CHAT.body("hello"), fields=fields)
