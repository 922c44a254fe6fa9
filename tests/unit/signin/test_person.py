"""A person's own programs, between the provider and a real agent's keeper."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.control.caller import Caller
from agent.control.signing_in import SigningIn
from agent.control.verbs import VERBS, Role
from agent.errors import ConfigError, HostError
from agent.host.lock import ProcessLock
from agent.model.record import IncidentKind
from agent.signin.keeping import Keeper
from agent.signin.person import Person
from agent.signin.problems import EndedError, SignInError
from agent.signin.terms import Terms
from agent.signin.token_store import TokenStore
from agent.signin.verification import Verifier
from agent.signin.web import HttpxWeb
from tests.fakes.identity_provider import Browser, IdentityProvider

ADA = Caller(uid=1000, pid=1, name="ada", role=Role.USER)
_ARGUMENTS = {verb.name: verb.arguments for verb in VERBS}


class Agent:
    """The verbs of signing in, as the control API has them, without a socket."""

    def __init__(self, terms: Terms | None, web: HttpxWeb, folder: Path) -> None:
        verifier = Verifier(terms, web) if terms is not None else None
        self.keeper = Keeper(terms, verifier, folder / "sign-ins.json")
        self.noted: list[tuple[IncidentKind, str]] = []
        self.shown: list[str] = []
        self._verbs = SigningIn(self.keeper, self._note)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def ask(self, verb: str, arguments: Mapping[str, object] | None = None) -> dict[str, Any]:
        if verb == "me":
            return {"sign_in": self.keeper.standing("ada")}
        handler: Any = {
            "begin-sign-in": self._verbs.begin,
            "sign-in": self._verbs.sign_in,
            "sign-out": self._verbs.sign_out,
        }[verb]
        wish = _ARGUMENTS[verb].model_validate(dict(arguments or {}))
        self.shown.append(str(arguments))
        found: dict[str, Any] = asyncio.run_coroutine_threadsafe(handler(ADA, wish), self._loop).result(20)
        return found

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _note(self, kind: IncidentKind, message: str, detail: tuple[tuple[str, str], ...]) -> None:
        self.noted.append((kind, message))


@pytest.fixture
def agent(terms: Terms, web: HttpxWeb, tmp_path: Path) -> Iterator[Agent]:
    made = Agent(terms, web, tmp_path)
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "person", None)


@pytest.fixture
def person(agent: Agent, web: HttpxWeb, store: TokenStore) -> Person:
    return Person(agent, web, store)


def signed_in(person: Person) -> dict[str, Any]:
    browser = Browser()
    try:
        return person.sign_in(browser, seconds=10)
    finally:
        browser.close()


def test_a_person_signs_in_and_out(
    provider: IdentityProvider, person: Person, agent: Agent, store: TokenStore, terms: Terms
) -> None:
    found = signed_in(person)
    assert (found["state"], found["name"], found["full_name"]) == (
        "signed_in",
        "ada@example.com",
        "Ada Lovelace",
    )
    assert agent.keeper.of("ada").groups == ("engineering", "ai-pilots")
    kept = store.read(terms.issuer, terms.client)
    assert kept is not None
    done = person.sign_out()
    assert (done.was, done.revoked, done.problem) == ("ada@example.com", True, "")
    assert provider.revoked == [kept.refresh_token]
    assert store.read(terms.issuer, terms.client) is None
    assert not agent.keeper.of("ada").known
    assert [kind for kind, _ in agent.noted] == [IncidentKind.SIGNED_IN, IncidentKind.SIGNED_OUT]


def test_the_agent_never_gets_a_refresh_token(
    person: Person, agent: Agent, store: TokenStore, terms: Terms
) -> None:
    signed_in(person)
    kept = store.read(terms.issuer, terms.client)
    assert kept is not None
    assert not any(kept.refresh_token in each for each in agent.shown)


def test_a_renewal_asks_nobody_and_keeps_the_next_token(
    provider: IdentityProvider, person: Person, store: TokenStore, terms: Terms, agent: Agent
) -> None:
    signed_in(person)
    before = store.read(terms.issuer, terms.client)
    for _ in range(3):  # each token may be shown once
        found = person.renew()
        assert found is not None
        assert found["state"] == "signed_in"
    assert store.read(terms.issuer, terms.client) != before
    assert len(agent.noted) == 1  # a renewal that changes nothing is no news
    provider.person.claims["groups"] = ["engineering"]
    person.renew()
    assert agent.noted[-1][1].startswith("ada@example.com is known by other facts now")


def test_nothing_kept_renews_nothing(person: Person) -> None:
    assert person.renew() is None


def test_an_account_that_was_closed_is_signed_out(
    provider: IdentityProvider, person: Person, store: TokenStore, terms: Terms, agent: Agent
) -> None:
    signed_in(person)
    provider.refuses_renewal = True
    with pytest.raises(EndedError, match="the account is closed"):
        person.renew()
    assert not agent.keeper.of("ada").known
    assert agent.keeper.standing("ada")["why"] == "refused"
    assert store.read(terms.issuer, terms.client) is None


def test_a_renewal_as_somebody_else_is_refused(
    provider: IdentityProvider, person: Person, agent: Agent
) -> None:
    signed_in(person)
    provider.person.subject = "somebody-else"
    with pytest.raises(SignInError, match="no sign-in that this account has begun"):
        person.renew()
    assert agent.keeper.of("ada").subject == "00u1"


def test_two_programs_do_not_renew_at_once(
    person: Person, store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(person)
    monkeypatch.setattr("agent.signin.person._LOCK_SECONDS", 0.1)
    with ProcessLock(store.lock, "sign-in"), pytest.raises(HostError, match="another sign-in"):
        person.renew()


@pytest.mark.parametrize(
    "twist",
    [
        lambda claims: claims.update(nonce="other"),
        lambda claims: claims.pop("nonce"),
        lambda claims: claims.update(aud="them"),
        lambda claims: claims.update(iss="https://evil.example"),
        lambda claims: claims.update(exp=1),
    ],
)
def test_a_token_that_is_wrong_signs_nobody_in(
    provider: IdentityProvider, person: Person, agent: Agent, store: TokenStore, terms: Terms, twist: Any
) -> None:
    provider.in_token = twist
    with pytest.raises(SignInError):
        signed_in(person)
    assert not agent.keeper.of("ada").known
    assert store.read(terms.issuer, terms.client) is None


def test_a_code_on_another_device(
    provider: IdentityProvider, web: HttpxWeb, terms: Terms, tmp_path: Path
) -> None:
    allowed = Agent(Terms(issuer=terms.issuer, client=terms.client, device_code=True), web, tmp_path)
    try:
        provider.device_says = ["authorization_pending"]
        found = Person(allowed, web, TokenStore(tmp_path / "p", None)).sign_in_elsewhere(
            lambda _: None, sleep=lambda _: None
        )
        assert found["name"] == "ada@example.com"
    finally:
        allowed.close()


def test_a_code_that_is_not_allowed_is_not_asked_for(provider: IdentityProvider, person: Person) -> None:
    with pytest.raises(ConfigError, match="not allowed"):
        person.sign_in_elsewhere(lambda _: None, sleep=lambda _: None)
    assert provider.asked == []


def test_signing_out_needs_no_network(
    provider: IdentityProvider, person: Person, agent: Agent, store: TokenStore, terms: Terms
) -> None:
    signed_in(person)
    provider.redirects["/tenant/.well-known/openid-configuration"] = "https://nowhere.example"
    done = person.sign_out()
    assert (done.was, done.revoked) == ("ada@example.com", False)
    assert "answers 307" in done.problem
    assert not agent.keeper.of("ada").known
    assert store.read(terms.issuer, terms.client) is None


def test_everywhere_is_the_providers_page(provider: IdentityProvider, person: Person) -> None:
    signed_in(person)
    opened: list[str] = []

    def show(address: str) -> bool:
        opened.append(address)
        return True

    person.sign_out(everywhere=show)
    assert opened == [f"{provider.issuer}/logout?client_id=drawbridge-client"]


def test_a_provider_that_gives_no_refresh_token_leaves_nothing(
    provider: IdentityProvider, person: Person, store: TokenStore, terms: Terms
) -> None:
    provider.in_grant = lambda found: found.pop("refresh_token")
    signed_in(person)
    assert store.read(terms.issuer, terms.client) is None


def test_where_nothing_is_set_up(web: HttpxWeb, tmp_path: Path) -> None:
    agent = Agent(None, web, tmp_path)
    person = Person(agent, web, TokenStore(tmp_path / "p", None))
    try:
        with pytest.raises(ConfigError, match="not set up"):
            person.sign_in(lambda _: True)
        assert person.renew() is None
        assert person.sign_out().was == ""
    finally:
        agent.close()
