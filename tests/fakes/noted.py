"""What an agent has recorded of itself."""

from __future__ import annotations

from agent.model.record import IncidentKind


class Noted:
    """A `NoteIncident` that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[IncidentKind, str]] = []

    async def __call__(self, kind: IncidentKind, message: str, detail: tuple[tuple[str, str], ...]) -> None:
        del detail
        self.events.append((kind, message))

    @property
    def kinds(self) -> list[IncidentKind]:
        """The kinds alone."""
        return [kind for kind, _ in self.events]
