"""What became of the OS's settings, for whoever asks how this machine is. Written by the supervisor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.errors import HostError
from agent.host.files import read_private, write_atomically

_LIMIT = 256 * 1024  # bytes


class Led(StrEnum):
    """Whether AI traffic is led here."""

    HERE = "proxy_set"
    NOT = "proxy_restored"
    ASKED = "proxy_requested"  # of root
    OVERRIDDEN = "proxy_overridden"  # somebody else insists
    FAILED = "proxy_failed"
    CAPTURE_FAILED = "capture_failed"  # it has switched itself off


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsState:
    """How it is, since when (Unix seconds), and why, a sentence for each setting that is not as it should be."""

    led: Led
    at: float
    reasons: tuple[str, ...] = ()


def write_state(path: Path, led: Led, at: float, reasons: Sequence[str] = ()) -> None:
    """Keep it. Blocks. Raises HostError."""
    write_atomically(path, json.dumps({"state": led, "at": at, "reasons": list(reasons)}).encode())


def read_state(path: Path) -> SettingsState | None:
    """What was last kept; None where there is nothing that can be read. Blocks, never raises."""
    try:
        data = read_private(path, limit=_LIMIT)
        document = json.loads(data) if data is not None else {}
        return SettingsState(
            led=Led(document["state"]),
            at=float(document["at"]),
            reasons=tuple(str(each) for each in document["reasons"]),
        )
    except (HostError, ValueError, KeyError, TypeError, AttributeError):
        return None
