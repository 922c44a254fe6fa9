"""The policy's `accounts.history`: a PostgreSQL database that keeps what was used for longer than the counters need."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from agent.policy import fields
from agent.policy.section import Section


def _database_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("postgresql", "postgres") or not host or not parts.path.strip("/"):
        raise ValueError("must be postgresql://user@host:port/database")
    if parts.password is not None:
        raise ValueError(
            "must not hold a password: give it by reference in 'password' "
            "(if this is a real password, replace it now)"
        )
    if parts.query or parts.fragment:
        raise ValueError(
            "must end with the database's name: how it is reached is said by 'tls' and 'ca_file'"
        )
    return text


DatabaseUrl = Annotated[str, Field(max_length=512), AfterValidator(_database_url)]


class DatabaseTls(StrEnum):
    """How the connection to the database is protected."""

    VERIFY = "verify"  # encrypted, and the server's certificate is checked
    OFF = "off"  # for loopback and networks of containers


class History(Section):
    """Where usage by day is kept for good."""

    url: DatabaseUrl = Field(description="postgresql://user@host:port/database.")
    password: fields.SecretReference | None = Field(default=None, description="Of the database's user.")
    tls: DatabaseTls = DatabaseTls.VERIFY
    ca_file: str | None = Field(
        default=None,
        min_length=1,
        max_length=1024,
        description="PEM file of the roots to trust instead of the system's.",
    )
