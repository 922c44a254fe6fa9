"""The verbs of signing in, asked by real accounts over a real socket, with a provider behind them."""

from __future__ import annotations

import asyncio
import getpass
import os
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.checks.http import HttpConfig
from agent.control.caller import Caller
from agent.control.client import Control
from agent.control.reading import Sources
from agent.control.service import ControlService
from agent.control.signing_in import account_of
from agent.control.verbs import Role
from agent.errors import ConfigError
from agent.model.record import IncidentKind
from agent.signin.keeping import Keeper
from agent.signin.terms import Terms
from agent.signin.verification import Verifier
from agent.signin.web import HttpxWeb
from tests.fakes.identity_provider import CLIENT, IdentityProvider, identity_provider
from tests.unit.control.test_service import built

ME = getpass.getuser()


@dataclass
class Desk:
    """An agent that listens, and its provider."""

    provider: IdentityProvider
    keeper: Keeper
    control: Control
    service: ControlService
    noted: list[tuple[IncidentKind, str, dict[str, str]]]

    async def ask(self, verb: str, **arguments: object) -> dict[str, Any]:
        return await asyncio.to_thread(self.control.ask, verb, arguments)

    async def sign_in(self) -> dict[str, Any]:
        nonce = (await self.ask("begin-sign-in"))["nonce"]
        return await self.ask("sign-in", id_token=self.provider.token(nonce))


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as made:
        yield made


@pytest.fixture
async def desk(provider: IdentityProvider, tmp_path: Path) -> AsyncIterator[Desk]:
    served = await asyncio.to_thread(built, tmp_path / "state", dashboard=False)
    await served.house.fill()  # the day's sums need a trail
    web = HttpxWeb(HttpConfig(context=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)))
    terms = Terms(issuer=provider.issuer, client=CLIENT)
    keeper = Keeper(terms, Verifier(terms, web), served.house.paths.sign_ins)
    noted: list[tuple[IncidentKind, str, dict[str, str]]] = []

    async def note(kind: IncidentKind, message: str, detail: tuple[tuple[str, str], ...]) -> None:
        noted.append((kind, message, dict(detail)))

    service = served.service
    sources: Sources = replace(service._sources, people=keeper)
    service = await asyncio.to_thread(
        ControlService, sources, service._engine, served.house.pauses, note, served.house.tasks
    )
    await service.start()
    yield Desk(provider, keeper, Control(served.settings), service, noted)
    await service.aclose()
    await served.house.spool.close()
    await served.house.tasks.cancel()


async def test_an_account_signs_in_and_everybody_asks_who_he_is(desk: Desk) -> None:
    found = await desk.sign_in()
    assert (found["state"], found["name"]) == ("signed_in", "ada@example.com")
    assert desk.keeper.of(ME).name == "ada@example.com"
    status = (await desk.ask("status"))["sign_in"]
    assert (status["state"], status["name"]) == ("signed_in", "ada@example.com")
    me = (await desk.ask("me"))["sign_in"]
    assert me["groups"] == ["engineering", "ai-pilots"]
    out = await desk.ask("sign-out")
    assert (out["was"], out["state"]) == ("ada@example.com", "signed_out")
    assert (await desk.ask("sign-out"))["was"] == ""


async def test_every_order_is_an_event_and_none_holds_a_token(desk: Desk) -> None:
    await desk.sign_in()
    with pytest.raises(ConfigError):
        await desk.ask("sign-in", id_token="a.b.c")
    await desk.ask("sign-out")
    kinds = [kind for kind, _, _ in desk.noted]
    assert kinds.count(IncidentKind.CONTROL) == 4
    [signed_in] = [facts for kind, _, facts in desk.noted if kind is IncidentKind.SIGNED_IN]
    assert signed_in == {
        "user": ME,
        "uid": str(os.geteuid()),
        "name": "ada@example.com",
        "subject": "00u1",
        "issuer": desk.provider.issuer,
        "groups": "2",
    }
    [(_, message, facts)] = [each for each in desk.noted if each[0] is IncidentKind.SIGNED_OUT]
    assert (message, facts["why"]) == (f"ada@example.com has signed out (account {ME})", "signed_out")
    assert "eyJ" not in str(desk.noted)
    refused = [facts for _, _, facts in desk.noted if facts.get("verb") == "sign-in"]
    assert [each["status"] for each in refused] == ["200", "409"]


async def test_a_token_that_is_wrong_is_refused_with_a_reason(desk: Desk) -> None:
    nonce = (await desk.ask("begin-sign-in"))["nonce"]
    desk.provider.in_token = lambda claims: claims.update(aud="them")
    with pytest.raises(ConfigError, match="for another program"):
        await desk.ask("sign-in", id_token=desk.provider.token(nonce))
    desk.provider.redirects["/tenant/keys"] = "https://evil.example"
    assert not desk.keeper.of(ME).known


async def test_another_person_on_the_same_account_is_told(desk: Desk) -> None:
    await desk.sign_in()
    desk.provider.person.subject = "other"
    desk.provider.person.claims["email"] = "eve@example.com"
    await desk.sign_in()
    facts = [facts for kind, _, facts in desk.noted if kind is IncidentKind.SIGNED_IN][-1]
    assert (facts["name"], facts["before"]) == ("eve@example.com", "ada@example.com")


async def test_an_expired_sign_in_is_seen_in_the_health(desk: Desk) -> None:
    await desk.sign_in()
    desk.keeper._now = lambda: time.time() + 2 * 86_400
    health = (await desk.ask("health"))["health"]
    assert [(each["code"], each["text"]) for each in health] == [("sign_in_expired", ME)]
    assert (await desk.ask("me"))["sign_in"]["state"] == "expired"


async def test_the_account_is_the_kernels_word() -> None:
    caller = Caller(uid=7, pid=1, name="ann", role=Role.USER)
    assert await account_of(caller) == "ann"
    owner = Caller(uid=-1, pid=0, name="owner", role=Role.OPERATOR)
    assert await account_of(owner) == psutil.Process().username()
