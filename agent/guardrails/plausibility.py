"""Whether a value that stands where a secret would is one, or a placeholder, a variable, a word.

Names around values lie: `password: credentials?.password` is code and `token = "your-token-here"` is documentation.
These judgements keep the rules for assignments, headers and connection strings calm. They see the value and up to a
line of text before it; they know no vendor's format.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections import Counter
from itertools import pairwise

from agent.guardrails.vocabulary import CODE_WORDS, DEFAULT_PASSWORDS

_PLACEHOLDERS = (
    "xxxxx", "*****", "•••", "...", "your-", "your_", "yourapi", "yourtoken", "yourpass", "yoursecret", "example",
    "placeholder", "changeme", "change-me", "change_me", "changeit", "redacted", "dummy", "insert", "replace",
    "goeshere", "goes-here", "goes_here", "not-a-real", "notarealsecret", "fake", "sample", "todo", "abcdefgh",
    "12345678", "01234567", "00000000", "11111111", "deadbeef", "lorem", "masked", "hidden", "<", ">", "${", "{{",
    "}}", "$(", "%(", "#{", "__",
)  # fmt: skip
_TOKEN_PLACEHOLDERS = (
    "xxxxx", "*****", "...", "your-", "your_", "yourapi", "yourtoken", "example", "placeholder", "changeme",
    "redacted", "dummy", "insert", "replace", "goeshere", "goes-here", "goes_here", "abcdefgh", "12345678",
    "01234567", "00000000", "11111111", "deadbeef",
)  # fmt: skip
_REFERENCES = (
    "$", "%", "@", "&", "#", "!", "process.env", "os.environ", "os.getenv", "getenv", "env.", "env[", "env(", "var.",
    "vars.", "secrets.", "config.", "settings.", "self.", "this.", "local.", "data.", "module.", "arn:", "ref:",
    "vault:", "op://", "ssm:", "file:", "http://", "https://", "/", "./", "../", "~/", "enc[", "base64:", "sha256:",
)  # fmt: skip
_HARMLESS_NAMES = (
    "csrf", "xsrf", "nonce", "page", "next", "previous", "continuation", "cursor", "sync", "cancellation", "public",
    "pad", "eos", "bos", "unk", "mask", "special", "stop", "primary", "foreign", "partition", "sort", "idempotency",
    "hash", "fingerprint", "integrity", "checksum", "digest", "placeholder", "example",
)  # fmt: skip
_CHANCE_TURNS = 0.18  # a quarter by chance, a tenth in names
_HEX = frozenset("0123456789abcdefABCDEF")


def entropy(text: str) -> float:
    """Shannon entropy of the characters of `text`, in bits per character."""
    length = len(text)
    return (
        -sum(count / length * math.log2(count / length) for count in Counter(text).values())
        if length
        else 0.0
    )


def placeholder(value: str) -> str:
    """The part of a value by which it shows that it stands for another; empty where none does."""
    low = value.lower()
    return next((word for word in _PLACEHOLDERS if word in low), "")


def token(value: str) -> bool:
    """A token of a vendor's form that is no placeholder: none of the usual words, no long run of one character."""
    low = value.lower()
    return not any(word in low for word in _TOKEN_PLACEHOLDERS) and not _monotone(value)


def url_password(value: str, before: str) -> bool:
    """The password of a URL or connection string: no variable, no placeholder, not one that everybody knows."""
    low = value.lower()
    if low in DEFAULT_PASSWORDS or low.startswith(("$", "%s", "%(", "{", "[", "<", ":", "@")):
        return False
    if any(word in low for word in _PLACEHOLDERS) or set(value) <= set("x*.-_•X"):
        return False
    user = before.rstrip(":").rpartition("/")[2].lower()
    return low != user or any(char.isdigit() for char in value)


def password_value(value: str, before: str) -> bool:
    """The value of something called password. Words of letters only are let pass: labels and field names are such."""
    if not _literal(value) or _named_harmless(before):
        return False
    kinds = _kinds(value)
    if kinds <= 1 and not (value.isdecimal() and len(value) >= 6):
        return False
    return not _reads_as_code(value)


def secret_value(value: str, before: str) -> bool:
    """The value of something called secret, token or key: long enough, mixed, and not made of words."""
    if len(value) < 12 or not _literal(value) or _named_harmless(before) or _uuid(value):
        return False
    digits = any(char.isdigit() for char in value)
    letters = any(char.isalpha() for char in value)
    if not letters or (not digits and not (_random_case(value) and entropy(value) >= 4)):
        return False
    return entropy(value) >= (2.8 if len(value) < 20 else 3.0) and not (
        _reads_as_code(value) or _dotted(value)
    )


