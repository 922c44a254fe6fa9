"""How the gateway stands, as operators are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.accounts.accounts import Accounts
from agent.accounts.local import LocalStore
from agent.gateway.standing import Standing
from agent.routing.failures import Cause, Failure
from agent.routing.health import HealthBook
from tests.fakes.accounts import NOW, section

ROUTE = ("openai", "main", "m")


class Trail:
    """Implements `standing.Trail`."""

    waiting = 3
    count = 40


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[Accounts]:
    text = f"virtual_keys: [{{id: ci, hash: 'sha256:{'0' * 64}', budgets: [{{usd: 2, per: day}}]}}]"
    made = Accounts(section(text), store=LocalStore(tmp_path / "a.db"))
    await made.open()
    yield made
    await made.close()


async def test_budgets_are_told_with_what_is_used_of_them(accounts: Accounts) -> None:
    standing = Standing(accounts, HealthBook(), Trail(), now=lambda: NOW)
    assert standing().budgets == ()
    await standing.refresh()
    [budget] = standing().budgets
    assert (budget.owner, budget.unit, budget.used, budget.limit) == ("key/ci", "usd", 0.0, 2.0)
    assert (standing().audit_waiting, standing().audit_events) == (3, 40)


async def test_a_key_that_fails_is_told_as_unusable(accounts: Accounts) -> None:
    health = HealthBook()
    standing = Standing(accounts, health, Trail(), clock=lambda: 10.0)
    for _ in range(20):
        health.began(ROUTE, 9.0)
        health.failed(ROUTE, Failure(cause=Cause.CONNECT), 9.0)
        health.released(ROUTE)
    [key] = standing().keys
    assert (key.provider, key.key, key.usable) == ("openai", "main", False)
