"""The end of an exchange: paid once, recorded once, whoever leaves meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.accounts.accounts import ANYBODY, Accounts
from agent.accounts.local import LocalStore
from agent.gateway.accounting import Account
from agent.gateway.ledger import Ledger
from agent.gateway.settlement import Settlement, append
from agent.gateway.wire import Wire
from agent.inspection import RuleBook
from agent.model.content import Usage
from agent.model.conversation import TokenCount
from agent.model.record import CacheUse
from agent.model.traffic import Connection, Tier
from tests.fakes.audit import FakeAudit, make_incident
from tests.fakes.rulebooks import rule_book, toy_policy
from tests.fakes.upstream import FakeClient
from tests.unit.gateway.unified.conftest import PROVIDERS, book_of


class SlowAccount(Account):
    """Waits where a store would, and says how often it was asked."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__(Accounts(None, store=LocalStore(Path("never-opened.db"))), ANYBODY)
        self.waiting = asyncio.Event()
        self.asked = 0
        self._broken = broken

    async def settle(
        self,
        provider: str,
        model: str,
        tokens: TokenCount,
        *,
        characters: int,
        answered: bool,
        left: bool = False,
    ) -> tuple[int | None, bool]:
        self.asked += 1
        await self.waiting.wait()
        if self._broken:
            raise RuntimeError
        return await super().settle(
            provider, model, tokens, characters=characters, answered=answered, left=left
        )


@pytest.fixture
def rules() -> RuleBook:
    return rule_book(toy_policy(PROVIDERS))


def settlement(rules: RuleBook, account: Account, audit: FakeAudit) -> Settlement:
    ledger = Ledger(rules, Connection(id="c", tier=Tier.BASE_URL), method="POST")
    ledger.dialect, ledger.status = "openai-chat", 200
    ledger.usage = Usage(input_tokens=1000, output_tokens=500)
    ledger.served_by(provider="local", model="deployed-7")
    client = FakeClient()
    return Settlement(ledger, audit, Wire(client.receive, client.send), account, book_of())


async def test_an_exchange_is_paid_and_recorded_once(rules: RuleBook) -> None:
    account, audit = SlowAccount(), FakeAudit()
    account.waiting.set()
    book = settlement(rules, account, audit)
    await book.settle()
    await book.settle()
    assert account.asked == 1
    assert audit.exchange.served.cost_nano_usd == 2_000_000  # at the policy's price for the name `small`


async def test_who_leaves_in_the_middle_is_recorded_all_the_same(rules: RuleBook) -> None:
    account, audit = SlowAccount(), FakeAudit()
    book = settlement(rules, account, audit)
    first = asyncio.ensure_future(book.settle())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    assert audit.exchanges == []
    account.waiting.set()
    await book.settle()
    assert audit.exchange.served.cost_nano_usd == 2_000_000


async def test_an_account_that_fails_costs_nobody_the_record(
    rules: RuleBook, caplog: pytest.LogCaptureFixture
) -> None:
    audit = FakeAudit()
    book = settlement(rules, account := SlowAccount(broken=True), audit)
    account.waiting.set()
    caplog.set_level("CRITICAL")
    await book.settle()
    assert audit.exchange.status == 200


async def test_what_was_said_before_costs_nothing(rules: RuleBook) -> None:
    account, audit = SlowAccount(), FakeAudit()
    account.waiting.set()
    book = settlement(rules, account, audit)
    book.ledger.served_by(cache=CacheUse.EXACT)
    await book.settle()
    assert audit.exchange.served.cost_nano_usd == 0


async def test_a_trail_that_is_broken_is_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    audit = FakeAudit()
    audit.broken = True
    await append(audit, make_incident())
    assert "audit event lost" in caplog.text
