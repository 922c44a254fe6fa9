"""A code that is typed elsewhere."""

from __future__ import annotations

import pytest

from agent.signin.device_code import Invitation, by_device_code
from agent.signin.discovery import discover
from agent.signin.problems import SignInError
from agent.signin.requests import Tokens
from agent.signin.web import HttpxWeb
from tests.fakes.identity_provider import CLIENT, IdentityProvider


class Waiting:
    """Time that passes by waiting only."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.told: list[Invitation] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def run(provider: IdentityProvider, web: HttpxWeb, waiting: Waiting) -> Tokens:
    return by_device_code(
        web,
        discover(web, provider.issuer),
        client=CLIENT,
        scopes=("openid",),
        nonce="n",
        tell=waiting.told.append,
        sleep=waiting.sleep,
        clock=lambda: waiting.now,
    )


def test_a_person_is_waited_for(provider: IdentityProvider, web: HttpxWeb) -> None:
    waiting = Waiting()
    provider.device_says = ["authorization_pending", "slow_down", "authorization_pending"]
    assert run(provider, web, waiting).refresh_token
    assert waiting.told == [Invitation(address=f"{provider.issuer}/activate", code="ABCD-EFGH")]
    assert waiting.pauses == [1, 1, 6, 6]


@pytest.mark.parametrize("error", ["access_denied", "expired_token", "what"])
def test_a_refusal_ends_it(provider: IdentityProvider, web: HttpxWeb, error: str) -> None:
    provider.device_says = ["authorization_pending", error, "authorization_pending"]
    with pytest.raises(SignInError, match=error):
        run(provider, web, Waiting())


def test_it_does_not_wait_for_ever(provider: IdentityProvider, web: HttpxWeb) -> None:
    provider.device_says = ["authorization_pending"] * 900
    waiting = Waiting()
    with pytest.raises(SignInError, match="not used in time"):
        run(provider, web, waiting)
    assert waiting.now <= 602


def test_a_provider_may_not_offer_it(provider: IdentityProvider, web: HttpxWeb) -> None:
    provider.in_discovery = lambda word: word.pop("device_authorization_endpoint")
    with pytest.raises(SignInError, match="does not offer"):
        run(provider, web, Waiting())


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"device_code": "x", "expires_in": 60}',
        b'{"device_code": "x", "expires_in": 60, "verification_uri": "javascript:1", "user_code": "a"}',
        b'{"device_code": "x", "expires_in": 60, "verification_uri": "http://evil.example", "user_code": "a"}',
        b'{"device_code": "x", "expires_in": "y"}',
    ],
)
def test_an_invitation_that_makes_no_sense_is_refused(
    provider: IdentityProvider, web: HttpxWeb, body: bytes
) -> None:
    provider.bodies["/tenant/device"] = body
    with pytest.raises(SignInError):
        run(provider, web, Waiting())
