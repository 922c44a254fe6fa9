"""What the identity provider is asked at its token endpoint, and for an end (RFC 6749, 7636, 7009). Blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.signin.discovery import Provider
from agent.signin.problems import EndedError, SignInError, cleaned
from agent.signin.tokens import MOST_CHARACTERS
from agent.signin.web import Answer, Web

_LONGEST = 16 * 1024  # characters of a refresh token


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What the provider gave out. An access token is asked by nobody here, and is not kept."""

    id_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)


def granted(web: Web, provider: Provider, client: str, form: Mapping[str, str]) -> Tokens:
    """What the token endpoint gives for `form`. Raises EndedError where what was shown is of no use any more,
    UpstreamError, SignInError."""
    answer = web.post(provider.token, {**form, "client_id": client})
    if answer.status != 200:
        raise refusal(answer)
    return tokens_of(answer)


def tokens_of(answer: Answer) -> Tokens:
    """Read a token response. Raises SignInError."""
    document = answer.document()
    token, refresh = document.get("id_token"), document.get("refresh_token", "")
    if not isinstance(token, str) or len(token) > MOST_CHARACTERS:
        raise SignInError("the identity provider gave no ID token", hint="Is openid among its scopes?")
    if not isinstance(refresh, str) or len(refresh) > _LONGEST:
        raise SignInError("the identity provider gave a refresh token that cannot be kept")
    return Tokens(id_token=token, refresh_token=refresh)


def refusal(answer: Answer) -> SignInError:
    """What a token endpoint that refuses says. Its description is for people; nothing else of the answer is shown."""
    code, description = said(answer.document() if answer.status < 500 else {})
    kind = EndedError if code == "invalid_grant" else SignInError
    told = code or str(answer.status)
    return kind(
        f"the identity provider refuses ({told}): {description}"
        if description
        else f"the identity provider refuses ({told})"
    )


def said(document: Mapping[str, Any]) -> tuple[str, str]:
    """The error of a response and its description, as they can be shown."""
    return cleaned(document.get("error"), most=60), cleaned(document.get("error_description"))


def revoked(web: Web, provider: Provider, client: str, refresh_token: str) -> bool:
    """Have the provider forget a refresh token; whether it said that it did. Raises UpstreamError."""
    if not provider.revocation or not refresh_token:
        return False
    form = {"token": refresh_token, "token_type_hint": "refresh_token", "client_id": client}
    return web.post(provider.revocation, form).status == 200
