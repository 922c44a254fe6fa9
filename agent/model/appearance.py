"""A program that was seen asking models."""

from __future__ import annotations

from dataclasses import dataclass

from agent.model.login import Login

MAX_ACCOUNTS = 8
"""So many kinds of account are remembered of a program on a surface."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """A program, surface and user that were seen together. `app` is a catalog id; where that is empty, `program` is the
    name of the process. Times are Unix seconds. `accounts` are the accounts that were asked with, the newest last,
    without what names a person or an organisation.
    """

    app: str
    program: str
    surface: str
    user: str
    host: str
    first_seen: float
    last_seen: float
    requests: int = 0
    blocked: int = 0
    evidence: str = ""
    accounts: tuple[Login, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from others."""
        return (self.app, "" if self.app else self.program, self.surface, self.user)

    @property
    def name(self) -> str:
        """The program, for people."""
        return self.app or self.program or "unknown"


def bare(login: Login) -> Login:
    """The kind of account that `login` is, without whose it is."""
    return Login(kind=login.kind, plan=login.plan, tenancy=login.tenancy)
