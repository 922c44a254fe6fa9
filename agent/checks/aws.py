"""Signs requests to AWS (Signature Version 4) with botocore's own signer; nothing else of botocore is used.

Importing it takes up to half a second, so that happens off the event loop, and only where a policy names AWS.
Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from agent.checks.ports import CheckError, Failure, Keys
from agent.policy.checks import BedrockCheck

if TYPE_CHECKING:
    from botocore.credentials import Credentials  # type: ignore[import-untyped]

SERVICE = "bedrock"  # the signing name of bedrock-runtime
CREDENTIALS_FILE = "~/.aws/credentials"
KEPT = 300.0  # seconds that a profile's keys are used before the file is read again


class AwsAuthorization:
    """Makes the headers that authorize a request: a bearer key, or a signature."""

    def __init__(
        self,
        check: BedrockCheck,
        keys: Keys,
        *,
        clock: Callable[[], float],
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """`clock` is monotonic, in seconds."""
        self._check = check
        self._keys = keys
        self._clock = clock
        self._file = environ.get("AWS_SHARED_CREDENTIALS_FILE") or CREDENTIALS_FILE
        self._profile: tuple[float, Credentials] | None = None

    async def headers(self, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """`headers` with what authorizes a POST of `body` to `url`. Raises CheckError."""
        if self._check.key is not None:
            return {**headers, "Authorization": f"Bearer {await self._keys.read(self._check.key)}"}
        given = await self._static()
        return await asyncio.to_thread(self._signed, given, url, dict(headers), body)

    def refused(self) -> None:
        """The service did not take them: read them anew."""
        self._profile = None
        for reference in self._references():
            self._keys.forget(reference)

    def _references(self) -> tuple[str, ...]:
        check = self._check
        given = (check.key, check.access_key, check.secret_key, check.session_token)
        return tuple(each for each in given if each is not None)

    async def _static(self) -> tuple[str, str, str | None] | None:
        check = self._check
        if check.access_key is None or check.secret_key is None:
            return None
        token = check.session_token
        return (
            await self._keys.read(check.access_key),
            await self._keys.read(check.secret_key),
            await self._keys.read(token) if token is not None else None,
        )

    def _signed(
        self, given: tuple[str, str, str | None] | None, url: str, headers: dict[str, str], body: bytes
    ) -> dict[str, str]:
        from botocore.auth import SigV4Auth  # type: ignore[import-untyped]
        from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
        from botocore.credentials import Credentials

        credentials = Credentials(*given) if given is not None else self._of_profile()
        request = AWSRequest(method="POST", url=url, data=body, headers=headers)
        SigV4Auth(credentials, SERVICE, self._check.region).add_auth(request)
        return {name: str(value) for name, value in request.headers.items()}

    def _of_profile(self) -> Credentials:
        """The keys of the profile. Only what stands in the shared credentials file: no process is started, no
        metadata service asked."""
        from botocore.credentials import SharedCredentialProvider
        from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]

        now = self._clock()
        if self._profile is not None and now - self._profile[0] < KEPT:
            return self._profile[1]
        try:
            found = SharedCredentialProvider(self._file, self._check.profile).load()
        except BotoCoreError as error:
            raise CheckError(
                Failure.CREDENTIALS, f"the AWS profile cannot be read ({type(error).__name__})"
            ) from None
        if found is None:
            raise CheckError(
                Failure.CREDENTIALS, f"{self._file} holds no static keys of profile {self._check.profile}"
            )
        self._profile = (now, found)
        return found
