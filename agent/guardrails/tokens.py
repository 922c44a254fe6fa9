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


def case_changes(value: str) -> float:
    """How often, of all places, capitals and small letters change."""
    changes = sum(left.isupper() is not right.isupper() for left, right in pairwise(value))
    return changes / max(1, len(value) - 1)
