"""Whether something that looks like personal data is some: cards, accounts, numbers, addresses.

Each function judges a span and, where it helps, the text right before it. What developers handle all day is let pass:
test cards, documentation addresses, noreply mailboxes, numbers reserved for fiction.
"""

from __future__ import annotations

import ipaddress

from agent.guardrails.checksums import iban_length, luhn, mod97
from agent.guardrails.vocabulary import (
    CALLING_CODES,
    COUNTRY_DOMAINS,
    GENERIC_DOMAINS,
    PLACEHOLDER_DOMAINS,
    PUBLIC_RESOLVERS,
    SERVICE_MAILBOXES,
    TEST_CARDS,
)

_DOCUMENTATION_DOMAINS = ("example", "invalid", "test", "localhost", "local", "internal")
_VERSION_WORDS = ("version", "ver", "release", "build", "v", "rev", "oid", "section", "chapter")
_LARGEST_VERSION_PART = 40
_LARGEST_RELEASE_PART = 15


def payment_card(value: str, before: str) -> bool:
    """A card number: Luhn, an issuer's range and its length, no well-known test number."""
    digits = _digits(value)
    if (
        len(digits) < 13
        or _touches(before, ".-/_+%#")
        or not luhn(digits)
        or digits in TEST_CARDS
        or "00000000" in digits
        or len(set(digits)) < 4
    ):
        return False
    return _issued(digits)


def _issued(digits: str) -> bool:
    """ISO/IEC 7812 issuer ranges of the large networks."""
    length, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if digits[0] == "4":
        return length in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return length == 16
    if two in (34, 37):
        return length == 15
    if two in (36, 38, 39) or 3000 <= four <= 3059:
        return length == 14
    if two in (35, 60, 62, 64, 65):
        return 16 <= length <= 19
    return False


def iban(value: str) -> int:
    """The length of the IBAN that `value` starts with, its separators included; 0 where it is none."""
    wanted = iban_length(value[:2])
    if not wanted or not value.isascii():
        return 0
    seen = 0
    for place, char in enumerate(value):
        seen += char not in " -"
        if seen == wanted:
            compact = value[: place + 1].replace(" ", "").replace("-", "")
            following = value[place + 1 : place + 2]
            right = compact.isalnum() and not following.isalnum() and mod97(compact)
            return place + 1 if right else 0
    return 0


def us_ssn(value: str) -> bool:
    """A social security number in an issued range, not one of the famous invalid ones nor a round number."""
    digits = _digits(value)
    if len(digits) != 9:
        return False
    area, group, serial = int(digits[:3]), int(digits[3:5]), int(digits[5:])
    if area in (0, 666) or area >= 900 or not group or not serial:
        return False
    if digits in ("078051120", "219099999", "123456789", "111223333") or len(set(digits)) == 1:
        return False
    return bool(area % 100 or group % 10 or serial % 1000)


def public_ipv4(value: str, before: str) -> bool:
    """A globally routed address that does not read as a version number or a public resolver."""
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        return False
    if not address.is_global or address.is_multicast or value in PUBLIC_RESOLVERS:
        return False
    if before.endswith(("==", ">=", "<=", "~=", "^", "~", "@", "-", "_", ":v")):
        return False
    if before.endswith("/") and not before.endswith("//"):
        return False
    words = before.lower().rstrip(" \t=:\"'").split()
    if words and words[-1].strip("\"'(").rpartition("_")[2].rpartition("-")[2] in _VERSION_WORDS:
        return False
    parts = [int(part) for part in value.split(".")]
    if value.startswith("2.5.") or max(parts[:3]) <= _LARGEST_RELEASE_PART:  # attributes of X.500; 3.0.5.130
        return False
    return max(parts) > _LARGEST_VERSION_PART


def public_ipv6(value: str) -> bool:
    """A global unicast address (2000::/3) outside the documentation ranges."""
    if value.count(":") < 3:
        return False
    try:
        return ipaddress.IPv6Address(value).is_global
    except ValueError:
        return False


def email(value: str, before: str) -> bool:
    """A mailbox of a person: no service mailbox, documentation domain, file name or user part of an address."""
    if before.endswith("://") or _inside_authority(before):
        return False
    local, _, domain = value.lower().partition("@")
    if local in SERVICE_MAILBOXES or local.startswith(("noreply", "no-reply", "donotreply")) or ".." in local:
        return False
    labels = domain.split(".")
    if labels[-1] not in GENERIC_DOMAINS and labels[-1] not in COUNTRY_DOMAINS:
        return False
    if labels[-1] in _DOCUMENTATION_DOMAINS or "example" in labels or domain in PLACEHOLDER_DOMAINS:
        return False
    return not all(label.isdigit() for label in labels[:-1])


def _inside_authority(before: str) -> bool:
    """Whether the text before ends in `scheme://user:`, so that what follows is a password and a host."""
    scheme = before.rfind("://")
    return scheme >= 0 and not any(char.isspace() or char in "/?\"'`<>" for char in before[scheme + 3 :])


def phone(value: str, before: str) -> bool:
    """A telephone number of 8 to 15 digits (ITU-T E.164), with a country code that exists where it has a plus."""
    digits = _digits(value)
    if len(set(digits)) < 4 or _fictional(digits) or _touches(before, ""):
        return False
    if not value.startswith("+"):
        return 8 <= len(digits) <= 13
    if not 9 <= len(digits) <= 15:
        return False
    if digits[0] == "1":
        return len(digits) == 11 and digits[1] in "23456789" and digits[4] in "23456789"
    return any(digits[:length] in CALLING_CODES for length in (1, 2, 3))


def phone_us(value: str, before: str) -> bool:
    """A ten-digit number of the North American plan; dots and spaces alone need a word that names a telephone."""
    digits = _digits(value)[-10:]
    if (
        len(digits) != 10
        or digits[1:3] == "11"
        or digits[4:6] == "11"
        or len(set(digits)) < 4
        or _fictional(digits)
    ):
        return False
    if _touches(before, "-._/+#"):
        return False
    if value.count("-") == 2 or "(" in value:
        return True
    words = before.lower()[-24:]
    return any(
        word in words for word in ("phone", "tel", "call", "mobile", "cell", "fax", "dial", "contact", "sms")
    )


def _fictional(digits: str) -> bool:
    """Numbers that the North American plan keeps for films: 555-0100 to 555-0199."""
    return digits[-7:-2] == "55501"


def _touches(before: str, marks: str) -> bool:
    """Whether a letter, a digit or one of `marks` stands right before; the letter of an escaped line break may."""
    if before.endswith(("\\n", "\\r", "\\t")):
        return False
    return before[-1:].isalnum() or before[-1:] in tuple(marks)


def _digits(value: str) -> str:
    return "".join(char for char in value if char in "0123456789")
