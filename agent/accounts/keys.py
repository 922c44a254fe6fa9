"""Virtual keys: how one looks, is made, checked for typing errors, and hashed. Keeps none.

`sk-db-`, 32 random characters (190 bits), and six that check them: a key with a typing error, or cut off by a paste, is
told from one that was withdrawn, and scanners for secrets can tell a key from something that only looks like one.
"""

from __future__ import annotations

import hashlib
import secrets
import string
import zlib

PREFIX = "sk-db-"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_LETTERS = frozenset(_ALPHABET)
_RANDOM = 32
_CHECK = 6  # 62^6 > 2^32
LENGTH = len(PREFIX) + _RANDOM + _CHECK


def new_key() -> str:
    """A key that nobody has."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return f"{PREFIX}{body}{_checksum(body)}"


def is_well_formed(text: str) -> bool:
    """Whether `text` can be a key: its shape, and its checksum."""
    body = text[len(PREFIX) : -_CHECK]
    return (
        len(text) == LENGTH
        and text.startswith(PREFIX)
        and not set(text[len(PREFIX) :]) - _LETTERS
        and text.endswith(_checksum(body))
    )


def hashed(key: str) -> str:
    """What the policy holds of a key.

    A plain hash: 190 random bits need no salt and no slow function, and a look-up by it takes no longer for a guess
    that is nearly right.
    """
    return f"sha256:{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()}"


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
