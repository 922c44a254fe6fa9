"""Google: access tokens for a service account or a signed-in user, by google-auth over a transport of ours.

google-auth makes and reads the exchange; it blocks, so it runs in a thread, and its requests come back to the event
loop as awaited ones. No process is started and no metadata service asked: what cannot be had so, a program behind
`exec:` can print (`gcloud auth print-access-token`).
Source: cloud.google.com/docs/authentication/application-default-credentials.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import orjson

from agent.credentials.kept import SecretCache
from agent.errors import ConfigError, DrawbridgeError, HostError
from agent.host.files import read_limited

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
ADC = "adc:"
EARLY = 300.0  # seconds before its end at which a token is replaced
EXCHANGE_SECONDS = 30.0  # for all attempts at one exchange together
_FILE = "application_default_credentials.json"
_LIMIT = 64 * 1024
_PRINTED = "exec:/usr/bin/gcloud auth print-access-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The answer to one small request."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Fetch(Protocol):
    """Sends one small request on the way that all traffic takes."""

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Awaitable[Fetched]:
        """The answer, whatever its status. Raises UpstreamError or ConfigError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    value: str = field(repr=False)
    ends: float  # seconds since the epoch


class GoogleTokens:
    """Tokens by the reference of what they are made from, kept until shortly before they end."""

    def __init__(
        self, secrets: SecretCache, fetch: Fetch, *, now: Callable[[], float], environ: Mapping[str, str]
    ) -> None:
        """`now` gives seconds since the epoch."""
        self._secrets = secrets
        self._fetch = fetch
        self._now = now
        self._environ = environ
        self._kept: dict[str, _Token] = {}
        self._making: dict[str, asyncio.Lock] = {}

    async def token(self, reference: str) -> str:
        """The token for `reference`: `adc:`, or a secret that is a service account's JSON, a user's, or a token.
        Raises ConfigError."""
        kept = self._kept.get(reference)
        if kept is not None and kept.ends - self._now() > EARLY:
            return kept.value
        async with self._making.setdefault(reference, asyncio.Lock()):
            kept = self._kept.get(reference)
            if kept is not None and kept.ends - self._now() > EARLY:
                return kept.value
            made = await self._made(reference, kept)
            if isinstance(made, str):
                return made
            self._kept[reference] = made
            return made.value

    def forget(self, reference: str) -> None:
        """Make it anew next time."""
        self._kept.pop(reference, None)

    async def _made(self, reference: str, kept: _Token | None) -> _Token | str:
        text = await (
            asyncio.to_thread(_default_credentials, self._environ)
            if reference == ADC
            else self._secrets.read(reference)
        )
        if not text.lstrip().startswith("{"):
            return text  # a token that a program printed: it sees to its renewal
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.to_thread(_exchanged, text, self._fetch, loop)
        except ConfigError:
            if kept is not None and kept.ends > self._now():
                return kept  # it still serves; the next request tries again
            raise


def _default_credentials(environ: Mapping[str, str]) -> str:
    named = environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    file = Path(named) if named else _gcloud_folder(environ) / _FILE
    try:
        data = read_limited(file, limit=_LIMIT)
    except HostError as error:
        raise ConfigError(str(error), hint=error.hint()) from error
    if data is None:
        raise ConfigError(
            f"there are no application default credentials: {file} does not exist",
            hint="Run: gcloud auth application-default login, or give a key's reference.",
        )
    return data.decode(errors="replace")


def _gcloud_folder(environ: Mapping[str, str]) -> Path:
    if named := environ.get("CLOUDSDK_CONFIG"):
        return Path(named)
    if sys.platform == "win32":
        return Path(environ.get("APPDATA") or Path.home()) / "gcloud"
    return Path(environ.get("HOME") or Path.home()) / ".config" / "gcloud"


def _exchanged(text: str, fetch: Fetch, loop: asyncio.AbstractEventLoop) -> _Token:
    """The token that google-auth gets for the JSON `text`. Blocks; not to be called on the loop."""
    from google.auth.exceptions import GoogleAuthError

    credentials = _credentials(text)
    try:
        credentials.refresh(_bridge(fetch, loop))
    except GoogleAuthError as error:
        # its text may quote what was sent or answered
        raise ConfigError(
            f"Google gave no token ({_reason(error)})",
            hint="Check that the key or login is still valid and this machine's clock is right.",
        ) from None
    if not credentials.token or credentials.expiry is None:
        raise ConfigError("Google gave no token")
    ends = credentials.expiry.replace(tzinfo=UTC).timestamp()
    return _Token(value=credentials.token, ends=ends)


class _Refreshable(Protocol):
    """What both kinds of google-auth's credentials are to us."""

    token: str | None
    expiry: datetime | None  # naive, in UTC

    def refresh(self, request: object) -> None:
        """Get a token. Blocks."""
        ...


def _credentials(text: str) -> _Refreshable:
    from google.oauth2 import credentials, service_account

    made: _Refreshable
    try:
        info = orjson.loads(text)
    except ValueError:
        info = None
    kind = info.get("type") if isinstance(info, dict) else None
    try:
        match kind:
            case "service_account":
                made = service_account.Credentials.from_service_account_info(info, scopes=[SCOPE])  # type: ignore[no-untyped-call]
                return made
            case "authorized_user":
                made = credentials.Credentials.from_authorized_user_info(info)  # type: ignore[no-untyped-call]
                return made
    except Exception as error:  # whatever its libraries raise for a broken key may quote it
        raise ConfigError(f"the Google credentials cannot be used ({type(error).__name__})") from None
    raise ConfigError(
        "the Google credentials are neither of a service account nor of a signed-in user",
        hint=f"Let Google's tool print a token: {_PRINTED}",
    )


def _reason(error: Exception) -> str:
    """What went wrong, in a word that cannot be a secret."""
    details = error.args[1] if len(error.args) > 1 else None
    code = details.get("error") if isinstance(details, dict) else None
    plain = isinstance(code, str) and len(code) <= 40 and code.replace("_", "").isalpha()
    return str(code) if plain else type(error).__name__


def _bridge(fetch: Fetch, loop: asyncio.AbstractEventLoop) -> Callable[..., object]:
    """google-auth's way to send a request, which waits in its thread for what the loop does."""
    from google.auth.exceptions import TransportError

    until = time.monotonic() + EXCHANGE_SECONDS

    def request(
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> _Response:
        del timeout

        async def send() -> Fetched:
            return await fetch(method, url, headers or {}, body or b"")

        future = asyncio.run_coroutine_threadsafe(send(), loop)
        try:
            return _Response(future.result(max(0.0, until - time.monotonic())))
        except (TimeoutError, DrawbridgeError) as error:
            future.cancel()
            raise TransportError(type(error).__name__) from error  # type: ignore[no-untyped-call]

    return request


class _Response:
    """An answer as google-auth reads it."""

    def __init__(self, fetched: Fetched) -> None:
        self.status = fetched.status
        self.headers = fetched.headers
        self.data = fetched.body
