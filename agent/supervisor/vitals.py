"""When what an engine tells of itself is no longer the word of a sound process. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agent.host.beats import Beat


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What an engine may take, in seconds and bytes. Work is no fault: CPU counts while no exchange is in progress."""

    start: float = 60.0  # until it is ready
    silence: float = 15.0  # between beats
    memory: int = 800 * 1024 * 1024
    memory_for: float = 15.0
    idle_cpu: float = 0.5  # of one core …
    idle_cpu_for: float = 60.0


class Vitals:
    """Follows one engine's beats. All times are the caller's."""

    def __init__(self, now: float, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._heard = now
        self._begun = now
        self.ready_at: float | None = None
        self._heavy_since: float | None = None
        self._idle_since: float | None = None
        self._idle_cpu = 0.0
        self.last: Beat | None = None

    def beat(self, now: float, beat: Beat) -> None:
        """It has said something."""
        self._heard = now
        if beat.ready and self.ready_at is None:
            self.ready_at = now
        if beat.memory <= self._bounds.memory:
            self._heavy_since = None
        elif self._heavy_since is None:
            self._heavy_since = now
        if beat.active or self._idle_since is None or self.last is None:
            self._idle_since, self._idle_cpu = (None if beat.active else now), beat.cpu
        elif beat.cpu - self._idle_cpu < self._bounds.idle_cpu * (now - self._idle_since):
            self._idle_since, self._idle_cpu = now, beat.cpu
        self.last = beat

    def fault(self, now: float) -> str:
        """What is wrong with it; empty: nothing."""
        bounds = self._bounds
        if self.ready_at is None and now - self._begun > bounds.start:
            return f"it was not ready within {bounds.start:.0f} s"
        if now - self._heard > (bounds.silence if self.ready_at is not None else bounds.start):
            return f"it was silent for {now - self._heard:.0f} s"
        if self._heavy_since is not None and now - self._heavy_since >= bounds.memory_for:
            return f"it used more than {bounds.memory // 2**20} MB"
        if self._idle_since is not None and now - self._idle_since >= bounds.idle_cpu_for:
            return "it used a core without work to do"
        return ""

    def slept(self, now: float) -> None:
        """The machine slept: silence until now is nobody's fault."""
        self._heard = now
        self._heavy_since = self._idle_since = None
        if self.ready_at is None:
            self._begun = now

    def served(self, now: float) -> float:
        """For how many seconds it has served."""
        return 0.0 if self.ready_at is None else now - self.ready_at
