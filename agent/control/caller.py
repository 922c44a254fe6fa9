"""Who asks: an account of this machine, and what it may see."""

from __future__ import annotations

from dataclasses import dataclass

from agent.control.verbs import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A person at the control API or the dashboard."""

    uid: int
    pid: int
    name: str
    role: Role

    @property
    def about(self) -> str | None:
        """The account whose traffic this person may see; None: everybody's."""
        return None if self.role >= Role.OPERATOR else self.name
