"""A program that was seen asking models."""

from __future__ import annotations

from dataclasses import dataclass

from agent.model.app import Asker, Evidence
from agent.model.direct import direct
from agent.model.login import Login

MAX_ACCOUNTS = 8
"""So many kinds of account are remembered of a program on a surface."""


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """A program, surface and user that were seen together. `app` is a catalog id; `program` is the name of the process
    where nothing but the request's own word, or nothing at all, says which app it is. Times are Unix seconds.
    `accounts` are those that were asked with, the newest last, without what names a person or an organisation.
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
    evidence: Evidence = Evidence.NONE
    accounts: tuple[Login, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from others."""
        return (self.app, self.program, self.surface, self.user)

    @property
    def name(self) -> str:
        """The program, for people."""
        if self.app and self.program:
            return f"{self.program} (says it is {self.app})"
        return self.app or self.program or "unknown"

    @property
    def asker(self) -> Asker:
        """Who asked, as far as that is remembered."""
        known = not self.program
        return Asker(app=self.app, evidence=self.evidence, seen=self.app if known else "")


def bare(login: Login) -> Login:
    """The kind of account that `login` is, without whose it is."""
    return Login(kind=login.kind, plan=login.plan, tenancy=login.tenancy)
