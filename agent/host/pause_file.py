"""A pause as it is kept over a restart of the engine: one small file that nobody else can write.

What it says is not trusted beyond what the policy allows; see `agent.control.pause`.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.errors import HostError
from agent.host.files import read_private, write_atomically

_LIMIT = 16 * 1024  # bytes
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """An interval in which AI traffic is not intercepted. Times are Unix seconds and, in `_up`, seconds since the
    machine was started: neither clock alone can make it longer."""

    begun_at: float
    ends_at: float
    begun_up: float
    ends_up: float
    user: str
    uid: int
    reason: str = ""


def seconds_up() -> float:
    """Seconds since the machine was started, those that it slept included, as far as the system counts them."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(clock) if clock is not None else time.monotonic()


def read_pause(path: Path) -> Pause | None:
    """The pause that was kept; None where there is none or it cannot be read. Blocks."""
    try:
        data = read_private(path, limit=_LIMIT)
        document = json.loads(data) if data is not None else {}
        if document.pop("version", None) != _VERSION:
            return None
        found = Pause(**document)
    except (HostError, ValueError, TypeError, AttributeError):
        return None
    return found if _sound(found) else None


def write_pause(path: Path, pause: Pause) -> None:
    """Keep it. Blocks. Raises HostError."""
    write_atomically(path, json.dumps({"version": _VERSION, **asdict(pause)}).encode() + b"\n")


def remove_pause(path: Path) -> None:
    """Forget it; none is fine. Blocks."""
    with suppress(OSError):
        path.unlink()


def _sound(found: Pause) -> bool:
    """What a file says may be of any type."""
    values = asdict(found)
    texts, number = (values.pop("user"), values.pop("reason")), values.pop("uid")
    return (
        all(type(each) in (int, float) for each in values.values())
        and type(number) is int
        and all(isinstance(each, str) for each in texts)
    )
