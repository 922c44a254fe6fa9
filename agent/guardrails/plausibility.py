"""Whether a value that stands where a secret would is one, or a placeholder, a variable, a word.

Names around values lie: `password: credentials?.password` is code and `token = "your-token-here"` is documentation.
These judgements keep the rules for assignments, headers and connection strings calm. They see the value and up to a
line of text before it; they know no vendor's format.
"""

from __future__ import annotations

import base64
import binascii
from itertools import pairwise

from agent.guardrails.codenames import camel_words, dotted, drawn_letters, jumbled, passphrase, reads_as_code
from agent.guardrails.tokens import (
    CHANCE_CHANGES,
    MOST,
    by_chance,
    case_changes,
    entropy,
    monotone,
    random_token,
    sequential,
)
from agent.guardrails.vocabulary import DEFAULT_ACCOUNTS, DEFAULT_PASSWORDS, HARMLESS_ENDINGS, KEYS_OF_THINGS

_PLACEHOLDERS = (
    "xxxxx", "*****", "•••", "...", "your-", "your_", "yourapi", "yourtoken", "yourpass", "yoursecret", "yourkey",
    "example", "placeholder", "changeme", "change-me", "change_me", "changeit", "redacted", "dummy", "insert",
    "replace", "goeshere", "goes-here", "goes_here", "key-here", "key_here", "token-here", "token_here", "not-a-real",
    "notarealsecret", "fake", "sample", "todo", "00000000", "11111111", "deadbeef", "lorem", "masked", "hidden",
    "<", ">", "${", "{{", "}}", "$(", "%(", "#{",
)  # fmt: skip
_REFERENCES = (
    "$", "%", "@", "&", "#", "!", "*", "process.env", "os.environ", "os.getenv", "getenv", "env.", "env[", "env(",
    "var.", "vars.", "secrets.", "config.", "settings.", "self.", "this.", "local.", "data.", "module.", "arn:",
    "ref:", "vault:", "op://", "ssm:", "file:", "http://", "https://", "./", "../", "~/", "enc[", "sha256:",
)  # fmt: skip
_HASHES = (
    "$1$",
    "$2a$",
    "$2b$",
    "$2y$",
    "$5$",
    "$6$",
    "$y$",
    "$argon2",
    "$pbkdf2",
    "$scrypt",
    "{ssha",
    "{bcrypt}",
)
_HARMLESS_PARTS = (
    "csrf", "xsrf", "public", "idempotency", "continuation", "cancellation", "sealed", "integrity", "checksum",
    "digest", "placeholder", "example", "i18n", "keyboard", "keyframe", "client_token", "clienttoken", "request_token",
)  # fmt: skip
# These are parts of vendors' names, too (PagerDuty, Paddle, HashiCorp, Cursor): they must be words, and where another
# word says that a secret is meant (`PAGE_ACCESS_TOKEN`, `CURSOR_API_KEY`), they say nothing.
_HARMLESS_WORDS = (
    "nonce", "page", "next", "previous", "cursor", "sync", "pad", "eos", "bos", "unk", "mask", "special", "stop",
    "primary", "foreign", "partition", "sort", "hash", "hashed", "fingerprint",
)  # fmt: skip
_SECRET_WORDS = frozenset(
    [
        "access",
        "admin",
        "api",
        "apikey",
        "auth",
        "license",
        "passphrase",
        "password",
        "passwd",
        "private",
        "secret",
    ]
)
_LONG_PART = 16  # of a token: that long, a part drawn by chance is no word and no number of a name
_HASH_DIGITS = 32
_WORDS_BEHIND = ("token", "tokens", "key", "keys", "page", "value", "function", "")
_NAMES_OF_UUIDS = (
    "apikey",
    "api_key",
    "api-key",
    "apitoken",
    "api_token",
    "secret",
    "auth_token",
    "access_token",
    "api key",
    "access key",
    "upload_token",
    "accesskey",
    "access_key",
    "access-key",
    "privatekey",
    "private_key",
    "recordkey",
    "record_key",
    "bearer",
    "authorization",
    "_token",
    "-token",
)
_DRAWN = 10  # letters from which case that changes by chance says something
_CHANCE_TURNS = 0.18  # a quarter by chance, a tenth in names
_VERBS = frozenset(("to", "jest", "je", "это", "це", "er", "är", "on"))
_SHORT_SECRET = 12
_SEALED = 150
_FIELD = 40
_NAMING = 4  # letters of each word in the name of a class
_HEX = frozenset("0123456789abcdefABCDEF")
_VOWELS = frozenset("aeiouyAEIOUY")


def placeholder(value: str) -> str:
    """The part of a value by which it shows that it stands for another; empty where none does."""
    low = value.lower()
    if "__" in low and (low.startswith("__") or low.endswith("__") or not any(map(str.isdigit, low))):
        return "__"  # `__API_KEY__`, `a__b`; but tokens have it inside: `ls__80047acb`
    return next((word for word in _PLACEHOLDERS if word in low), "")


