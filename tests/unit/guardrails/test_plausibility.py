"""Values that are secrets, and values that only stand where one would."""

from __future__ import annotations

import base64

import pytest

from agent.guardrails import plausibility
from tests.unit.guardrails.samples import Draw


@pytest.mark.parametrize(
    "value", ["hunter2x", "Tr0ub4dor&3", "S3cret!x", "482913", "p@ssw0rd9", "correct-Horse7staple"]
)
def test_passwords(value: str) -> None:
    assert plausibility.password_value(value, "password = ")


@pytest.mark.parametrize(
    "value",
    [
        "changeme1",
        "your_password_1",
        "********",
        "aaaaaa1",
        "${DB_PASS1}",
        "$DB_PASS1",
        "required",
        "Passwort",
        "password2",
        "accessToken1",
        "sha256",
        "credentials?.password1",
        "get_password(1",
        "config['x1']",
        "process.env.PASS1",
        "my-secret-v2",
        "input_field_3",
        "<password1>",
        "https://x1.corp.net",
    ],
)
def test_no_passwords(value: str) -> None:
    assert not plausibility.password_value(value, "password = ")


def test_tokens_must_be_long_and_mixed() -> None:
    draw = Draw(1)
    assert plausibility.secret_value(draw.alnum(24), "api_key = ")
    assert plausibility.secret_value(draw.hex(32), "token: ")
    assert not plausibility.secret_value(draw.alnum(11), "api_key = ")
    assert plausibility.secret_value(draw.uuid(), "api_key = ")
    assert not plausibility.secret_value(draw.uuid(), "key = ")
    assert not plausibility.secret_value("1234567890987654", "api_key = ")
    assert not plausibility.secret_value("rust_openssl.hpke.Ed25519PrivateKey", "key = ")
    assert not plausibility.secret_value("ASAuthorizationAppleIDProvider", "secret = ")
    assert not plausibility.secret_value("some-long-secret-name-2", "secret_name = ")


def test_the_name_can_say_that_it_is_no_secret() -> None:
    value = Draw(2).alnum(24)
    harmless = ("csrf_token = ", '"nextPageToken": "', "public_key: '", "continuation-token=")
    assert [plausibility.secret_value(value, before) for before in harmless] == [False] * 4
    assert plausibility.secret_value(value, "see example. auth_token = ")


@pytest.mark.parametrize(
    ("value", "before", "secret"),
    [
        ("w8Kd03nf", "postgres://app:", True),
        ("postgres", "postgres://postgres:", False),
        ("app", "postgres://app:", False),
        ("${PASS}", "postgres://app:", False),
        ("xxxx", "postgres://app:", False),
        ("{password}", "postgres://app:", False),
    ],
)
def test_passwords_of_addresses(value: str, before: str, secret: bool) -> None:
    assert plausibility.url_password(value, before) is secret


def test_basic_credentials_are_user_and_password() -> None:
    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    assert plausibility.basic_credentials(encoded("svc:w8Kd03nf"))
    assert plausibility.basic_credentials(encoded("svc:w8Kd03nf!").rstrip("="))
    assert not plausibility.basic_credentials(encoded("user:password"))
    assert not plausibility.basic_credentials(encoded("nothing at all"))
    assert not plausibility.basic_credentials("documentation")


def test_a_web_token_has_a_header() -> None:
    token = Draw(3).jwt()
    assert plausibility.jwt(token)
    assert not plausibility.jwt("eyJ" + token[5:])
    assert not plausibility.jwt(base64.urlsafe_b64encode(b'{"a":1}').decode())


def test_a_token_is_no_placeholder() -> None:
    assert plausibility.token("sk-" + Draw(4).alnum(40))
    assert not plausibility.token("sk-" + "x" * 40)
    assert not plausibility.token("sk-" + "your-key-goes-here-12")
    assert not plausibility.token("sk-" + "1" * 40)


@pytest.mark.parametrize(("text", "bits"), [("", 0.0), ("aaaa", 0.0), ("abab", 1.0), ("abcd", 2.0)])
def test_entropy(text: str, bits: float) -> None:
    assert plausibility.entropy(text) == bits
