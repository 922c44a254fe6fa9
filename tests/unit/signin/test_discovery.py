"""A provider's own word, and what of it is believed."""

from __future__ import annotations

from typing import Any

import pytest

from agent.signin.discovery import discover, provider_of, sound_address
from agent.signin.problems import SignInError
from agent.signin.web import HttpxWeb
from tests.fakes.identity_provider import IdentityProvider

ISSUER = "https://id.example/t"
WORD: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://login.example/a?policy=x",
    "token_endpoint": "https://id.example/token",
    "jwks_uri": "https://keys.example/k",
}


def test_a_provider_is_asked(provider: IdentityProvider, web: HttpxWeb) -> None:
    found = discover(web, provider.issuer)
    assert found.token == f"{provider.issuer}/token"
    assert found.says_issuer
    assert found.scope(("openid", "groups", "offline_access")) == "openid groups offline_access"


def test_its_hosts_are_all_that_it_names() -> None:
    assert provider_of(WORD, ISSUER).hosts == {"id.example", "login.example", "keys.example"}


def test_offline_access_is_not_asked_of_whom_has_it_not() -> None:
    found = provider_of({**WORD, "scopes_supported": ["openid", "email"]}, ISSUER)
    assert found.scope(("openid", "offline_access", "groups")) == "openid groups"
    assert provider_of(WORD, ISSUER).scope(("openid", "offline_access")) == "openid offline_access"


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": f"{ISSUER}/"},
        {"issuer": "https://id.example/{tenantid}"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "http://id.example/token"},
        {"token_endpoint": "http://127.0.0.1/token"},  # of a provider that is not on this machine
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": ["https://keys.example"]},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://user:pw@login.example/a"},
        {"authorization_endpoint": "https://login.example/a#b"},
        {"authorization_endpoint": "https://login.example/a b"},
        {"revocation_endpoint": "http://id.example/r"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
def test_a_word_that_cannot_be_trusted_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SignInError):
        provider_of({**WORD, **changes}, ISSUER)


def test_one_that_is_not_there_is_said(provider: IdentityProvider, web: HttpxWeb) -> None:
    with pytest.raises(SignInError, match="answers 404"):
        discover(web, f"{provider.issuer}/other")


def test_one_that_leads_elsewhere_is_not_followed(provider: IdentityProvider, web: HttpxWeb) -> None:
    provider.redirects["/tenant/.well-known/openid-configuration"] = "https://evil.example/"
    with pytest.raises(SignInError, match="answers 307"):
        discover(web, provider.issuer)


@pytest.mark.parametrize(
    "address",
    [
        "https://",
        "https://[x",
        "https://a:99999/",
        "ftp://a/",
        "https://é.example/",
        "https://a/" + "x" * 3000,
    ],
)
def test_addresses_that_are_none(address: str) -> None:
    assert not sound_address(address, plain=True)


def test_without_tls_only_this_machine() -> None:
    assert sound_address("http://127.0.0.1:8/x", plain=True)
    assert not sound_address("http://127.0.0.1:8/x", plain=False)
    assert not sound_address("http://127.0.0.1.evil.example/x", plain=True)
