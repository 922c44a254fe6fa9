"""E-mail addresses: those of persons, not of programs, documentation and version control."""

from __future__ import annotations

from agent.guardrails.vocabulary import (
    COUNTRY_DOMAINS,
    GENERIC_DOMAINS,
    PLACEHOLDER_DOMAINS,
    SERVICE_MAILBOXES,
)

_DOCUMENTATION_DOMAINS = ("example", "invalid", "test", "localhost", "local", "internal")
_NO_REPLY = ("noreply", "no-reply", "no_reply", "no.reply", "donotreply", "do-not-reply", "do_not_reply")
_TRAILERS = ("-by: ", "author: ", "committer: ", "commit: ", "cc: ", "copyright", "(c) ", "©")
_PACKAGE_FIELDS = ("author", "maintainer", "contributor")


def email(value: str, before: str) -> bool:
    """A mailbox of a person: no service mailbox, documentation domain, file name or user part of an address.

    In what version control and packages record about their authors (`Signed-off-by: Name <mail>`, `Author:`,
    `"author": "Name <mail>"`, `Copyright 2024 Name <mail>`) it is let pass: such lines are public with the code.
    """
    if before.endswith("://") or _inside_authority(before) or _credited(before):
        return False
    local, _, domain = value.lower().partition("@")
    if local in SERVICE_MAILBOXES or local.startswith(_NO_REPLY) or ".." in local:
        return False
    labels = domain.split(".")
    if labels[-1] not in GENERIC_DOMAINS and labels[-1] not in COUNTRY_DOMAINS:
        return False
    if "example" in labels or domain in PLACEHOLDER_DOMAINS or domain.endswith(_PLACEHOLDER_PARENTS):
        return False
    return not all(label.isdigit() for label in labels[:-1])


_PLACEHOLDER_PARENTS = tuple(f".{domain}" for domain in (*_DOCUMENTATION_DOMAINS, "noreply.github.com"))


def _credited(before: str) -> bool:
    """Whether the text before ends in `Signed-off-by: Name <` or the like."""
    line = before[max(before.rfind("\n"), before.rfind("\\n")) + 1 :]
    if not line.endswith("<"):
        return False
    folded = line.lower()
    if any(trailer in folded for trailer in _TRAILERS):
        return True
    return any(
        f"{field}{end}" in folded for field in _PACKAGE_FIELDS for end in ('"', "'", "s ", "_", " =", "s:")
    )


def _inside_authority(before: str) -> bool:
    """Whether the text before ends in `scheme://user:`, so that what follows is a password and a host."""
    scheme = before.rfind("://")
    return scheme >= 0 and not any(char.isspace() or char in "/?\"'`<>" for char in before[scheme + 3 :])
