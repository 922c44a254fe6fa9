"""Requests to AWS carry a signature by static keys, by a profile's, or a bearer key."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.checks.aws import AwsAuthorization
from agent.checks.ports import CheckError, Failure
from agent.credentials.aws import KEPT
from agent.policy.checks import BedrockCheck
from tests.fakes.services import FakeKeys, check_of

URL = "https://bedrock-runtime.eu-central-1.amazonaws.com/guardrail/a/version/1/apply"
STATIC = "access_key: 'env:ID', secret_key: 'env:SECRET', session_token: 'env:TOKEN'"


class Hand:
    """A clock moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def authorization(
    credential: str, *, keys: FakeKeys | None = None, file: Path | None = None, clock: Hand | None = None
) -> AwsAuthorization:
    check = check_of(
        f"{{id: a, kind: bedrock, region: eu-central-1, guardrail: a, version: '1', {credential}}}"
    )
    assert isinstance(check, BedrockCheck)
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(file)} if file else {}
    return AwsAuthorization(check, keys or FakeKeys(), clock=clock or Hand(), environ=environ)


def write(file: Path, access: str) -> None:
    file.write_text(
        f"[work]\naws_access_key_id = {access}\naws_secret_access_key = {'s' * 20}\n[half]\naws_access_key_id = x\n"
    )


async def signed_by(made: AwsAuthorization) -> str:
    headers = await made.headers(URL, {"Content-Type": "application/json"}, b"{}")
    return headers["Authorization"].partition("Credential=")[2].partition("/")[0]


async def test_a_bearer_key_is_sent_as_such() -> None:
    headers = await authorization("key: 'env:K'").headers(URL, {"A": "b"}, b"{}")
    assert headers == {"A": "b", "Authorization": "Bearer key-of-K"}


async def test_static_keys_sign_host_time_and_token() -> None:
    headers = await authorization(STATIC).headers(URL, {"Content-Type": "application/json"}, b"{}")
    scheme, _, rest = headers["Authorization"].partition(" ")
    assert scheme == "AWS4-HMAC-SHA256"
    assert "/eu-central-1/bedrock/aws4_request" in rest
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token" in rest
    assert headers["X-Amz-Security-Token"] == "key-of-TOKEN"
    assert "key-of-SECRET" not in str(headers)


async def test_a_profile_is_read_from_the_credentials_file_and_again_after_a_while(tmp_path: Path) -> None:
    file, clock = tmp_path / "credentials", Hand()
    write(file, "FIRST")
    made = authorization("profile: work", file=file, clock=clock)
    assert await signed_by(made) == "FIRST"
    write(file, "SECOND")
    assert await signed_by(made) == "FIRST"
    clock.now = KEPT + 1
    assert await signed_by(made) == "SECOND"


async def test_refused_keys_are_read_anew(tmp_path: Path) -> None:
    file, keys = tmp_path / "credentials", FakeKeys()
    write(file, "FIRST")
    made = authorization("profile: work", file=file)
    await signed_by(made)
    write(file, "SECOND")
    made.refused()
    assert await signed_by(made) == "SECOND"
    authorization(STATIC, keys=keys).refused()
    assert keys.forgotten == ["env:ID", "env:SECRET", "env:TOKEN"]


@pytest.mark.parametrize("profile", ["missing", "half"])
async def test_a_profile_without_static_keys_is_a_failure_that_names_it(tmp_path: Path, profile: str) -> None:
    file = tmp_path / "credentials"
    write(file, "FIRST")
    with pytest.raises(CheckError) as caught:
        await signed_by(authorization(f"profile: {profile}", file=file))
    assert caught.value.failure is Failure.CREDENTIALS


async def test_without_a_credentials_file_there_are_no_keys(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="no static keys of profile work"):
        await signed_by(authorization("profile: work", file=tmp_path / "none"))
