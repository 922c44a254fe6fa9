"""What one request to a provider must carry so that it is let in, whichever way the provider wants it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from agent.credentials.aws import AwsProfiles, parse_keys, signed
from agent.credentials.google import Fetch, GoogleTokens
from agent.credentials.kept import SecretCache
from agent.errors import ConfigError
from agent.model.direct import direct
from agent.model.provider import Scheme
from agent.model.references import shown
from agent.routing.configured import ConfiguredProvider

PROFILE = "profile:"
LARGE_BODY = 64 * 1024  # bytes; to hash more takes longer than to go to a thread

type Fields = tuple[tuple[bytes, bytes], ...]


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingCall:
    """A request that is about to be sent. `reference` names its key; empty where the provider wants none."""

    scheme: Scheme
    reference: str
    url: str  # as it goes on the wire, query and percent-encoding included
    method: str = "POST"
    key_header: str = ""  # for the scheme `header`
    region: str = ""  # for the scheme `sigv4`
    body: bytes = field(default=b"", repr=False)


def call_for(
    provider: ConfiguredProvider, reference: str, *, url: str, body: bytes = b"", method: str = "POST"
) -> OutgoingCall:
    """A request to `provider` with the key that `reference` names."""
    return OutgoingCall(
        scheme=provider.scheme,
        reference=reference,
        url=url,
        method=method,
        key_header=provider.row.key_header,
        region=provider.parameters.get("region", ""),
        body=body,
    )


class Credentials:
    """Resolves references and makes headers of them. One for the whole agent."""

    def __init__(
        self,
        secret: Callable[[str], str],
        fetch: Fetch,
        *,
        clock: Callable[[], float],
        now: Callable[[], float],
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """`secret` resolves a reference and may block; `fetch` asks Google's token service. `clock` is monotonic, `now`
        the wall's, both in seconds."""
        self._secrets = SecretCache(secret, clock=clock)
        self._google = GoogleTokens(self._secrets, fetch, now=now, environ=environ)
        self._profiles = AwsProfiles(clock=clock, environ=environ)
        self._signer_ready = False

    async def headers(self, call: OutgoingCall) -> Fields:
        """The fields that let `call` in, with lower-case names. Raises ConfigError, which never holds the secret."""
        if not call.reference:
            return ()
        match call.scheme:
            case Scheme.NONE:
                return ()
            case Scheme.BEARER:
                return (_bearer(await self._secrets.read(call.reference), call.reference),)
            case Scheme.HEADER:
                secret = await self._secrets.read(call.reference)
                return ((call.key_header.encode(), _value(secret, call.reference)),)
            case Scheme.GOOGLE:
                return (_bearer(await self._google.token(call.reference), call.reference),)
            case Scheme.SIGV4:
                return await self._signature(call)
            case _:
                assert_never(call.scheme)

    def forget(self, reference: str) -> None:
        """The provider refused what `reference` gave: read it anew next time."""
        self._secrets.forget(reference)
        self._google.forget(reference)
        if reference.startswith(PROFILE):
            self._profiles.forget(reference.removeprefix(PROFILE))

    async def _signature(self, call: OutgoingCall) -> Fields:
        text = ""
        if not call.reference.startswith(PROFILE):
            text = await self._secrets.read(call.reference)
            if not text.lstrip().startswith("{"):  # a key of Bedrock's own
                return (_bearer(text, call.reference),)
        if not call.region:
            raise ConfigError("a signature needs the region", hint="Give it under 'parameters: {region: …}'.")
        if self._signer_ready and text and len(call.body) <= LARGE_BODY:
            return self._sign(call, text)
        made = await asyncio.to_thread(self._sign, call, text)  # imports botocore, may read the profile
        self._signer_ready = True
        return made

    def _sign(self, call: OutgoingCall, text: str) -> Fields:
        keys = parse_keys(text) if text else self._profiles.keys(call.reference.removeprefix(PROFILE))
        made = signed(keys, region=call.region, method=call.method, url=call.url, body=call.body)
        return tuple((name.lower().encode(), value.encode()) for name, value in made.items())


def _bearer(secret: str, reference: str) -> tuple[bytes, bytes]:
    return b"authorization", b"Bearer " + _value(secret, reference)


def _value(secret: str, reference: str) -> bytes:
    if not secret.isascii() or not secret.isprintable():
        raise ConfigError(
            f"the secret of {shown(reference)} holds characters that no header can carry",
            hint="Is there a line end or a quote in it?",
        )
    return secret.encode()
