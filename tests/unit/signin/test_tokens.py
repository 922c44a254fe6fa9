"""What an ID token must be to be believed, and everything that others try."""

from __future__ import annotations

import base64
import hmac
import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwk, jwt
from joserfc.errors import SecurityWarning

from agent.signin.problems import SignInError, UnknownKeyError
from agent.signin.terms import Terms
from agent.signin.tokens import Claims, Key, checked, read_keys

TERMS = Terms(issuer="https://id.example", client="us")
RSA = jwk.RSAKey.generate_key(2048, {"kid": "one"})
NOW = 1_800_000_000.0

type Change = Callable[[dict[str, Any]], object]


def public(*keys: jwk.Key) -> tuple[Key, ...]:
    return read_keys({"keys": [key.as_dict(private=False) for key in keys]})


def claims(**changes: Any) -> dict[str, Any]:
    found = {
        "iss": "https://id.example",
        "aud": "us",
        "sub": "1",
        "iat": NOW - 10,
        "exp": NOW + 600,
        "email": "ada@example.com",
        "nonce": "n",
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def token(found: dict[str, Any], key: jwk.Key = RSA, alg: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": alg, "kid": key.kid, **header}, found, key, algorithms=[alg])


def read(text: str, keys: tuple[Key, ...] = public(RSA), terms: Terms = TERMS, **more: Any) -> Claims:
    return checked(text, keys, terms, NOW, **more)


def test_a_sound_token_says_who_it_is() -> None:
    found = read(token(claims(name="Ada\nLovelace", groups=["a", "b", "a", 7, ""])))
    assert (found.identity.subject, found.identity.name) == ("1", "ada@example.com")
    assert found.identity.full_name == "Ada Lovelace"
    assert found.identity.groups == ("a", "b")
    assert (found.issued_at, found.expires_at, found.nonce) == (NOW - 10, NOW + 600, "n")


@pytest.mark.parametrize(
    ("made", "alg"),
    [
        (lambda: jwk.ECKey.generate_key("P-256", {"kid": "e"}), "ES256"),
        (lambda: jwk.OKPKey.generate_key("Ed25519", {"kid": "o"}), "Ed25519"),
        (lambda: RSA, "PS256"),
    ],
)
def test_every_asymmetric_algorithm_is_taken(made: Callable[[], jwk.Key], alg: str) -> None:
    key = made()
    assert read(token(claims(), key, alg), public(key)).identity.known


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://id.example/"}, "another provider"),
        ({"iss": None}, "another provider"),
        ({"aud": "them"}, "another program"),
        ({"aud": ["them"]}, "another program"),
        ({"aud": ["us", "them"]}, "another program"),  # several, and nobody named
        ({"aud": ["us", "them"], "azp": "them"}, "another program"),
        ({"azp": "them"}, "another program"),
        ({"aud": None}, "another program"),
        ({"exp": NOW - 91}, "expired"),
        ({"exp": None}, "'exp'"),
        ({"exp": "9999999999"}, "'exp'"),
        ({"exp": True}, "'exp'"),
        ({"exp": float("inf")}, "'exp'"),
        ({"iat": None}, "'iat'"),
        ({"iat": NOW + 91}, "future"),
        ({"nbf": NOW + 91}, "future"),
        ({"sub": None}, "names nobody"),
        ({"sub": ""}, "names nobody"),
        ({"sub": "x" * 256}, "names nobody"),
        ({"sub": "a\nb"}, "names nobody"),
        ({"sub": 7}, "names nobody"),
    ],
)
def test_a_claim_that_is_wrong_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(SignInError, match=why):
        read(token(claims(**changes)))


def test_several_audiences_are_taken_where_we_are_the_party() -> None:
    assert read(token(claims(aud=["us", "them"], azp="us"))).identity.known


def test_clocks_may_differ_a_little() -> None:
    assert read(token(claims(exp=NOW - 80, iat=NOW - 900))).identity.known
    assert read(token(claims(iat=NOW + 80))).identity.known


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_an_unsigned_token_is_refused() -> None:
    for alg in ("none", "None", "NONE", ""):
        with pytest.raises(SignInError, match="is not taken"):
            read(f"{_part({'alg': alg})}.{_part(claims())}.")
    for header in ({}, {"alg": None}, {"alg": ["RS256"]}):
        with pytest.raises(SignInError, match="is not taken"):
            read(f"{_part(header)}.{_part(claims())}.")


def test_the_public_key_is_no_shared_secret() -> None:
    signed = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(claims())}"
    digest = hmac.digest(RSA.as_pem(private=False), signed.encode(), "sha256")
    forged = f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    with pytest.raises(SignInError, match="HS256 is not taken"):
        read(forged)


def test_a_shared_secret_in_the_key_set_is_no_key() -> None:
    assert (
        read_keys({"keys": [{"kty": "oct", "k": "AAAA", "kid": "one"}, "x", {"kty": "RSA", "use": "enc"}]})
        == ()
    )


