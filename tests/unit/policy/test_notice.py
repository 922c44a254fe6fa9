"""What the notice says besides the rules."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.policy import load


def notice(text: str) -> str:
    return f"schema_version: 1\nid: a\nnotice: {text}\n"


def test_it_names_whom_to_ask() -> None:
    policy = load(
        notice("{organisation: ACME, contact: it@example.com, url: 'https://it.example/ai'}"), source="t"
    )
    assert policy.notice.contact == "it@example.com"


def test_an_unknown_key_and_a_plain_address_are_refused() -> None:
    for text in ("{who: me}", "{url: 'javascript:alert(1)'}"):
        with pytest.raises(PolicyError):
            load(notice(text), source="t")
