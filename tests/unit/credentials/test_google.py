"""Tokens of Google: made off the loop, over a transport that is given, kept until shortly before they end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from agent.credentials.google import ADC, EARLY, GoogleTokens
from agent.credentials.kept import SecretCache
from agent.errors import ConfigError
from agent.gateway.small_requests import SmallRequests
from agent.gateway.transport.base import TransportConfig
from agent.gateway.transport.factory import build_transport
from tests.fakes.credentials import Hand, Secrets, TokenService, service_account, signed_in_user
from tests.fakes.http_server import Peer, RawServer

URI = "https://oauth2.example/token"
ACCOUNT = service_account(URI)  # its key takes a tenth of a second to make


def tokens(
    secret: str, service: TokenService, *, now: Hand | None = None, environ: dict[str, str] | None = None
) -> GoogleTokens:
    secrets = SecretCache(Secrets({"env:G": secret}), clock=Hand())
    return GoogleTokens(secrets, service, now=now or Hand(time.time()), environ=environ or {})


async def test_a_service_account_signs_for_a_token() -> None:
    service = TokenService()
    assert await tokens(ACCOUNT, service).token("env:G") == "token-1"
    (asked,) = service.asked
    assert asked["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert asked["assertion"][0].count(".") == 2


async def test_a_token_is_kept_until_minutes_before_its_end() -> None:
    service, now = TokenService(seconds=3600), Hand(time.time())
    made = tokens(ACCOUNT, service, now=now)
    assert await asyncio.gather(*(made.token("env:G") for _ in range(5))) == ["token-1"] * 5
    now.now += 3600 - EARLY - 10
    assert await made.token("env:G") == "token-1"
    now.now += 20
    assert await made.token("env:G") == "token-2"
    made.forget("env:G")
    assert await made.token("env:G") == "token-3"


async def test_a_token_that_cannot_be_replaced_serves_to_its_end() -> None:
    service, now = TokenService(seconds=3600), Hand(time.time())
    made = tokens(ACCOUNT, service, now=now)
    await made.token("env:G")
    service.status = 400
    now.now += 3600 - EARLY + 10
    assert await made.token("env:G") == "token-1"
    now.now += EARLY
    with pytest.raises(ConfigError):
        await made.token("env:G")


async def test_a_refusal_is_told_by_its_code_and_nothing_it_quotes() -> None:
    with pytest.raises(ConfigError, match=r"gave no token \(invalid_grant\)") as caught:
        await tokens(ACCOUNT, TokenService(status=400)).token("env:G")
    assert "quoted" not in str(caught.value) + caught.value.hint()


async def test_a_signed_in_user_has_a_token_too(tmp_path: Path) -> None:
    file = tmp_path / "application_default_credentials.json"
    file.write_text(signed_in_user(URI))
    for environ in (
        {"GOOGLE_APPLICATION_CREDENTIALS": str(file)},
        {"CLOUDSDK_CONFIG": str(tmp_path)},
    ):
        service = TokenService()
        assert await tokens("", service, environ=environ).token(ADC) == "token-1"
        assert service.asked[0]["refresh_token"] == ["made-up-too"]


async def test_without_a_login_it_is_told_how_to_log_in(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no application default credentials") as caught:
        await tokens("", TokenService(), environ={"CLOUDSDK_CONFIG": str(tmp_path)}).token(ADC)
    assert "gcloud auth application-default login" in caught.value.hint()


async def test_a_token_that_a_program_printed_is_taken_as_it_is() -> None:
    service = TokenService()
    assert await tokens("ya29.printed", service).token("env:G") == "ya29.printed"
    assert service.asked == []


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        ("{", "neither of a service account"),
        ('{"type": "external_account"}', "neither of a service account"),
        ('{"type": "service_account", "private_key": "hush"}', "cannot be used"),
    ],
)
async def test_what_is_no_key_is_refused_and_not_repeated(secret: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        await tokens(secret, TokenService()).token("env:G")
    assert "hush" not in str(caught.value)


async def test_the_exchange_goes_over_the_transport_of_the_traffic() -> None:
    async def script(peer: Peer) -> None:
        asked = await peer.request()
        assert asked.line == b"POST /token HTTP/1.1"
        assert b"assertion=" in asked.body
        await peer.answer(
            b'{"access_token": "t", "expires_in": 60}', b"200 OK", b"content-type: application/json"
        )

    transport = await build_transport(TransportConfig())
    async with RawServer(script) as server:
        account = service_account(f"http://127.0.0.1:{server.port}/token")
        secrets = SecretCache(Secrets({"env:G": account}), clock=Hand())
        made = GoogleTokens(secrets, SmallRequests(transport), now=time.time, environ={})
        assert await made.token("env:G") == "t"
    await transport.aclose()
