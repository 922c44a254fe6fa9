"""Mailboxes of persons."""

from __future__ import annotations

import pytest

from agent.guardrails.identities import mailboxes


@pytest.mark.parametrize(
    ("address", "before", "person"),
    [
        ("jane.doe@corp-mail.com", "", True),
        ("jane@firma.de", "mailto:", True),
        ("jane@firma.de", "From: Jane <", True),
        ("git@github.com", "", False),
        ("noreply@corp-mail.com", "", False),
        ("no_reply@corp-mail.com", "", False),
        ("jane@example.com", "", False),
        ("jane@shop.example.org", "", False),
        ("1+jane@users.noreply.github.com", "", False),
        ("icon@2x.png", "", False),
        ("react@18.2.0", "", False),
        ("pass@db.corp-mail.com", "postgres://user:", False),
        ("user@host.corp-mail.com", "ssh://", False),
        ("a..b@corp-mail.com", "", False),
        ("jane@firma.de", "\nSigned-off-by: Jane Doe <", False),
        ("jane@firma.de", "\nCo-authored-by: Jane Doe <", False),
        ("jane@firma.de", "Author: Jane Doe <", False),
        ("jane@firma.de", '"author": "Jane Doe <', False),
        ("jane@firma.de", "# Copyright (C) 2024 Jane Doe <", False),
    ],
)
def test_mailboxes(address: str, before: str, person: bool) -> None:
    assert mailboxes.email(address, before) is person
