"""Signatures for AWS: checked against a signer built from the specification, and keys in every form they come in."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from agent.credentials.aws import AwsKeys, AwsProfiles, parse_keys, signed
from agent.errors import ConfigError
from tests.fakes.credentials import Hand

URL = "https://bedrock-runtime.eu-central-1.amazonaws.com/model/anthropic.claude-v1%3A0/converse"
KEYS = AwsKeys(access_key="made-up-id", secret_key="made-up", session_token="also")


def expected(headers: dict[str, str], *, url: str, body: bytes, names: list[str]) -> str:
    """The signature as the specification says it."""
    at = headers["X-Amz-Date"]
    parts = urlsplit(url)
    lower = {key.lower(): value for key, value in headers.items()} | {"host": parts.netloc}
    canonical = "\n".join(
        (
            "POST",
            quote(parts.path, safe="/~-_."),
            parts.query,
            *(f"{name}:{lower[name]}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        )
    )
    scope = f"{at[:8]}/eu-central-1/bedrock/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4made-up"
    for part in (at[:8], "eu-central-1", "bedrock", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def test_the_signature_is_the_specified_one() -> None:
    headers = signed(KEYS, region="eu-central-1", method="POST", url=URL, body=b"{}")
    names = ["host", "x-amz-date", "x-amz-security-token"]
    signature = headers["Authorization"].rpartition("Signature=")[2]
    assert signature == expected(headers, url=URL, body=b"{}", names=names)
    assert headers["X-Amz-Security-Token"] == "also"


def test_keys_are_read_as_aws_prints_them() -> None:
    text = json.dumps({"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t"})
    assert parse_keys(text) == AwsKeys(access_key="a", secret_key="s", session_token="t")
    assert parse_keys('{"AccessKeyId": "a", "SecretAccessKey": "s"}').session_token is None


@pytest.mark.parametrize(
    "text", ["", "hush", "[]", '{"AccessKeyId": "hush"}', '{"AccessKeyId": 1, "SecretAccessKey": "hush"}']
)
def test_anything_else_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_keys(text)
    assert "hush" not in str(caught.value) + caught.value.hint()


def test_a_profile_without_keys_says_how_to_use_a_role(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("[work]\naws_access_key_id = a\naws_secret_access_key = s\n[sso]\nsso_session = x\n")
    profiles = AwsProfiles(clock=Hand(), environ={"AWS_SHARED_CREDENTIALS_FILE": str(file)})
    assert profiles.keys("work").access_key == "a"
    with pytest.raises(ConfigError, match="no static keys of profile sso") as caught:
        profiles.keys("sso")
    assert "export-credentials --profile sso" in caught.value.hint()


def test_keys_do_not_show_themselves() -> None:
    assert "made-up'" not in repr(KEYS)
    assert "also" not in repr(KEYS)
