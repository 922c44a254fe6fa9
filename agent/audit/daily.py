"""The exchanges of a day as sums are made of them, read from the trail backwards: who asked, and what became of it.

Read-only, beside a running agent. Blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from agent.audit.store import open_for_reading
from agent.host.paths import StatePaths

MOST = 200_000  # exchanges that one look reads
_SLACK_MS = 3_600_000  # an exchange is recorded when it ends and bears the time at which it began
_FACTS = (
    "$.actor.user.name",
    "$.unmapped.drawbridge.decision.applied",
    "$.unmapped.drawbridge.served.virtual_key",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One exchange. Empty where it is not known."""

    seq: int
    time_ms: int
    user: str  # the account of the machine that ran the program
    app: str
    model: str
    decision: str  # the action's word
    applied: bool  # whether the decision was carried out
    outcome: str
    virtual_key: str


def asked_since(paths: StatePaths, moment: float, *, after: int = 0) -> tuple[Asked, ...]:
    """The exchanges since `moment` (Unix seconds) whose number in the chain is above `after`, newest first. Raises
    AuditError."""
    since_ms = int(moment * 1000)
    found: list[Asked] = []
    with open_for_reading(paths) as store:
        rows = store.connection.execute(
            "SELECT seq, time_ms, app, model, decision, outcome, json_extract(CAST(body AS TEXT), ?2, ?3, ?4)"
            " FROM event WHERE kind = 'exchange' AND seq > ?1 ORDER BY seq DESC LIMIT ?5",
            (after, *_FACTS, MOST),
        )
        for seq, time_ms, app, model, decision, outcome, facts in rows:
            if time_ms < since_ms - _SLACK_MS:
                break
            if time_ms < since_ms:
                continue
            user, applied, virtual_key = orjson.loads(facts)
            found.append(
                Asked(
                    seq=seq,
                    time_ms=time_ms,
                    user=user or "",
                    app=app,
                    model=model,
                    decision=decision,
                    applied=bool(applied),
                    outcome=outcome,
                    virtual_key=virtual_key or "",
                )
            )
    return tuple(found)
