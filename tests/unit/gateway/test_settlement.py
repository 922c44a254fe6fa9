"""The end of an exchange: paid and recorded once, whoever leaves meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.accounts.accounts import Accounts, Principal
from agent.accounts.local import LocalStore
from agent.accounts.meters import Amounts
from agent.accounts.store import Hold, Use
from agent.dialects.base import ParsedRequest
from agent.gateway.accounting import Account
from agent.gateway.ledger import Ledger
from agent.gateway.settlement import Settlement
from agent.gateway.wire import Wire
from agent.model.content import Role, Slot, Usage
from agent.model.record import AuditEvent, CacheUse, Outcome
from tests.fakes.accounts import NOW, section
from tests.fakes.audit import CONNECTION, FakeAudit
from tests.fakes.rulebooks import route_book, rule_book, toy_policy
from tests.fakes.upstream import FakeClient

RULES = rule_book(toy_policy("prices: [{models: ['*'], input: 1000, output: 2000}]"))
KEYS = f"""
virtual_keys: [{{id: ci, hash: 'sha256:{"0" * 64}', budgets: [{{tokens: 1000, per: day}}]}}]
bindings: [{{users: ['*'], key: ci}}]
"""


class SlowStore(LocalStore):
    """Settles when it is let."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.gate = asyncio.Event()
        self.broken = False

    async def settle(self, hold: Hold, used: Amounts, use: Use | None) -> None:
        if self.broken:
            raise RuntimeError("a bug")
        await super().settle(hold, used, use)
        await self.gate.wait()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SlowStore]:
    made = SlowStore(tmp_path / "a.db")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def account(store: SlowStore) -> Account:
    accounts = Accounts(section(KEYS), store=store, prices=route_book(RULES))
    principal = accounts.principal(None, now=NOW, user="ann", intercepted=True)
    assert isinstance(principal, Principal)
    made = Account(accounts, principal, clock=lambda: NOW)
    prompt = Slot(address=(("messages", 0, "content"),), role=Role.USER, text="x" * 40)
    made.informed(ParsedRequest(slots=(prompt,), max_tokens=9))
    assert await made.reserve("openai", "m") is None
    return made


def book(account: Account, audit: FakeAudit, **facts: object) -> Settlement:
    """An exchange that went well, but for `facts`."""
    ledger = Ledger(RULES, CONNECTION, method="POST")
    ledger.dialect, ledger.status, ledger.outcome = "openai-chat", 200, Outcome.COMPLETED
    ledger.usage = Usage(input_tokens=7, output_tokens=2)
    ledger.served_by(provider="openai", model="m")
    ledger.sent()
    for name, value in facts.items():
        setattr(ledger, name, value)
    client = FakeClient()
    return Settlement(ledger, audit, Wire(client.receive, client.send), account, route_book(RULES))


async def test_an_exchange_is_settled_once(account: Account, store: SlowStore) -> None:
    store.gate.set()
    audit = FakeAudit()
    settlement = book(account, audit)
    await asyncio.gather(settlement.settle(), settlement.settle())
    assert (audit.exchange.served.cost_nano_usd, audit.exchange.served.estimated) == (11_000_000, False)


async def test_who_is_cancelled_while_it_is_paid_is_recorded_with_what_it_cost(
    account: Account, store: SlowStore
) -> None:
    audit = FakeAudit()
    settlement = book(account, audit)
    first = asyncio.create_task(settlement.settle())
    await asyncio.sleep(0.02)
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    assert (
        audit.exchange.served.cost_nano_usd == 11_000_000
    )  # the record waits beside the payment, not behind it
    second = asyncio.create_task(settlement.settle())
    await asyncio.sleep(0)
    assert not second.done()  # whoever ends the exchange waits until it is paid for, too
    store.gate.set()
    await second
    assert len(audit.events) == 1


async def test_who_is_cancelled_while_the_trail_is_full_is_recorded(store: SlowStore) -> None:
    class Full(FakeAudit):
        room = asyncio.Event()

        async def append(self, event: AuditEvent) -> None:
            await self.room.wait()
            await super().append(event)

    audit, accounts = Full(), Accounts(section(KEYS), store=store, prices=route_book(RULES))
    settlement = book(Account(accounts, None, clock=lambda: NOW), audit)
    first = asyncio.create_task(settlement.settle())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    audit.room.set()
    await settlement.settle()
    assert len(audit.events) == 1


async def test_an_account_that_cannot_be_settled_keeps_no_record_back(
    account: Account, store: SlowStore
) -> None:
    store.broken = True
    audit = FakeAudit()
    await book(account, audit).settle()
    assert audit.exchange.served.cost_nano_usd is None


async def test_a_trail_that_cannot_be_written_stops_nobody(
    account: Account, store: SlowStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.gate.set()
    audit = FakeAudit()
    audit.broken = True
    await book(account, audit).settle()
    assert "audit event lost" in caplog.text


@pytest.mark.parametrize(
    ("facts", "cost"),
    [
        ({"status": 500, "usage": Usage()}, None),
        ({"status": None, "usage": Usage(), "outcome": Outcome.UPSTREAM_FAILED}, None),
        ({"status": None, "usage": Usage(), "outcome": Outcome.CLIENT_CLOSED}, 21_000_000),  # its prompt
        ({"status": 400}, 11_000_000),  # blocked, and paid for
    ],
)
async def test_what_may_have_been_charged_is_paid(
    account: Account, store: SlowStore, facts: dict[str, object], cost: int | None
) -> None:
    store.gate.set()
    audit = FakeAudit()
    await book(account, audit, **facts).settle()
    found = audit.exchange.served.cost_nano_usd
    assert (found or None) == cost


async def test_an_answer_out_of_the_cache_costs_nothing(account: Account, store: SlowStore) -> None:
    store.gate.set()
    audit = FakeAudit()
    settlement = book(account, audit)
    settlement.ledger.served_by(cache=CacheUse.EXACT)
    await settlement.settle()
    assert audit.exchange.served.cost_nano_usd == 0
