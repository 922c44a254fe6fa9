"""Signing in by the system's browser: authorization code with PKCE (RFC 6749, 7636, 8252, 9207; OpenID Connect)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from agent.errors import HostError
from agent.signin.discovery import Provider
from agent.signin.listener import PATIENCE_SECONDS, Listener
from agent.signin.problems import SignInError
from agent.signin.requests import Tokens, granted, said
from agent.signin.web import Web

type Show = Callable[[str], bool]
"""Shows an address to the person; whether that worked."""


def by_browser(
    web: Web,
    provider: Provider,
    *,
    client: str,
    scopes: tuple[str, ...],
    nonce: str,
    show: Show,
    port: int = 0,
    seconds: float = PATIENCE_SECONDS,
) -> Tokens:
    """Have the person sign in on the provider's pages. Blocks until he has, for `seconds` at most. Raises HostError,
    UpstreamError, SignInError."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    with Listener(state, port) as listener:
        asked = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": listener.address,
            "scope": provider.scope(scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        if not show(with_query(provider.authorization, asked)):
            raise HostError(
                "no browser was found",
                hint="Run: drawbridge sign-in --no-browser, and open the address yourself.",
            )
        answer = listener.wait(seconds)
        code = _code(answer, provider)
        return granted(
            web,
            provider,
            client,
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": listener.address,
                "code_verifier": verifier,
            },
        )


def with_query(address: str, fields: Mapping[str, str]) -> str:
    """An address with parameters beside those that it has."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(fields)}"


def challenge_of(verifier: str) -> str:
    """The S256 challenge (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _code(answer: Mapping[str, str], provider: Provider) -> str:
    named = answer.get("iss")
    if named != provider.issuer and (named is not None or provider.says_issuer):
        raise SignInError("the answer comes from another identity provider")
    if "error" in answer:
        code, description = said(answer)
        raise SignInError(
            f"the identity provider refused ({code})" + (f": {description}" if description else "")
        )
    if not (code := answer.get("code", "")):
        raise SignInError("the identity provider answered without a code")
    return code
