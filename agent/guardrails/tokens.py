"""Whether a text looks like a token: no placeholder, and where its form says little, drawn by chance.

These judgements see the token alone, neither its name nor its vendor; what stands around a value is the matter of
`plausibility`.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections import Counter
from itertools import pairwise

from agent.guardrails.checksums import checksummed

MOST = 4_096
"""Characters that are looked at: longer values say no more."""

_PLACEHOLDERS = (
    "xxxxx", "*****", "...", "your-", "your_", "yourapi", "yourtoken", "yoursecret", "yourkey", "example",
    "placeholder", "changeme", "redacted", "dummy", "insert", "replace", "goeshere", "goes-here", "goes_here",
    "key-here", "key_here", "keyhere", "token-here", "token_here", "tokenhere", "not-a-real", "deadbeef",
)  # fmt: skip
CHANCE_CHANGES = 0.3  # of letter case: half by chance
_CHANCE_ENTROPY = 4.4  # of 30 characters or more; English has 4.1
_LONG = 30
_JUMBLED = 6
_CAPITALS = 3
_VOWELS = frozenset("aeiouyAEIOUY")
_ABBREVIATIONS = frozenset(
    """
    a an api as at b btn by c cfg cmd cpp css csv ctx d db ddl dns do dst e eq f fn fs ft g ge gb get go gpg grpc gt h hdr
    hm html http https i id if img in io ip is it j json jwt k kb kv l lb le lg lhs ln lt m mb md mfa mgr ms msg mtls my
    n nb ne nfs no np npm ns num nx o of oh ok on or os p pc pdf pg pgp php pin pkg pr ptr pwd px q r rb rdp rhs rpc rs
    rx s sd sdk sh sm sms smtp sp sql src sr ssh ssl sso st std str svc svg sw t tb tcp tls tmp to tx ty u ui up us usr v
    vm vpc vpn vs w we wp ws x xml xs y z
    """.split()  # noqa: SIM905  a list of words reads better as one
)
_SEQUENTIAL = 0.5


def entropy(text: str) -> float:
    """Shannon entropy of the characters of `text`, in bits per character."""
    length = len(text)
    return (
        -sum(count / length * math.log2(count / length) for count in Counter(text).values())
        if length
        else 0.0
    )


def token(value: str) -> bool:
    """A token of a vendor's form that is no placeholder: none of the usual words, no run of one character, no row of
    the alphabet or of the digits."""
    value = value[:MOST]
    low = value.lower()
    return not (
        any(word in low for word in _PLACEHOLDERS) or monotone(value.lstrip(value[:1])) or sequential(value)
    )


def random_token(value: str) -> bool:
    """A token whose form alone says little, so that a part of it must look drawn by chance: no words, no names."""
    return token(value) and any(
        by_chance(piece) for piece in value[:MOST].replace("_", "-").replace(".", "-").split("-")
    )


def path_token(value: str) -> bool:
    """The path of a webhook whose last part is a token; its other parts are ids, and often made of zeros."""
    return token(value.rpartition("/")[2])


def named_token(value: str) -> bool:
    """A token of no particular form, beside its vendor's name: a digit in it, or a part drawn by chance."""
    return token(value) and (any(char.isdigit() for char in value) or random_token(value))


def isolated_token(value: str, before: str) -> bool:
    """Like `random_token`, of letters that a long base64 text may hold anywhere: then a mark of base64 precedes."""
    return before[-1:] not in ("+", "/") and random_token(value)


def checksummed_token(value: str) -> bool:
    """A token with a checksum. A right checksum is proof.

    A wrong one is none of the contrary: a token that was typed off, cut or changed by one character still tells most
    of a secret, and nobody reading it can tell. So it decides only where the token looks drawn by no chance either.
    """
    return checksummed(value) or (token(value) and entropy(value) > 4.3)


def private_key(value: str) -> bool:
    """Armour with a key in it: enough base64 after the first line, not the start of one and an ellipsis."""
    body = value[:MOST].partition("KEY")[2].partition("-----END")[0]
    text = "".join(char for char in body if char.isalnum() or char in "+/")
    return len(text) >= 40 and len(set(text)) >= 12


def jwt(value: str) -> bool:
    """A token whose first part is a JOSE header: base64url of a JSON object with `alg` (RFC 7519)."""
    head = value.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header


def monotone(value: str) -> bool:
    """Few different characters for its length, or one character many times on end."""
    distinct = set(value)
    if len(distinct) < 4 or (len(value) >= 16 and len(distinct) < 6):
        return True
    return any(char * 8 in value for char in distinct)


def sequential(value: str) -> bool:
    """Whether most of it is a row of neighbours: `abcdefgh`, `12345678`, `0123456789abcdef`."""
    text = "".join(filter(str.isalnum, value))
    near = sum(ord(right) - ord(left) in (0, 1) for left, right in pairwise(text))
    return len(text) >= 8 and near > _SEQUENTIAL * (len(text) - 1)


def by_chance(piece: str) -> bool:
    """Whether a run of letters and digits looks drawn: numbers in two places, or capitals without a system, or a
    number inside and some capitals, or more different characters than words have."""
    if len(piece) < 8:
        return False
    numbers = sum(right.isdigit() and not left.isdigit() for left, right in pairwise(" " + piece))
    changes = case_changes("".join(filter(str.isalpha, piece)))
    inside = numbers == 1 and not piece[-1].isdigit()
    return (
        numbers >= 2
        or changes >= CHANCE_CHANGES
        or (inside and changes >= CHANCE_CHANGES / 2)
        or (len(piece) >= _LONG and entropy(piece) > _CHANCE_ENTROPY)
    )


def jumbled(piece: str) -> bool:
    """Whether a run of letters is no name, not even an abbreviated one in camel case: `ctgNyb`, `SeMoEn`, `mwONYE`.

    Told by parts in camel case that have no vowel, by two parts of one or two letters, by capitals that follow a small
    letter to the end. Parts that code is fond of say nothing.
    """
    if (
        len(piece) < _JUMBLED
        or not piece.isalpha()
        or not piece.isascii()
        or piece.islower()
        or piece.isupper()
    ):
        return False
    if piece[1:].islower():
        return False
    humps = _humps(piece)
    if len(humps[-1]) > _CAPITALS and humps[-1].isupper() and len(humps) == 2 and len(humps[0]) <= 2:
        return humps[0].lower() not in _ABBREVIATIONS
    strange = [hump for hump in humps if hump.lower() not in _ABBREVIATIONS]
    if any(len(hump) > 2 and _VOWELS.isdisjoint(hump) for hump in strange):
        return True
    return sum(len(hump) <= 2 for hump in strange) >= 2


def _humps(piece: str) -> list[str]:
    """The parts of a name in camel case; a row of capitals is one part."""
    humps = [piece[0]]
    for left, right in pairwise(piece):
        if right.isupper() and not left.isupper():
            humps.append(right)
        else:
            humps[-1] += right
    return humps


def case_changes(value: str) -> float:
    """How often, of all places, capitals and small letters change."""
    changes = sum(left.isupper() is not right.isupper() for left, right in pairwise(value))
    return changes / max(1, len(value) - 1)