def test_another_key_does_not_sign() -> None:
    other = jwk.RSAKey.generate_key(2048, {"kid": "one"})
    with pytest.raises(SignInError, match="signature is wrong"):
        read(token(claims(), other))
    with pytest.raises(UnknownKeyError):
        read(token(claims(), jwk.RSAKey.generate_key(2048, {"kid": "two"})))


def test_a_changed_token_is_refused() -> None:
    head, _, signature = token(claims()).split(".")
    with pytest.raises(SignInError, match="signature is wrong"):
        read(f"{head}.{_part(claims(sub='2'))}.{signature}")


def test_a_key_in_the_token_itself_is_not_looked_at() -> None:
    own = jwk.RSAKey.generate_key(2048, {"kid": "one"})
    with pytest.raises(SignInError, match="signature is wrong"):
        read(token(claims(), own, jwk=own.as_dict(private=False)))


def test_a_weak_key_does_not_count() -> None:
    made = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        weak = jwk.RSAKey.import_key(pem, {"kid": "weak"})
        with pytest.raises(SignInError, match="signature is wrong"):
            read(token(claims(), weak), public(weak))


def test_what_the_provider_does_not_sign_with_is_refused() -> None:
    with pytest.raises(SignInError, match="RS256 is not taken"):
        read(token(claims()), offered=["ES256"])
    with pytest.raises(SignInError, match="is not taken"):
        read(f"{_part({'alg': 'none'})}.{_part(claims())}.", offered=["none", "RS256"])


def test_a_header_that_must_be_understood_and_is_not_is_refused() -> None:
    head = _part({"alg": "RS256", "kid": "one", "crit": ["strange"], "strange": 1})
    with pytest.raises(SignInError):
        read(f"{head}.{_part(claims())}.AAAA")


def test_a_key_that_is_for_another_algorithm_is_unknown() -> None:
    key = {**RSA.as_dict(private=False), "alg": "RS512"}
    with pytest.raises(UnknownKeyError):
        read(token(claims()), read_keys({"keys": [key]}))


def test_a_token_without_a_key_id_is_tried_with_all() -> None:
    other = jwk.RSAKey.generate_key(2048, {"kid": "two"})
    made = jwt.encode({"alg": "RS256"}, claims(), RSA)
    assert read(made, public(other, RSA)).identity.known


@pytest.mark.parametrize(
    "junk", ["", "x", "a.b", "a.b.c.d", "é.b.c", "." * 2, "W10.e30.", "x" * 40_000, "eyJ.x.y"]
)
def test_junk_is_no_token(junk: str) -> None:
    with pytest.raises(SignInError):
        read(junk)


def test_deep_nesting_is_no_token() -> None:
    head = base64.urlsafe_b64encode(b"[" * 6000).rstrip(b"=").decode()
    with pytest.raises(SignInError, match="no ID token"):
        read(f"{head}.x.y")


def test_a_token_does_not_live_for_years() -> None:
    assert read(token(claims(exp=NOW + 10**8))).expires_at == NOW - 10 + 24 * 3600


def test_an_address_that_was_not_verified_names_nobody() -> None:
    assert read(token(claims(email_verified=False))).identity.name == "1"
    assert read(token(claims(email_verified="true"))).identity.name == "1"
    assert read(token(claims(email=["x"]))).identity.name == "1"
    other = Terms(issuer="https://id.example", client="us", name_claim="upn")
    assert read(token(claims(upn="ada@corp")), terms=other).identity.name == "ada@corp"


@pytest.mark.parametrize(
    ("name", "found", "groups"),
    [
        ("groups", {"groups": "one"}, ("one",)),
        ("groups", {"groups": {"a": 1}}, ()),
        ("groups", {}, ()),
        ("realm.roles", {"realm": {"roles": ["r"]}}, ("r",)),
        ("https://x.example/groups", {"https://x.example/groups": ["g"]}, ("g",)),
        ("realm.roles", {"realm": "x"}, ()),
        ("groups", {"groups": ["a\x00b", "x" * 257, "ok"]}, ("ok",)),
    ],
)
def test_groups_stand_where_the_settings_say(
    name: str, found: dict[str, Any], groups: tuple[str, ...]
) -> None:
    terms = Terms(issuer="https://id.example", client="us", groups_claim=name)
    assert read(token(claims(**found)), terms=terms).identity.groups == groups


def test_groups_that_are_left_out_are_noticed() -> None:
    assert not read(token(claims(groups=["a"]))).groups_left_out
    assert read(token(claims(_claim_names={"groups": "src1"}))).groups_left_out
    assert read(token(claims(hasgroups=True))).groups_left_out
    many = read(token(claims(groups=[f"group-{n}" for n in range(600)])))
    assert (len(many.identity.groups), many.groups_left_out) == (512, True)


def test_a_key_set_is_bounded() -> None:
    for document in ({}, {"keys": {}}, {"keys": [{}] * 51}):
        with pytest.raises(SignInError, match="key set"):
            read_keys(document)
