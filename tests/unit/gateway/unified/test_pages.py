"""What the gateway's own API answers by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from agent.accounts.accounts import Accounts, Principal
from agent.accounts.local import LocalStore
from agent.gateway.accounting import Account
from agent.gateway.routing import Refused
from agent.gateway.transport.base import Headers
from agent.gateway.unified.pages import page
from agent.gateway.unified.routebook import RouteBook
from tests.fakes.accounts import section
from tests.unit.gateway.unified.conftest import BOUND, KEY, NOBODY

SECTION = f"""
virtual_keys: [{{id: ci, {KEY}, providers: [{{provider: local}}], budgets: [{{tokens: 1000, per: day}}]}}]
{BOUND}
"""


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[Accounts]:
    made = Accounts(section(SECTION), store=LocalStore(tmp_path / "a.db"))
    await made.open()
    yield made
    await made.close()


def account(accounts: Accounts) -> Account:
    principal = accounts.principal(None, now=0, user="ann")
    assert isinstance(principal, Principal)
    return Account(accounts, principal)


async def models(
    book: RouteBook, accounts: Accounts, path: str = "/v1/models", fields: Headers = ()
) -> object:
    return orjson.loads(await page(path, fields, book=book, account=account(accounts), accounts=accounts))


async def test_a_key_sees_the_models_that_it_may_use(book: RouteBook, accounts: Accounts) -> None:
    found = await models(book, accounts)
    assert isinstance(found, dict)
    assert [each["id"] for each in found["data"]] == ["fast", "local/small"]


async def test_the_list_is_in_the_shape_that_its_client_knows(book: RouteBook, accounts: Accounts) -> None:
    anthropic = await models(book, accounts, fields=((b"anthropic-version", b"2023-06-01"),))
    gemini = await models(book, accounts, "/v1beta/models")
    assert isinstance(anthropic, dict)
    assert isinstance(gemini, dict)
    assert anthropic["last_id"] == "local/small"
    assert gemini["models"][1]["name"] == "models/local/small"


@pytest.mark.parametrize("name", ["fast", "local/small"])
async def test_one_model_is_told_in_each_clients_shape(
    book: RouteBook, accounts: Accounts, name: str
) -> None:
    openai = await models(book, accounts, f"/v1/models/{name}")
    claude = await models(book, accounts, f"/v1/models/{name}", ((b"anthropic-version", b"2023-06-01"),))
    gemini = await models(book, accounts, f"/v1beta/models/{name}")
    assert isinstance(openai, dict)
    assert isinstance(claude, dict)
    assert isinstance(gemini, dict)
    assert (openai["id"], openai["object"]) == (name, "model")
    assert (claude["id"], claude["type"]) == (name, "model")
    assert gemini["name"] == f"models/{name}"


@pytest.mark.parametrize("name", ["nobody/knows", "openai/gpt-5-nano"], ids=["unknown", "not for this key"])
async def test_a_model_that_is_not_there_for_the_caller_is_not_found(
    book: RouteBook, accounts: Accounts, name: str
) -> None:
    with pytest.raises(Refused) as refused:
        await models(book, accounts, f"/v1/models/{name}")
    assert refused.value.status == 404


async def test_a_key_sees_its_own_quota_and_who_has_none_sees_nothing(
    book: RouteBook, accounts: Accounts
) -> None:
    found = orjson.loads(await page("/v1/quota", (), book=book, account=account(accounts), accounts=accounts))
    assert found["budgets"][0]["limit"] == 1000
    with pytest.raises(Refused) as refused:
        await page("/-/quota", (), book=book, account=NOBODY, accounts=accounts)
    assert refused.value.status == 401


async def test_a_key_that_is_gone_has_no_quota(book: RouteBook, accounts: Accounts) -> None:
    asking = account(accounts)
    await accounts.reload(section("users: []"))
    with pytest.raises(Refused) as refused:
        await page("/v1/quota", (), book=book, account=asking, accounts=accounts)
    assert refused.value.status == 404
