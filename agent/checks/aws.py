"""Shows requests to AWS's guardrails: a bearer key, or a signature by the keys that the check or a profile names."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping

from agent.checks.ports import CheckError, Failure, Keys
from agent.credentials.aws import AwsKeys, AwsProfiles, signed
from agent.errors import ConfigError
from agent.policy.checks import BedrockCheck


class AwsAuthorization:
    """Makes the headers that authorize a request."""

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
        self._profiles = AwsProfiles(clock=clock, environ=environ)

    async def headers(self, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """`headers` with what authorizes a POST of `body` to `url`. Raises CheckError."""
        if self._check.key is not None:
            return {**headers, "Authorization": f"Bearer {await self._keys.read(self._check.key)}"}
        given = await self._static()
        return await asyncio.to_thread(self._signed, given, url, dict(headers), body)

    def refused(self) -> None:
        """The service did not take them: read them anew."""
        self._profiles.forget(self._check.profile or "")
        for reference in self._references():
            self._keys.forget(reference)

    def _references(self) -> tuple[str, ...]:
        check = self._check
        given = (check.key, check.access_key, check.secret_key, check.session_token)
        return tuple(each for each in given if each is not None)

    async def _static(self) -> AwsKeys | None:
        check = self._check
        if check.access_key is None or check.secret_key is None:
            return None
        token = check.session_token
        return AwsKeys(
            access_key=await self._keys.read(check.access_key),
            secret_key=await self._keys.read(check.secret_key),
            session_token=await self._keys.read(token) if token is not None else None,
        )

    def _signed(
        self, given: AwsKeys | None, url: str, headers: dict[str, str], body: bytes
    ) -> dict[str, str]:
        try:
            keys = given if given is not None else self._profiles.keys(self._check.profile or "")
        except ConfigError as error:
            raise CheckError(Failure.CREDENTIALS, str(error)) from None
        return signed(keys, region=self._check.region, method="POST", url=url, body=body, headers=headers)
