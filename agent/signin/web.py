"""HTTP towards the identity provider: few, small documents, each within a limit of bytes and seconds. Blocks.

Control plane: httpx, loaded when needed. Certificates are verified, redirects are not followed, cookies are not kept,
the environment's proxy settings are not read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any, Protocol

from agent.checks.http import HttpConfig
from agent.errors import UpstreamError
from agent.signin.problems import SignInError

MOST = 256 * 1024  # bytes: an answer of an identity provider is some kilobytes
SECONDS = 7.0  # a command waits ten for the agent, who may ask twice
_STEP_SECONDS = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider said. `date` is its clock in Unix seconds, None where it did not say."""

    status: int
    body: bytes = field(default=b"", repr=False)  # may hold tokens
    date: float | None = None

    def document(self) -> dict[str, Any]:
        """The JSON object that it is. Raises SignInError."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise SignInError(f"the identity provider answered {self.status} with something that is no JSON")
        return found


class Web(Protocol):
    """Asks the provider. `seconds` is for how long in all, whatever it does."""

    def get(self, url: str, *, seconds: float = SECONDS) -> Answer:
        """Raises UpstreamError."""
        ...

    def post(self, url: str, form: Mapping[str, str], *, seconds: float = SECONDS) -> Answer:
        """Raises UpstreamError."""
        ...


class HttpxWeb:
    """Implements `Web` on httpx; one connection for each question, since there are few."""

    def __init__(self, config: HttpConfig) -> None:
        self._config = config

    def get(self, url: str, *, seconds: float = SECONDS) -> Answer:
        """See `Web`."""
        return self._ask("GET", url, None, seconds)

    def post(self, url: str, form: Mapping[str, str], *, seconds: float = SECONDS) -> Answer:
        """See `Web`."""
        return self._ask("POST", url, form, seconds)

    def _ask(self, method: str, url: str, form: Mapping[str, str] | None, seconds: float) -> Answer:
        import httpx

        config = self._config
        deadline = time.monotonic() + seconds
        host = httpx.URL(url).host
        told = {"Proxy-Authorization": config.proxy_authorization} if config.proxy_authorization else {}
        try:
            with (
                httpx.Client(
                    # without TLS there is nothing to verify: a context that trusts nobody is made faster
                    verify=config.context() if url.startswith("https:") else SSLContext(PROTOCOL_TLS_CLIENT),
                    proxy=httpx.Proxy(config.proxy_url, headers=told) if config.proxy_for(host) else None,
                    trust_env=False,
                    follow_redirects=False,
                    timeout=min(_STEP_SECONDS, seconds),
                    headers={
                        "user-agent": "drawbridge",
                        "accept": "application/json",
                        "accept-encoding": "identity",
                    },
                ) as client,
                client.stream(method, url, data=form) as response,
            ):
                body = b""
                for part in response.iter_raw():
                    body += part
                    if len(body) > MOST:
                        raise UpstreamError(f"{host} answers with more than {MOST} bytes")
                    if time.monotonic() > deadline:
                        raise UpstreamError(f"{host} takes longer than {seconds:.0f} s to answer")
                return Answer(
                    status=response.status_code, body=body, date=_moment(response.headers.get("date", ""))
                )
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise UpstreamError(
                f"the identity provider {host} does not answer: {type(error).__name__}",
                hint="Check the network, and the setting upstream_proxy if the company has one.",
            ) from error


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None
