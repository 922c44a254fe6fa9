"""What a request carries, by the scheme of its provider."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from agent.credentials import Credentials, OutgoingCall, call_for
from agent.credentials.calls import LARGE_BODY
from agent.errors import ConfigError
from agent.model.provider import Scheme
from agent.policy import ProviderSettings
from agent.routing.configured import ConfiguredProvider
from tests.fakes.credentials import Hand, Secrets, TokenService, service_account
from tests.fakes.providers import make_row

BEDROCK = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse"
AWS = json.dumps({"AccessKeyId": "made-up-id", "SecretAccessKey": "made-up"})


def credentials(secret: str = "", *, environ: dict[str, str] | None = None) -> Credentials:
    return Credentials(
        Secrets({"env:K": secret}), TokenService(), clock=Hand(), now=time.time, environ=environ or {}
    )


def call(scheme: Scheme, reference: str = "env:K", **more: object) -> OutgoingCall:
    return OutgoingCall(scheme=scheme, reference=reference, url=BEDROCK, **more)  # type: ignore[arg-type]


async def test_a_key_is_shown_as_the_provider_wants_it() -> None:
    made = credentials("k")
    assert await made.headers(call(Scheme.BEARER)) == ((b"authorization", b"Bearer k"),)
    assert await made.headers(call(Scheme.HEADER, key_header="x-api-key")) == ((b"x-api-key", b"k"),)
    assert await made.headers(call(Scheme.NONE)) == ()
    assert await made.headers(call(Scheme.BEARER, reference="")) == ()


async def test_google_wants_a_token() -> None:
    made = credentials(service_account("https://oauth2.example/token"))
    assert await made.headers(call(Scheme.GOOGLE)) == ((b"authorization", b"Bearer token-1"),)


@pytest.mark.parametrize("size", [2, LARGE_BODY + 1])
async def test_aws_wants_a_signature(size: int) -> None:
    made = credentials(AWS)
    for _ in range(2):  # the second is made on the loop, where the body is small
        fields = dict(await made.headers(call(Scheme.SIGV4, region="eu-west-1", body=b"x" * size)))
        assert fields.keys() == {b"authorization", b"x-amz-date"}
        assert fields[b"authorization"].startswith(b"AWS4-HMAC-SHA256 Credential=made-up-id/")


async def test_or_a_key_of_bedrocks_own() -> None:
    assert await credentials("abc").headers(call(Scheme.SIGV4)) == ((b"authorization", b"Bearer abc"),)


async def test_or_the_keys_of_a_profile(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("[work]\naws_access_key_id = first\naws_secret_access_key = s\n")
    made = credentials(environ={"AWS_SHARED_CREDENTIALS_FILE": str(file)})
    asked = call(Scheme.SIGV4, reference="profile:work", region="eu-west-1")
    assert b"Credential=first/" in dict(await made.headers(asked))[b"authorization"]
    file.write_text("[work]\naws_access_key_id = second\naws_secret_access_key = s\n")
    made.forget("profile:work")
    assert b"Credential=second/" in dict(await made.headers(asked))[b"authorization"]


async def test_a_signature_needs_a_region() -> None:
    with pytest.raises(ConfigError, match="needs the region"):
        await credentials(AWS).headers(call(Scheme.SIGV4))


@pytest.mark.parametrize("secret", ["hush\nhush", "hüsh", "hush\x00"])
async def test_what_no_header_can_carry_is_not_sent_and_not_shown(secret: str) -> None:
    with pytest.raises(ConfigError, match="no header can carry") as caught:
        await credentials(secret).headers(call(Scheme.BEARER))
    assert secret not in str(caught.value)


async def test_a_refused_key_is_read_anew() -> None:
    secrets = Secrets({"env:K": "old"})
    made = Credentials(secrets, TokenService(), clock=Hand(), now=time.time, environ={})
    await made.headers(call(Scheme.BEARER))
    secrets.values["env:K"] = "new"
    made.forget("env:K")
    assert await made.headers(call(Scheme.BEARER)) == ((b"authorization", b"Bearer new"),)


def test_a_call_is_made_of_what_the_provider_says() -> None:
    row = make_row(
        scheme=Scheme.HEADER,
        key_header="x-key",
        origin="https://{region}.example",
        parameters={"region": "eu"},
    )
    provider = ConfiguredProvider(id="p", row=row, settings=ProviderSettings())
    made = call_for(provider, "env:K", url="https://eu.example/v1", body=b"{}")
    assert made == OutgoingCall(
        scheme=Scheme.HEADER,
        reference="env:K",
        url="https://eu.example/v1",
        key_header="x-key",
        region="eu",
        body=b"{}",
    )
    bearer = ConfiguredProvider(id="p", row=row, settings=ProviderSettings(auth=Scheme.BEARER))
    assert call_for(bearer, "env:K", url="u").scheme is Scheme.BEARER
