"""The table of validators: the last word on a match, by name, so that rules stay data.

A validator is told the span's text and up to `rule.KEYWORD_REACH` bytes of text before the match, including the part
of the match before the span. It answers with the length, in characters, of the head of the span that is the finding:
all of it, a part (an IBAN followed by capitals), or 0 for none. Validators are pure and see no more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from agent.guardrails import checksums, identities, plausibility, tokens

type Validator = Callable[[str, str], int]


def _whole(accepts: Callable[[str], bool]) -> Validator:
    """A validator from a predicate on the span."""
    return lambda value, _before: len(value) if accepts(value) else 0


def _whole_in_context(accepts: Callable[[str, str], bool]) -> Validator:
    """A validator from a predicate on the span and the text before it."""
    return lambda value, before: len(value) if accepts(value, before) else 0


def _luhn(value: str) -> bool:
    digits = "".join(char for char in value if char in "0123456789")
    return len(digits) > 1 and checksums.luhn(digits)


VALIDATORS: Mapping[str, Validator] = MappingProxyType(
    {
        # check digits, for custom rules too
        "luhn": _whole(_luhn),
        "iban": lambda value, _before: identities.iban(value),
        "crc32_base62": _whole(checksums.checksummed),
        # secrets
        "token": _whole(tokens.token),
        "random_token": _whole(tokens.random_token),
        "path_token": _whole(tokens.path_token),
        "named_token": _whole(tokens.named_token),
        "isolated_token": _whole_in_context(tokens.isolated_token),
        "checksummed_token": _whole(tokens.checksummed_token),
        "private_key": _whole(tokens.private_key),
        "jwt": _whole(tokens.jwt),
        "password_value": _whole_in_context(plausibility.password_value),
        "secret_value": _whole_in_context(plausibility.secret_value),
        "strong_password": _whole_in_context(plausibility.strong_password),
        "app_password": _whole(plausibility.app_password),
        "seed_phrase": _whole(plausibility.seed_phrase),
        "told_secret": _whole_in_context(plausibility.told_secret),
        "line_password": plausibility.line_password,
        "quoted_password": _whole_in_context(plausibility.quoted_password),
        "told_password": _whole_in_context(plausibility.told_password),
        "field_password": _whole_in_context(plausibility.field_password),
        "web_address_password": _whole_in_context(plausibility.web_address_password),
        "url_password": _whole_in_context(plausibility.url_password),
        "basic_credentials": _whole(plausibility.basic_credentials),
        # personal data
        "payment_card": _whole_in_context(identities.payment_card),
        "us_ssn": _whole(identities.us_ssn),
        "email": _whole_in_context(identities.email),
        "phone": _whole_in_context(identities.phone),
        "phone_us": _whole_in_context(identities.phone_us),
        "public_ipv4": _whole_in_context(identities.public_ipv4),
        "public_ipv6": _whole(identities.public_ipv6),
    }
)
"""Name to function; the names that rules may use."""
