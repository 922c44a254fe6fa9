"""What time it is where the machine's own clock may be wrong: what servers said, and for how long that was ago.

The clock of a laptop is its user's to set, and its battery's to lose. What people see, and what clients check
(certificates), follows it all the same; what is counted or dropped by age (budgets, the audit trail) follows this.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from agent.errors import HostError
from agent.host.files import read_limited, write_atomically
from agent.host.pause_file import seconds_up

log = logging.getLogger(__name__)

SKEW_SECONDS = 600.0
"""A clock is right within this: `Date` headers come from caches and slow answers, too."""
_KEEP_SECONDS = 3600.0  # between writes of the floor
_LIMIT = 4096  # bytes


class KnownTime:
    """Believes the clock as long as nothing contradicts it. May be used from several threads."""

    def __init__(
        self,
        path: Path,
        *,
        wall: Callable[[], float] = time.time,
        up: Callable[[], float] = seconds_up,
    ) -> None:
        """`path` keeps what a server said last: it was not earlier since. `up` counts while the machine
        sleeps, and nobody sets it. Blocks on the disk."""
        self._path = path
        self._wall = wall
        self._up = up
        self._guard = threading.Lock()
        self._heard: tuple[float, float] | None = None  # what a server said, and when by `up`
        self._floor = self._kept = _read(path)
        self._begun = up()

    def heard(self, said: float) -> None:
        """A server whose certificate was good said that it is this late. Does not block."""
        with self._guard:
            self._heard = (said, self._up())
            self._floor = said

    def now(self) -> float:
        """Unix seconds: the clock's, or what is known better."""
        return self.corrected(self._wall())

    def corrected(self, moment: float) -> float:
        """What the clock said a moment ago, as it should have said it."""
        return moment - self.skew()

    def skew(self) -> float:
        """Seconds by which the clock is ahead; 0 where it is right, as far as anybody knows."""
        skew = self._skew(self._wall())
        return skew if abs(skew) > SKEW_SECONDS else 0.0

    def keep(self) -> None:
        """Write the floor down, where it has moved. Blocks; what cannot be written is tried again."""
        with self._guard:
            floor = self._floor
        if abs(floor - self._kept) < _KEEP_SECONDS:
            return
        try:
            write_atomically(self._path, json.dumps({"version": 1, "floor": int(floor)}).encode() + b"\n")
        except HostError as error:
            log.warning("%s", error)
            return
        self._kept = floor

    def _skew(self, moment: float) -> float:
        with self._guard:
            if self._heard is not None:
                said, then = self._heard
                return moment - (said + self._up() - then)
            # nobody has said anything yet: it is not before the floor, and nothing else is known
            return min(moment - (self._floor + self._up() - self._begun), 0.0)


def _read(path: Path) -> float:
    with suppress(HostError, ValueError, TypeError, KeyError):
        return float(json.loads(read_limited(path, limit=_LIMIT) or b"")["floor"])
    return 0.0
