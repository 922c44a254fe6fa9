"""The table of validators: the last word on a match, by name, so that rules stay data.

A validator is told the span's text and up to `rule.KEYWORD_REACH` bytes of text before the match, including the part
of the match before the span. It answers with the length, in characters, of the head of the span that is the finding:
all of it, a part (an IBAN followed by capitals), or 0 for none. Validators are pure and see no more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from agent.guardrails import checksums, plausibility, tokens
from agent.guardrails.identities import (
    crypto,
    dates,
    documents,
    finance,
    mailboxes,
    national,
    network,
    places,
    telephone,
)

type Validator = Callable[[str, str], int]


def _whole(accepts: Callable[[str], bool]) -> Validator:
    """A validator from a predicate on the span. Validators say what they demand in the words of their predicates."""

    def validator(value: str, _before: str) -> int:
        return len(value) if accepts(value) else 0

    validator.__doc__ = accepts.__doc__
    return validator


def _whole_in_context(accepts: Callable[[str, str], bool]) -> Validator:
    """A validator from a predicate on the span and the text before it."""

    def validator(value: str, before: str) -> int:
        return len(value) if accepts(value, before) else 0

    validator.__doc__ = accepts.__doc__
    return validator


def _luhn(value: str) -> bool:
    digits = "".join(char for char in value if char in "0123456789")
    return len(digits) > 1 and checksums.luhn(digits)


_NATIONAL: Mapping[str, Validator] = {
    **{kind: _whole_in_context(national.named(kind)) for kind in national.NATIONAL},
    **{f"{kind}_alone": _whole_in_context(national.standing_alone(kind)) for kind in national.ALONE},
}

VALIDATORS: Mapping[str, Validator] = MappingProxyType(
    {
        # check digits, for custom rules too
        "luhn": _whole(_luhn),
        "iban": lambda value, _before: finance.iban(value),
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
        "foreign_password": _whole_in_context(plausibility.foreign_password),
        "strong_password": _whole_in_context(plausibility.strong_password),
        "app_password": _whole(plausibility.app_password),
        "seed_phrase": _whole(plausibility.seed_phrase),
        "told_secret": _whole_in_context(plausibility.told_secret),
        "key_value": _whole_in_context(plausibility.key_value),
        "stored_value": _whole_in_context(plausibility.stored_value),
        "line_password": plausibility.line_password,
        "quoted_password": _whole_in_context(plausibility.quoted_password),
        "told_password": _whole_in_context(plausibility.told_password),
        "written_password": _whole_in_context(plausibility.written_password),
        "nameless_password": _whole(plausibility.nameless_password),
        "field_password": _whole_in_context(plausibility.field_password),
        "web_address_password": _whole_in_context(plausibility.web_address_password),
        "url_password": _whole_in_context(plausibility.url_password),
        "basic_credentials": _whole(plausibility.basic_credentials),
        # personal data
        "bank_account": _whole_in_context(finance.bank_account),
        "bank_account_in_context": _whole_in_context(finance.bank_account_in_context),
        "bic": _whole(finance.bic),
        "crypto_wallet": _whole_in_context(crypto.crypto_wallet),
        "date_of_birth": _whole(dates.date_of_birth),
        "document_number": _whole_in_context(documents.document_number),
        "email": _whole_in_context(mailboxes.email),
        "gps_coordinate": _whole(places.gps_coordinate),
        "gps_coordinates": _whole(places.gps_coordinates),
        "mac_address": _whole_in_context(network.mac_address),
        "payment_card": _whole_in_context(finance.payment_card),
        "phone_grouped": _whole_in_context(telephone.phone_grouped),
        "phone_international": _whole_in_context(telephone.phone_international),
        "phone_named": telephone.phone_named,
        "phone_us": _whole_in_context(telephone.phone_us),
        "public_ipv4": _whole_in_context(network.public_ipv4),
        "public_ipv6": _whole_in_context(network.public_ipv6),
        "us_routing_number": _whole(finance.us_routing_number),
        "us_ssn": _whole_in_context(national.us_ssn),
        **_NATIONAL,
    }
)
"""Name to function; the names that rules may use."""