def basic_credentials(value: str) -> bool:
    """Base64 of `user:password`, with a password that is no placeholder."""
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return False
    user, colon, password = decoded.partition(":")
    if not colon or not decoded.isprintable() or not (user or password):
        return False
    secret = password or user
    return len(secret) >= 3 and url_password(secret, "")


def jwt(value: str) -> bool:
    """A token whose first part is a JOSE header: base64url of a JSON object with `alg` (RFC 7519)."""
    head = value.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header


def _literal(value: str) -> bool:
    """Neither a placeholder nor a reference to something elsewhere."""
    low = value.lower()
    if low.startswith(_REFERENCES) and not _special_password(value):
        return False
    if "://" in value or any(word in low for word in _PLACEHOLDERS):
        return False
    return not _monotone(value)


def _special_password(value: str) -> bool:
    """A password may begin with a mark that code also begins with: then it must look like no name at all."""
    return (
        value[0] in "!@#&%"
        and not value[1:].replace("_", "").replace(".", "").isalpha()
        and value[1:2] != "{"
    )


def _monotone(value: str) -> bool:
    """Few different characters for its length, or one character many times on end."""
    distinct = set(value)
    if len(distinct) < 4 or (len(value) >= 16 and len(distinct) < 6):
        return True
    return any(char * 8 in value for char in distinct)


def _kinds(value: str) -> int:
    """How many of lower case, upper case, digits and marks occur; a capital first letter alone is no kind."""
    rest = value[1:] if value[:1].isupper() else value
    return (
        any(char.islower() for char in value)
        + any(char.isupper() for char in rest) * (not value.isalpha())
        + any(char.isdigit() for char in value)
        + any(not char.isalnum() and char not in "_-. " for char in value)
    )


def _random_case(value: str) -> bool:
    """Whether capitals follow small letters as often as by chance, not as in names like `SecretGlobalsProvider`."""
    turns = sum(left.islower() and right.isupper() for left, right in pairwise(value))
    return turns > _CHANCE_TURNS * len(value)


def _dotted(value: str) -> bool:
    """Names joined by dots, dashes or underscores, each with one number at most: `imdsv2_session_token`."""
    pieces = value.replace("-", ".").replace("_", ".").split(".")
    return len(pieces) > 1 and all(_name(piece) for piece in pieces)


def _name(piece: str) -> bool:
    numbers = sum(right.isdigit() and not left.isdigit() for left, right in pairwise(piece))
    return piece[:1].isalpha() and piece.isalnum() and numbers <= 1


def _uuid(value: str) -> bool:
    parts = value.strip("{}").split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and set("".join(parts)) <= _HEX


def _reads_as_code(value: str) -> bool:
    """Calls, subscripts, attribute chains, and names made of words and version numbers."""
    if any(mark in value for mark in ("(", "[", "{", "=>", "?.", "::", "->", "||", "&&", "+=", '"', "'")):
        return True
    stripped = value.strip("!?$*")
    pieces = stripped.replace("-", "_").replace(".", "_").replace("/", "_").replace(":", "_").split("_")
    if len(pieces) == 1:
        return _code_word(stripped)
    return all(_code_word(piece) or piece.isalpha() or piece.isdigit() for piece in pieces)


def _code_word(piece: str) -> bool:
    """A word of code, alone, numbered, or joined in camel case: `password2`, `sha256`, `accessToken1`."""
    if not piece:
        return True
    words = _camel_words(piece.rstrip("0123456789"))
    return bool(words) and all(word in CODE_WORDS for word in words)


def _camel_words(text: str) -> list[str]:
    if not text.isalpha():
        return []
    words = [text[0]]
    for left, right in pairwise(text):
        if right.isupper() and not left.isupper():
            words.append(right)
        else:
            words[-1] += right
    return [word.lower() for word in words]


def _named_harmless(before: str) -> bool:
    """Whether the name that the value is given says that it is no secret: `csrf_token`, `nextPageToken`."""
    text = before.lower().rstrip("'\"`\\")
    if text != before.lower() and text[-1:] in tuple("bfru") and not text[-2:-1].isalnum():
        text = text[:-1]
    text = text.rstrip(" \t\r\n=:>,('\"`\\[]{}")
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] in "_-"):
        start -= 1
    return any(word in text[start:] for word in _HARMLESS_NAMES)