def url_password(value: str, before: str) -> bool:
    """The password of a URL or connection string: no variable, no placeholder, not one that everybody knows."""
    value = value[:MOST]
    low = value.lower()
    if low in DEFAULT_PASSWORDS or low.startswith(
        ("$", "%s", "%(", "{", "[", "]", "<", ":", "@", "process.env")
    ):
        return False
    if placeholder(value) or set(value) <= set("x*.-_•X"):
        return False
    if before.endswith("{") and value.isidentifier():
        return False  # a field of a format string
    user = before.rstrip(":").rpartition("/")[2].lower()
    return low != user or any(char.isdigit() for char in value)


def field_password(value: str, before: str) -> bool:
    """Like `url_password`, among fields parted by colons, where a number is a number."""
    return not value.isdecimal() and url_password(value, before)


def web_address_password(value: str, before: str) -> bool:
    """The password of a web address, or a token alone before its host. There 32 hexadecimal digits are the public
    key of an error tracker."""
    if before.endswith("://"):
        return secret_value(value, "") and not (len(value) == 32 and set(value) <= _HEX)
    return url_password(value, before)


def password_value(value: str, before: str) -> bool:
    """The value of something called password. Words of letters only are let pass: labels and field names are such.
    Letters whose case changes by chance are no words, and what a filter of a template is called is no value:
    `{{ .Values.password | b64enc }}`."""
    value = value[:MOST]
    if not _literal(value) or _named_harmless(before) or (value[0] == "/" and "/" in value[1:]):
        return False
    if value.isalpha():
        mixed = len(value) >= _DRAWN and case_changes(value) >= CHANCE_CHANGES and not reads_as_code(value)
        named = all(len(word) >= _NAMING for word in camel_words(value))  # PassConcept
        return (mixed and not named) or _no_word(value)
    if _kinds(value) <= 1 and not (value.isdecimal() and len(value) >= 6):
        return False
    return not (reads_as_code(value) or _sealed(value) or before.rfind("{{") > before.rfind("}}"))


def foreign_password(value: str, before: str) -> bool:
    """Like `password_value`; where neither a sign nor a verb stands between the name and it, like `strong_password`."""
    words = before.rstrip("\"'`«“„「『").split()
    last = words[-1] if words else ""
    told = last in _VERBS or last[-1:] in tuple(":=：＝-–—是为為は는은이가")
    return password_value(value, before) if told else strong_password(value, before)


def strong_password(value: str, before: str) -> bool:
    """Like `told_password`, where not even a verb says so: with a mark in it, or digits in two places."""
    marks = any(not char.isalnum() and char not in "_-./:=()" for char in value[1:])
    numbers = sum(right.isdigit() and not left.isdigit() for left, right in pairwise(" " + value))
    return (marks or numbers >= 2) and not dotted(value) and "/" not in value and told_password(value, before)


def app_password(value: str) -> bool:
    """Four groups of four letters that are no sentence: a group has no vowel."""
    return any(_VOWELS.isdisjoint(group) for group in value.split(" "))


def seed_phrase(value: str) -> bool:
    """Twelve words or more, hardly any of them twice."""
    words = value.replace(",", " ").split()
    return len(set(words)) >= len(words) - 2


def told_secret(value: str, before: str) -> bool:
    """Like `secret_value`, where the value stands on its own in a sentence or address: a part is drawn by chance, and
    it is not the fingerprint of a public key."""
    fingerprint = value.isupper() and len(value) in (16, 40) and set(value) <= _HEX
    return not fingerprint and secret_value(value, before) and random_token(value)


def line_password(value: str, before: str) -> int:
    """How much of the rest of a line is the value of something called password: all, or up to the next field of a
    query. 0 where it is none."""
    end = len(value)
    for at, char in enumerate(value[:MOST]):
        if (
            char == "&"
            and value[at + 1 :].partition("=")[0].replace("_", "a").isalnum()
            and "=" in value[at:]
        ):
            end = at
            break
    core = value[:end].rstrip(")]}:,")
    return end if core and password_value(core, before) else 0


def quoted_password(value: str, before: str) -> bool:
    """Like `password_value`, in quotes, where it is no name of the program: letters may do if they spell no word, and
    the name of an account with a number."""
    if not _assigned(before):
        if _argument(before):
            return (written_password if _constant(before) else told_password)(value, before)
        return strong_password(value, before)
    return written_password(value, before)


