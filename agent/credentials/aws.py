"""AWS: keys of this machine, and the signature (Signature Version 4), made by botocore's own signer.

Nothing else of botocore is used: no process is started, no metadata service asked. Importing it takes up to half a
second, so everything here blocks, and happens off the event loop, only where AWS is asked at all.
Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from agent.errors import ConfigError

SERVICE = "bedrock"  # the signing name of bedrock-runtime
CREDENTIALS_FILE = "~/.aws/credentials"
KEPT = 300.0  # seconds that a profile's keys are used before the file is read again


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsKeys:
    """What a signature is made with."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


class AwsProfiles:
    """The profiles of the shared credentials file that hold keys. Roles and single sign-on are not resolved here."""

    def __init__(self, *, clock: Callable[[], float], environ: Mapping[str, str] = os.environ) -> None:
        """`clock` is monotonic, in seconds."""
        self._clock = clock
        self._file = environ.get("AWS_SHARED_CREDENTIALS_FILE") or CREDENTIALS_FILE
        self._kept: dict[str, tuple[float, AwsKeys]] = {}

    def keys(self, profile: str) -> AwsKeys:
        """The keys of `profile`. Blocks. Raises ConfigError."""
        from botocore.credentials import SharedCredentialProvider  # type: ignore[import-untyped]
        from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]

        kept = self._kept.get(profile)
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        try:
            found = SharedCredentialProvider(self._file, profile).load()
        except BotoCoreError as error:
            raise ConfigError(
                f"the AWS profile {profile} cannot be read ({type(error).__name__})",
                hint=f"Both aws_access_key_id and aws_secret_access_key must stand in {self._file}.",
            ) from None
        if found is None:
            raise ConfigError(
                f"{self._file} holds no static keys of profile {profile}",
                hint="For roles and single sign-on let AWS's tool print them: "
                f"exec:/usr/local/bin/aws configure export-credentials --profile {profile}",
            )
        keys = AwsKeys(access_key=found.access_key, secret_key=found.secret_key, session_token=found.token)
        self._kept[profile] = (self._clock() + KEPT, keys)
        return keys

    def forget(self, profile: str) -> None:
        """Read it anew next time."""
        self._kept.pop(profile, None)


def parse_keys(text: str) -> AwsKeys:
    """The keys in what AWS's tools print (`aws configure export-credentials`, a `credential_process`).
    Raises ConfigError, which repeats nothing of `text`.
    """
    try:
        found = orjson.loads(text)
    except ValueError:
        found = None
    wanted = found if isinstance(found, dict) else {}
    access, secret, token = (wanted.get(key) for key in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    if not (isinstance(access, str) and isinstance(secret, str) and access and secret):
        raise ConfigError(
            "what should be AWS keys is no JSON with AccessKeyId and SecretAccessKey",
            hint="aws configure export-credentials prints it so.",
        )
    return AwsKeys(
        access_key=access,
        secret_key=secret,
        session_token=token if isinstance(token, str) and token else None,
    )


def signed(
    keys: AwsKeys,
    *,
    region: str,
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """`headers` (all of them signed) with the signature of the request, whose `url` is as it goes on the wire."""
    from botocore.auth import SigV4Auth  # type: ignore[import-untyped]
    from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
    from botocore.credentials import Credentials

    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers or {}))
    SigV4Auth(Credentials(keys.access_key, keys.secret_key, keys.session_token), SERVICE, region).add_auth(
        request
    )
    return {name: str(value) for name, value in request.headers.items()}
