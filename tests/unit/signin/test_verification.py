"""Tokens against a provider that lives: its keys change, its answers fail."""

from __future__ import annotations

import time

import pytest
from joserfc import jwk, jwt

from agent.errors import UpstreamError
from agent.signin.problems import SignInError, UnknownKeyError
from agent.signin.terms import Terms
from agent.signin.verification import AGAIN_SECONDS, KEPT_SECONDS, Verifier
from agent.signin.web import HttpxWeb
from tests.fakes.identity_provider import IdentityProvider


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(terms: Terms, web: HttpxWeb, clock: Clock) -> Verifier:
    return Verifier(terms, web, clock=clock)


def test_word_and_keys_are_fetched_once(provider: IdentityProvider, verifier: Verifier) -> None:
    for _ in range(3):
        assert verifier.verify(provider.token(), time.time()).identity.name == "ada@example.com"
    assert len(provider.asked) == 2


def test_and_anew_after_a_while(provider: IdentityProvider, verifier: Verifier, clock: Clock) -> None:
    verifier.verify(provider.token(), time.time())
    clock.now += KEPT_SECONDS + 1
    verifier.verify(provider.token(), time.time())
    assert len(provider.asked) == 4


def test_a_key_that_is_new_is_looked_for(
    provider: IdentityProvider, verifier: Verifier, clock: Clock
) -> None:
    old = provider.token()
    verifier.verify(old, time.time())
    provider.rotate()
    clock.now += AGAIN_SECONDS + 1
    assert verifier.verify(provider.token(), time.time()).identity.known
    with pytest.raises(UnknownKeyError):  # the key is gone from the set: what it signed is worth nothing
        verifier.verify(old, time.time())


def test_junk_does_not_have_the_provider_asked_on_and_on(
    provider: IdentityProvider, verifier: Verifier
) -> None:
    verifier.verify(provider.token(), time.time())
    provider.shown_keys = [provider.key]
    provider.rotate()
    for _ in range(5):
        with pytest.raises(UnknownKeyError):
            verifier.verify(provider.token(), time.time())
    assert len(provider.asked) == 2


def test_keys_that_cannot_be_fetched_are_said(provider: IdentityProvider, verifier: Verifier) -> None:
    provider.redirects["/tenant/keys"] = "https://evil.example/keys"
    with pytest.raises(SignInError, match="answers 307"):
        verifier.verify(provider.token(), time.time())
    provider.redirects.clear()
    provider.bodies["/tenant/keys"] = b"[" * 300_000
    with pytest.raises(UpstreamError, match="more than"):
        verifier.verify(provider.token(), time.time())
    provider.bodies.clear()
    assert verifier.verify(provider.token(), time.time()).identity.known


def test_the_hosts_are_those_of_the_settings_then_all(provider: IdentityProvider, web: HttpxWeb) -> None:
    terms = Terms(issuer="https://id.example/x", client="us")
    assert Verifier(terms, web).hosts == {"id.example"}
    ours = Verifier(Terms(issuer=provider.issuer, client="us"), web)
    provider.in_discovery = lambda word: word.update(end_session_endpoint="https://bye.example/")
    with pytest.raises(SignInError):
        ours.verify(provider.token(), time.time())
    assert ours.hosts == {"127.0.0.1", "bye.example"}


def test_another_algorithm_than_it_offers_is_refused(provider: IdentityProvider, verifier: Verifier) -> None:
    key = jwk.ECKey.generate_key("P-256", {"kid": "e"})
    provider.shown_keys = [provider.key, key]
    provider.signed = lambda claims: jwt.encode({"alg": "ES256", "kid": "e"}, claims, key)
    with pytest.raises(SignInError, match="ES256 is not taken"):
        verifier.verify(provider.token(), time.time())