def written_password(value: str, before: str) -> bool:
    """Like `quoted_password`, where the statement around the value leaves no doubt what it is."""
    value = value[:MOST]
    if not _literal(value) or _named_harmless(before) or _timestamp(value):
        return False
    if _kinds(value) > 1 and not reads_as_code(value, quoted=True):
        return True
    if value.isdecimal():
        return len(value) >= 6
    if value.isalpha():
        chance = _unpronounceable(value) or case_changes(value) >= CHANCE_CHANGES
        return len(value) >= 8 and (chance or (len(value) >= 20 and value.islower() and _no_code(value)))
    if value.count("-") >= 3 and value.replace("-", "").isalpha():
        return value.islower() and _no_code(value)
    return _account_number(value)


def nameless_password(value: str) -> bool:
    """Like `written_password`, where what stands before it is no name of it: `.type("…")`."""
    return written_password(value, "")


def told_password(value: str, before: str) -> bool:
    """Like `password_value`, where the value stands on its own in a sentence or a command: it must look made up."""
    value = value[:MOST]
    digits = any(char.isdigit() for char in value)
    letters = any(char.isalpha() for char in value)
    if (
        not ((digits and letters) or drawn_letters(value) or _no_word(value) or _jumble(value))
        or _uuid(value)
        or value.replace("-", "").replace(":", "").isdigit()
    ):
        return False
    if password_value(value, before) and (not dotted(value) or passphrase(value)):
        return True
    return _account_number(value)


def stored_value(value: str, before: str) -> bool:
    """Like `told_password`, where a command stores it: a UUID is one, too, if what it is stored as is no id of it."""
    named = before.partition(" --")[0]
    if _uuid(value):
        return not _named_harmless(named)
    return told_password(value, before) or (
        len(value) >= _LONG_PART and secret_value(value, before) and random_token(value)
    )


def key_value(value: str, before: str) -> bool:
    """The value of something called key, which may be that of a table, a cache or a file: a part of it is drawn by
    chance and no hash, and its name says of no such thing. Where it is called key and nothing else, it must begin as
    tokens do: `abc_…`."""
    value = value[:MOST]
    name = _name_before(before)
    words = {
        word for part in name.replace("-", "_").split("_") for word in camel_words(part) or [part.lower()]
    }
    words -= {"key", "keys", "pat", ""}
    if not secret_value(value, before) or not random_token(value) or not KEYS_OF_THINGS.isdisjoint(words):
        return False
    parts = value.replace("-", "_").replace(".", "_").split("_")
    if words and name.isupper():
        return any(len(part) >= _LONG_PART and by_chance(part) for each in parts for part in each.split("/"))
    if "/" in value or not any(len(part) >= _LONG_PART and by_chance(part) for part in parts):
        return False
    if any(len(part) >= _HASH_DIGITS and set(part) <= _HEX for part in parts):
        return False
    return bool(words) or (len(parts) > 1 and parts[0].isalnum() and parts[0].islower())


