"""What one exchange owes: reserved before each try, settled once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.accounts.accounts import Accounts, Principal
from agent.accounts.denials import Kind
from agent.accounts.local import LocalStore
from agent.dialects.base import ParsedRequest
from agent.gateway.accounting import Account, measured
from agent.model.content import Attachment, Role, Slot
from agent.model.conversation import NO_COUNT, TokenCount
from tests.fakes.accounts import NOW, Prices, section


def said(text: str) -> Slot:
    return Slot(address=(("messages", 0, "content"),), role=Role.USER, text=text)


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[Accounts]:
    text = f"""
virtual_keys: [{{id: ci, hash: 'sha256:{"0" * 64}', budgets: [{{tokens: 1000, per: day}}]}}]
bindings: [{{users: ['*'], key: ci}}]
assumed_output_tokens: 50
"""
    made = Accounts(section(text), store=LocalStore(tmp_path / "a.db"))
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def account(accounts: Accounts) -> Account:
    principal = accounts.principal(None, now=NOW, user="ann", intercepted=True)
    assert isinstance(principal, Principal)
    made = Account(accounts, principal, clock=lambda: NOW)
    made.informed(ParsedRequest(slots=(said("x" * 400),)))
    return made


async def used(accounts: Accounts) -> int:
    report = await accounts.quota("ci", NOW)
    assert report is not None
    [(_, reading)] = report.meters
    return reading.used


async def test_what_the_provider_counted_takes_the_place_of_the_worst_case(
    accounts: Accounts, account: Account
) -> None:
    assert await account.reserve("openai", "m") is None
    assert await used(accounts) > 100
    await account.settle("openai", "m", TokenCount(input=90, output=7), characters=30, answered=True)
    assert await used(accounts) == 97


async def test_another_provider_takes_the_place_of_the_one_that_failed(
    accounts: Accounts, account: Account
) -> None:
    await account.reserve("openai", "m")
    reserved = await used(accounts)
    await account.reserve("anthropic", "m")
    assert await used(accounts) == reserved
    await account.settle("anthropic", "m", TokenCount(input=5, output=5), characters=0, answered=True)
    assert await used(accounts) == 10


async def test_of_two_that_race_only_the_winner_is_paid(accounts: Accounts, account: Account) -> None:
    await account.reserve("openai", "m", beside=True)
    await account.reserve("anthropic", "m", beside=True)
    await account.settle("openai", "m", TokenCount(input=5, output=5), characters=0, answered=True)
    assert await used(accounts) == 10


async def test_where_nobody_counted_the_answers_characters_do(accounts: Accounts, account: Account) -> None:
    await account.reserve("openai", "m")
    _, estimated = await account.settle("openai", "m", NO_COUNT, characters=400, answered=True)
    assert estimated
    assert 190 <= await used(accounts) <= 260


async def test_a_first_count_of_a_stream_that_broke_off_is_no_count(
    accounts: Accounts, account: Account
) -> None:
    await account.reserve("openai", "m")
    count = TokenCount(input=90, output=1)
    _, estimated = await account.settle("openai", "m", count, characters=400, answered=True)
    assert (estimated, await used(accounts)) == (True, 191)


async def test_a_call_that_was_not_answered_costs_nothing(accounts: Accounts, account: Account) -> None:
    await account.reserve("openai", "m")
    await account.settle("openai", "m", NO_COUNT, characters=0, answered=False)
    await account.settle(
        "openai", "m", TokenCount(input=9, output=9), characters=9, answered=True
    )  # too late
    assert await used(accounts) == 0


async def test_what_does_not_fit_is_denied(account: Account) -> None:
    account.informed(ParsedRequest(slots=(said("x"),), max_tokens=5000))
    denial = await account.reserve("openai", "m")
    assert denial is not None
    assert denial.kind is Kind.BUDGET_EXCEEDED


async def test_only_an_answer_without_bound_is_given_one(account: Account) -> None:
    await account.reserve("openai", "m")
    assert account.bound == 50
    account.informed(ParsedRequest(max_tokens=7))
    assert account.bound is None


async def test_who_wants_a_prompt_kept_for_an_hour_reserves_that(tmp_path: Path) -> None:
    class Kept(Prices):
        def cost(self, provider: str, model: str, tokens: TokenCount, at: float) -> int | None:
            return (tokens.cache_write_1h or 0) + 1

    text = "virtual_keys: [{id: ci, budgets: [{usd: 1, per: day}]}]\nbindings: [{users: ['*'], key: ci}]"
    accounts = Accounts(section(text), store=LocalStore(tmp_path / "a.db"), prices=Kept())
    await accounts.open()
    principal = accounts.principal(None, now=NOW, user="ann", intercepted=True)
    assert isinstance(principal, Principal)
    for body, kept in (
        (b'{"ttl": "1h"}', True),
        (b'{"ttl":"\\u0031\\u0068"}', True),
        (b'{"ttl":"5m"}', False),
    ):
        account = Account(accounts, principal, clock=lambda: NOW)
        account.informed(ParsedRequest(slots=(said("x" * 400),), max_tokens=1), body=body)
        await account.reserve("anthropic", "m")
        assert (await used(accounts) > 100) is kept
        await account.settle("anthropic", "m", NO_COUNT, characters=0, answered=False)
    await accounts.close()


@pytest.mark.parametrize("request_", [ParsedRequest(max_tokens=2**63), ParsedRequest(answers=2**63)])
async def test_no_number_is_too_large_to_be_refused(account: Account, request_: ParsedRequest) -> None:
    account.informed(request_)
    denial = await account.reserve("openai", "m")
    assert denial is not None
    assert denial.kind is Kind.BUDGET_EXCEEDED


async def test_without_accounts_nothing_is_counted(tmp_path: Path) -> None:
    account = Account(Accounts(None, store=LocalStore(tmp_path / "never.db")))
    assert await account.reserve("openai", "m") is None
    assert account.bound is None
    assert await account.settle("openai", "m", NO_COUNT, characters=5, answered=True) == (None, True)


def test_the_size_of_a_request_is_that_of_its_texts_and_pictures() -> None:
    picture = Attachment(kind="image", media_type="image/png", size=5)
    inner = Slot(address=(*said("abc").address, ("b",)), role=Role.USER, text="told already")
    found = measured(ParsedRequest(slots=(said("abc"), said("é"), inner), attachments=(picture,)))
    assert (found.text_bytes, found.images) == (5, 1)


async def test_an_answer_of_an_earlier_try_is_charged_where_it_was_given(
    accounts: Accounts, account: Account
) -> None:
    await account.reserve("openai", "m")
    await account.reserve("anthropic", "m")
    await account.settle("openai", "m", TokenCount(input=5, output=6), characters=0, answered=True)
    assert await used(accounts) == 11
    assert not account.owes


async def test_what_nobody_served_is_released(accounts: Accounts, account: Account) -> None:
    await account.reserve("openai", "m")
    assert account.owes
    await account.settle("", "", NO_COUNT, characters=0, answered=True)
    assert await used(accounts) == 0
