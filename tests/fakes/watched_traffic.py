"""An observatory that has seen some of everything, for those who show it."""

from __future__ import annotations

import ssl
from dataclasses import replace

from agent.checks.http import HttpConfig
from agent.model.decision import Action
from agent.model.record import Attempt, CacheUse, Outcome, Served, Timing
from agent.telemetry.observatory import Observatory, Surroundings
from agent.telemetry.present import BudgetUse, KeyHealth, Snapshot
from tests.fakes.audit import CONNECTION, NOW, decided, make_block, make_exchange

SNAPSHOT = Snapshot(
    keys=(
        KeyHealth(provider="openai", key="main", state="healthy", usable=True),
        KeyHealth(provider="azure", key="eu", state="cooling", usable=False),
    ),
    budgets=(BudgetUse(owner="virtual_key/ci", unit="usd", period="month", used=46, limit=50),),
    spent_today_nano_usd=12_340_000_000,
)
ROUTED = Served(
    provider="openai",
    model="gpt-5",
    attempts=(
        Attempt(provider="azure", model="gpt-5", failure="rate_limited"),
        Attempt(provider="openai", model="gpt-5"),
    ),
    cost_nano_usd=12_345_678,
    cache=CacheUse.MISS,
)


def empty(snapshot: Snapshot = SNAPSHOT) -> Observatory:
    """One that has seen nothing."""
    return Observatory(
        Surroundings(
            secret=str,
            http=HttpConfig(context=ssl.create_default_context),
            snapshot=lambda: snapshot,
            clock=lambda: NOW + 5,
        )
    )


def busy() -> Observatory:
    """One that has seen six exchanges."""
    observatory = empty()
    for exchange in (
        make_exchange(),
        make_exchange(served=ROUTED),
        make_exchange(decision=decided(Action.REDACT)),
        make_block(),
        make_exchange(
            outcome=Outcome.UPSTREAM_FAILED,
            connection=replace(CONNECTION, app="an app with a very long name indeed"),
            timing=Timing(total_ms=123_456, overhead_ms=1),
        ),
        make_exchange(outcome=Outcome.CLIENT_CLOSED, model="", usage=make_exchange().usage, stream=False),
    ):
        observatory.observe(exchange)
    return observatory
