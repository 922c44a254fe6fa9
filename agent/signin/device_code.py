"""Signing in with a code on another device, for machines without a browser (RFC 8628). Blocks.

Whoever is talked into typing somebody else's code signs that other in: it is off unless a setting allows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.signin.discovery import Provider, sound_address
from agent.signin.problems import SignInError, cleaned
from agent.signin.requests import Tokens, refusal, said, tokens_of
from agent.signin.web import Web

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_LONGEST_SECONDS = 15 * 60.0
_INTERVAL, _SHORTEST, _LONGEST = 5.0, 1.0, 60.0  # seconds between two questions
_SLOWER = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a person is told: where to go, and what to type there."""

    address: str
    code: str


def by_device_code(
    web: Web,
    provider: Provider,
    *,
    client: str,
    scopes: tuple[str, ...],
    nonce: str,
    tell: Callable[[Invitation], None],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Tokens:
    """Have the person sign in elsewhere. Raises UpstreamError, SignInError."""
    if not provider.device:
        raise SignInError("the identity provider does not offer signing in with a code")
    # the nonce is no part of RFC 8628: a provider that knows it puts it into the token, others leave it alone
    answer = web.post(provider.device, {"client_id": client, "scope": provider.scope(scopes), "nonce": nonce})
    if answer.status != 200:
        raise refusal(answer)
    document = answer.document()
    device_code, lasts = document.get("device_code"), document.get("expires_in")
    if not isinstance(device_code, str) or not device_code or not isinstance(lasts, (int, float)):
        raise SignInError("the identity provider gave no code")
    tell(_invitation(document, plain=provider.issuer.startswith("http:")))
    pause = _seconds(document.get("interval", _INTERVAL))
    deadline = clock() + min(float(lasts), _LONGEST_SECONDS)
    while clock() < deadline:
        sleep(pause)
        answer = web.post(
            provider.token, {"grant_type": _GRANT, "device_code": device_code, "client_id": client}
        )
        if answer.status == 200:
            return tokens_of(answer)
        code, _ = said(answer.document())
        if code == "slow_down":
            pause = min(pause + _SLOWER, _LONGEST)
        elif code != "authorization_pending":
            raise refusal(answer)
    raise SignInError("the code was not used in time", hint="Try again: drawbridge sign-in --code")


def _invitation(document: dict[str, Any], *, plain: bool) -> Invitation:
    address, code = document.get("verification_uri"), document.get("user_code")
    if not isinstance(address, str) or not sound_address(address, plain=plain) or not isinstance(code, str):
        raise SignInError("the identity provider did not say where the code is typed")
    return Invitation(address=address, code=cleaned(code, most=40))


def _seconds(found: object) -> float:
    return min(max(float(found), _SHORTEST), _LONGEST) if isinstance(found, (int, float)) else _INTERVAL