def secret_value(value: str, before: str) -> bool:
    """The value of something called secret, token or key: long enough, mixed, and not made of words."""
    value = value[:MOST]
    if not _literal(value) or _named_harmless(before):
        return False
    if _uuid(value):
        return any(name in before.lower() for name in _NAMES_OF_UUIDS)
    if len(value) < _SHORT_SECRET and (before[-1:] not in tuple("'\"`") or _kinds(value) < 3):
        return False
    if before.rstrip("'\"`\\ \t\n")[-1:] == "," and not any(
        map(by_chance, value.replace("_", "-").split("-"))
    ):
        return False
    digits = any(char.isdigit() for char in value)
    letters = any(char.isalpha() for char in value)
    if not letters or (not digits and not (_random_case(value) and entropy(value) >= 4)):
        return False
    return entropy(value) >= (2.8 if len(value) < 20 else 3.0) and not (
        reads_as_code(value) or dotted(value) or _path(value)
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


def _assigned(before: str) -> bool:
    """Whether a sign of assignment precedes the quote, not only a comma, as in lists of names, or a space."""
    text = before.rstrip("'\"`\\")
    if text[-1:] in tuple("bfruBFRU@$") and not text[-2:-1].isalnum():
        text = text[:-1]
    mark = text.rstrip()[-1:]
    return mark != "," and (mark in tuple(":=>(?|{D") or text == text.rstrip())


def _argument(before: str) -> bool:
    """Whether the value follows a name as the first two arguments of a call do: `setenv("DB_PASSWORD", "`."""
    text = before.rstrip("'\"`\\ \t\n")
    name = text.removesuffix(",").rstrip("'\"`\\ ")
    return (
        text != name and name.rpartition("(")[2].strip("'\"`\\").replace("_", "a").replace("-", "a").isalnum()
    )


def _constant(before: str) -> bool:
    """Whether a call gives a value to a constant or a variable of the environment: `define('DB_PASSWORD', '`."""
    name = _name_before(before)
    call = before[: before.rfind(name)].rstrip("'\"`\\ ")
    return name.isupper() and "_" in name and call.endswith("(")


def _timestamp(value: str) -> bool:
    """A date, with or without a time: `2016-09-08T21:47:36Z`."""
    return (
        len(value) >= 10
        and value[4] == value[7] == "-"
        and (value[:4] + value[5:7] + value[8:10]).isdecimal()
    )


def _literal(value: str) -> bool:
    """Neither a placeholder nor a reference to something elsewhere."""
    low = value.lower()
    if low.startswith(_HASHES) or (low.startswith(_REFERENCES) and not _special_password(value)):
        return False
    if "://" in value or placeholder(value):
        return False
    return not (monotone(value) or sequential(value))


def _special_password(value: str) -> bool:
    """A password may begin with a mark that code also begins with: then it must look like no name at all."""
    if value[0] in "$%*&":
        return value[1:2] not in ("{", "(") and any(char in "!@#^&*+=?~" for char in value[1:])
    return (
        value[0] in "!@#" and not value[1:].replace("_", "").replace(".", "").isalpha() and value[1:2] != "{"
    )


def _no_word(value: str) -> bool:
    """Small letters only, and none could say them: `qwjfxkzmtpbv`."""
    small = value.isascii() and value.isalpha() and value.islower()
    return small and len(value) >= 8 and _unpronounceable(value) and _no_code(value)


def _jumble(value: str) -> bool:
    """Letters only, small and large without any system: `vAyUwDlIpJZWYq`."""
    return len(value) >= _DRAWN and jumbled(value)


def _unpronounceable(value: str) -> bool:
    """Whether six consonants follow each other: no word does that, nor two words joined, but for few."""
    run = 0
    for char in value:
        run = 0 if char in _VOWELS else run + 1
        if run >= 6:
            return True
    return False


def _no_code(value: str) -> bool:
    """Whether none of the words by which code speaks of passwords is in it."""
    return not any(
        word in value for word in ("pass", "pwd", "user", "token", "secret", "login", "auth", "field")
    )


def _account_number(value: str) -> bool:
    """The name of an account and a number of three digits or more: `admin123`, weak and used all the same."""
    name = value.rstrip("0123456789")
    return len(value) - len(name) >= 3 and name.lower() in DEFAULT_ACCOUNTS


def _sealed(value: str) -> bool:
    """A value that kubeseal has encrypted: base64 of the length of its key, 512 or 256 bytes, and of what follows."""
    return len(value) >= _SEALED and value[:2] == "Ag" and value[2] in "ABCD"


def _path(value: str) -> bool:
    """A path: begins with a slash, and no part of it looks drawn by chance."""
    return value.startswith("/") and not any(by_chance(part) for part in value.split("/"))


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


def _uuid(value: str) -> bool:
    parts = value.strip("{}").split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and set("".join(parts)) <= _HEX


def _named_harmless(before: str) -> bool:
    """Whether the name that the value is given says that it is no secret: `csrf_token`, `nextPageToken`, `keyId`."""
    last = before[-1:]
    if last == ">" and before[-2:-1] in ('"', "'"):
        before = before[before.rfind("<") :].partition(" ")[0]  # <wsse:Password Type="PasswordText">
    elif last in ('"', "'") and "csrf" in before[-_FIELD:]:
        return True  # <input name="csrfmiddlewaretoken" value="
    name = _name_before(before)
    low = name.lower()
    if "arn:" in before or any(word in low for word in _HARMLESS_PARTS) or _says_harmless(name):
        return True
    last = name.replace("-", "_").rpartition("_")[2]
    words = camel_words(last)
    ending = words[-1] if words else last.lower()
    return ending in HARMLESS_ENDINGS and not low.replace("_", "").endswith("secretid")


def _name_before(before: str) -> str:
    """The name that the value is given: the last one before it, quotes and signs left aside."""
    text = before.rstrip("'\"`\\")
    if text != before and text[-1:] in tuple("bfruBFRU") and not text[-2:-1].isalnum():
        text = text[:-1]
    text = text.rstrip(" \t\r\n=:>,('\"`\\[]{}|?-@")
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] in "_-"):
        start -= 1
    return text[start:]


def _says_harmless(name: str) -> bool:
    """Whether a word of the name says so, and none that a secret is meant."""
    words = [
        word
        for part in name.replace("-", "_").split("_")
        for word in (camel_words("".join(filter(str.isalpha, part))) or [part.lower()])
    ]
    if not _SECRET_WORDS.isdisjoint(words):
        return False
    return any(word.endswith("hash") or _harmless_word(word) for word in words)


def _harmless_word(word: str) -> bool:
    """One of them, alone or joined to what it says something about: `page`, `pagetoken`, `nextpagetoken`."""
    return any(
        word.startswith(each) and (word[len(each) :] in _WORDS_BEHIND or _harmless_word(word[len(each) :]))
        for each in _HARMLESS_WORDS
    )
