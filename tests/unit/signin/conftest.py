"""An identity provider, and how it is asked."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from agent.checks.http import HttpConfig
from agent.signin.terms import Terms
from agent.signin.web import HttpxWeb
from tests.fakes.identity_provider import CLIENT, IdentityProvider, identity_provider


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as made:
        yield made


@pytest.fixture
def web() -> HttpxWeb:
    return HttpxWeb(HttpConfig(context=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)))


@pytest.fixture
def terms(provider: IdentityProvider) -> Terms:
    return Terms(issuer=provider.issuer, client=CLIENT)
