"""Whether the state directory is still the one that was begun with: what is written to a removed one goes nowhere."""

from __future__ import annotations

from agent.host.paths import StatePaths


class StatePresence:
    """Remembers the directory that there was when it was built. Every method blocks."""

    def __init__(self, paths: StatePaths) -> None:
        self._paths = paths
        self._number = self._now()

    def lost(self) -> bool:
        """Whether the directory, or what cannot be done without in it, was removed or another one put in its place."""
        paths = self._paths
        return not (
            self._now() == self._number
            and paths.spool.exists()
            and (paths.root_certificate.exists() or paths.company_certificate.exists())
        )

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self._paths.root.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
