"""Where a provider is asked what, by its own word (OpenID Connect Discovery 1.0), strictly read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from agent.signin.problems import SignInError, cleaned
from agent.signin.web import Web

_WELL_KNOWN = "/.well-known/openid-configuration"
_LONGEST = 2048  # characters of an address
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An identity provider. An address that it does not offer is empty."""

    issuer: str
    authorization: str
    token: str
    keys: str
    device: str = ""
    revocation: str = ""
    end_session: str = ""
    scopes: frozenset[str] = frozenset()  # empty: it does not say
    algorithms: frozenset[str] = frozenset()
    says_issuer: bool = False  # names itself in the answer to an authorization request (RFC 9207)

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts of its addresses."""
        addresses = (self.issuer, self.authorization, self.token, self.keys, self.device, self.revocation)
        found = {urlsplit(each).hostname or "" for each in (*addresses, self.end_session)}
        return frozenset(found - {""})

    def scope(self, wanted: tuple[str, ...]) -> str:
        """The scopes to ask for. `offline_access` is left out where the provider lists its scopes and has it not: some
        refuse the whole request for it, and give out what it stands for all the same."""
        return " ".join(
            each
            for each in wanted
            if each != "offline_access" or not self.scopes or "offline_access" in self.scopes
        )


def discover(web: Web, issuer: str) -> Provider:
    """Ask the provider. Blocks. Raises UpstreamError, SignInError where its word cannot be trusted."""
    address = issuer.rstrip("/") + _WELL_KNOWN
    answer = web.get(address)
    if answer.status != 200:
        raise SignInError(
            f"{address} answers {answer.status}",
            hint="sign_in_issuer must be the provider's issuer, as its documentation gives it.",
        )
    return provider_of(answer.document(), issuer)


def provider_of(document: Mapping[str, Any], issuer: str) -> Provider:
    """Read a discovery document. Raises SignInError."""
    named = document.get("issuer")
    if named != issuer:  # exactly: OpenID Connect Discovery 4.3
        raise SignInError(
            f"the provider at {issuer} calls itself {cleaned(named) or 'nothing'}",
            hint="Write sign_in_issuer exactly as the provider does; a tenant must be named.",
        )
    methods = document.get("code_challenge_methods_supported")
    if isinstance(methods, list) and methods and "S256" not in methods:
        raise SignInError("the identity provider does not know PKCE with S256")
    plain = urlsplit(issuer).scheme == "http"

    def address(name: str, *, needed: bool = False) -> str:
        found = document.get(name)
        if found is None and not needed:
            return ""
        return _address(found, name, plain=plain)

    return Provider(
        issuer=issuer,
        authorization=address("authorization_endpoint", needed=True),
        token=address("token_endpoint", needed=True),
        keys=address("jwks_uri", needed=True),
        device=address("device_authorization_endpoint"),
        revocation=address("revocation_endpoint"),
        end_session=address("end_session_endpoint"),
        scopes=_words(document.get("scopes_supported")),
        algorithms=_words(document.get("id_token_signing_alg_values_supported")),
        says_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def sound_address(address: str, *, plain: bool) -> bool:
    """Whether an address may be asked or shown: TLS, or, where `plain`, loopback without."""
    if len(address) > _LONGEST or not address.isascii() or not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and plain and host in _LOOPBACK)


def _address(found: object, name: str, *, plain: bool) -> str:
    if not isinstance(found, str) or not sound_address(found, plain=plain):
        raise SignInError(f"the identity provider's {name} is no https address")
    return found


def _words(found: object) -> frozenset[str]:
    return (
        frozenset(each for each in found if isinstance(each, str)) if isinstance(found, list) else frozenset()
    )
