"""What an ID token says, checked (OpenID Connect Core 3.1.3.7). Pure: keys and the time are the caller's.

The signature is joserfc's matter; which algorithms and keys count, and every claim, is decided here.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.host.groups import MAX_GROUPS
from agent.model.identity import Identity
from agent.signin.problems import SignInError, UnknownKeyError, cleaned
from agent.signin.terms import Terms

ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
"""Asymmetric ones only: with `none` anybody signs, with HS256 whoever has the provider's public key."""

MOST_CHARACTERS = 32 * 1024  # of a token; one with five hundred groups has twenty thousand
SKEW_SECONDS = 90.0  # between the provider's clock and ours
_LONGEST_LIFE = 24 * 3600.0  # that is granted to a token, whatever it says
_MOST_KEYS = 50
_MOST_HEADER = 8 * 1024
_LEAST_RSA_BITS = 2048
_LONGEST_NAME = 256
_KINDS = {"R": "RSA", "P": "RSA", "E": "EC"}

type Key = Mapping[str, Any]
"""A JSON Web Key (RFC 7517)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a sound token says."""

    identity: Identity
    issued_at: float
    expires_at: float
    nonce: str = field(default="", repr=False)
    groups_left_out: bool = False  # the provider says that there are more than a token holds


def read_keys(document: Mapping[str, Any]) -> tuple[Key, ...]:
    """The public keys of a key set that may have signed something. Raises SignInError."""
    keys = document.get("keys")
    if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
        raise SignInError("the identity provider's key set cannot be read")
    return tuple(each for each in keys if isinstance(each, dict) and _signs(each))


def checked(
    token: str, keys: Collection[Key], terms: Terms, now: float, offered: Collection[str] = ()
) -> Claims:
    """The claims of a token for us. `offered` are the algorithms that the provider says it signs with. Raises
    UnknownKeyError where no key fits, SignInError for everything else."""
    header = _header(token)
    algorithm = header.get("alg")
    allowed = ALGORITHMS & set(offered) if offered else ALGORITHMS
    if not isinstance(algorithm, str) or algorithm not in allowed:
        raise SignInError(f"an ID token signed with {cleaned(algorithm, most=20) or 'nothing'} is not taken")
    return _claims(_verified(token, _fitting(keys, header, algorithm), algorithm), terms, now)


def _header(token: str) -> dict[str, Any]:
    """What a token says of itself, believed by nobody."""
    head, dot, _ = token.partition(".")
    found = None
    if dot and token.count(".") == 2 and len(token) <= MOST_CHARACTERS and token.isascii():
        try:
            found = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        except (ValueError, binascii.Error, RecursionError):
            found = None
    if not isinstance(found, dict):
        raise SignInError("it is no ID token")
    return found


def _signs(key: Key) -> bool:
    return key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"


def _fitting(keys: Collection[Key], header: Mapping[str, Any], algorithm: str) -> list[Key]:
    kind, kid = _KINDS.get(algorithm[0] if algorithm[:2] != "Ed" else "", "OKP"), header.get("kid")
    found = [
        key
        for key in keys
        if key.get("kty") == kind
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    if not found:
        raise UnknownKeyError("the ID token is signed with a key that the identity provider does not have")
    return found


def _verified(token: str, keys: Iterable[Key], algorithm: str) -> Mapping[str, Any]:
    """The claims, if one of the keys signed them."""
    from joserfc.errors import JoseError
    from joserfc.jwk import RSAKey, import_key
    from joserfc.jws import JWSRegistry
    from joserfc.jwt import decode

    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = _MOST_HEADER
    for each in keys:
        try:
            # only what it is made of: a list of uses is for us to judge, private parts are none of our business
            key = import_key(
                {name: each[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in each}
            )
            if isinstance(key, RSAKey) and key.raw_value.key_size < _LEAST_RSA_BITS:
                continue
            return decode(token, key, algorithms=[algorithm], registry=registry).claims
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    raise SignInError("the ID token's signature is wrong")


def _claims(claims: Mapping[str, Any], terms: Terms, now: float) -> Claims:
    if claims.get("iss") != terms.issuer:
        raise SignInError("the ID token is another provider's")
    _check_audience(claims, terms.client)
    issued, expires = _moment(claims, "iat"), _moment(claims, "exp")
    if expires <= now - SKEW_SECONDS:
        raise SignInError("the ID token has expired", hint="Is the clock of this machine right?")
    if issued > now + SKEW_SECONDS or ("nbf" in claims and _moment(claims, "nbf") > now + SKEW_SECONDS):
        raise SignInError("the ID token is of the future", hint="Is the clock of this machine right?")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
        raise SignInError("the ID token names nobody")
    nonce = claims.get("nonce", "")
    groups, more = _groups(claims, terms.groups_claim)
    return Claims(
        identity=Identity(
            issuer=terms.issuer,
            subject=subject,
            name=_name(claims, terms.name_claim) or subject,
            full_name=cleaned(claims.get("name"), most=_LONGEST_NAME),
            groups=groups,
        ),
        issued_at=issued,
        expires_at=min(expires, issued + _LONGEST_LIFE),
        nonce=nonce if isinstance(nonce, str) else "?",
        groups_left_out=more,
    )


def _check_audience(claims: Mapping[str, Any], client: str) -> None:
    audience = claims.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp")
    if (
        client not in several
        or (party is not None and party != client)
        or (len(several) > 1 and party is None)
    ):
        raise SignInError("the ID token is for another program")


def _moment(claims: Mapping[str, Any], name: str) -> float:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not 0 < found < 2**40:
        raise SignInError(f"the ID token has no sound '{name}'")
    return float(found)


def _name(claims: Mapping[str, Any], wanted: str) -> str:
    """What the person is called. An address that the provider did not verify is anybody's word."""
    if wanted == "email" and claims.get("email_verified", True) is not True:
        return ""
    found = claims.get(wanted)
    return cleaned(found, most=_LONGEST_NAME) if isinstance(found, str) else ""


def _groups(claims: Mapping[str, Any], wanted: str) -> tuple[tuple[str, ...], bool]:
    """The groups, and whether the provider says that they are too many for a token (Entra's overage)."""
    found = _at(claims, wanted)
    listed = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    names = dict.fromkeys(
        each
        for each in listed
        if isinstance(each, str) and 0 < len(each) <= _LONGEST_NAME and each.isprintable()
    )
    elsewhere = claims.get("_claim_names")
    more = (isinstance(elsewhere, dict) and wanted in elsewhere) or len(names) > MAX_GROUPS
    return tuple(names)[:MAX_GROUPS], more or (not names and claims.get("hasgroups") is True)


def _at(claims: Mapping[str, Any], name: str) -> object:
    """A claim by its name; by a path such as `realm_access.roles` where no claim is called so."""
    if name in claims:
        return claims[name]
    found: object = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
