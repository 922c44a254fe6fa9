"""What an engine tells its supervisor of itself, a line a second. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

MAX_LINE = 4096  # bytes
REPLACE = b"replace\n"
"""What an engine says, besides beats, that wants another in its place: settings have changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One line: `ready` once it serves, resident memory in bytes, CPU seconds used so far, exchanges in progress."""

    ready: bool
    memory: int
    cpu: float
    active: int

    def line(self) -> bytes:
        """As it is sent."""
        fields = {"ready": self.ready, "memory": self.memory, "cpu": self.cpu, "active": self.active}
        return json.dumps(fields).encode() + b"\n"


def parse_beat(line: bytes) -> Beat | None:
    """The beat of a line, None where it is none."""
    if len(line) > MAX_LINE:
        return None
    try:
        fields = json.loads(line)
        ready, memory, cpu, active = (fields[name] for name in ("ready", "memory", "cpu", "active"))
    except (ValueError, KeyError, TypeError):
        return None
    sound = type(ready) is bool and type(memory) is int and type(active) is int and type(cpu) in (int, float)
    return Beat(ready=ready, memory=memory, cpu=float(cpu), active=active) if sound else None
