"""The reasons that people gave for findings they were asked about, in the state directory. Never a value: findings
are named by keyed fingerprints. Everything here blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.host.records import Record, add_record, read_records

LONGEST_MINUTES = 24 * 60
"""No policy lets a reason hold for longer."""

_EARLY_SECONDS = 60  # a clock that was set back by less makes no reason void


@dataclass(frozen=True, slots=True, kw_only=True)
class Justification:
    """One reason. `findings` are pairs of a guardrail's id and a fingerprint, `event` the exchange they were met in;
    `terminal` says whether a terminal was there when it was given, so most likely a person."""

    at: float  # Unix seconds
    event: str
    reason: str
    findings: tuple[tuple[str, str], ...]
    terminal: bool


def justify(path: Path, justification: Justification) -> None:
    """Put a reason on record; those that no policy lets hold any more are dropped. Raises HostError."""
    record: Record = {
        "at": justification.at,
        "event": justification.event,
        "reason": justification.reason,
        "findings": [list(pair) for pair in justification.findings],
        "terminal": justification.terminal,
    }
    add_record(path, record, keep=lambda old: _holds(old, justification.at, LONGEST_MINUTES))


class JustificationFile:
    """Reads the reasons, again only when the file has changed."""

    def __init__(self, path: Path, key: bytes) -> None:
        """`key` makes the fingerprints; see `agent.inspection.justified`."""
        self.key = key
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._records: tuple[Record, ...] = ()

    def reasons(self, *, now: float, minutes: int, terminal: bool) -> Mapping[tuple[str, str], str]:
        """The reasons given in the last `minutes`, by guardrail and fingerprint; the newest where there are several.
        With `terminal` only those given at one. Raises HostError for a file that others may open."""
        self._refresh()
        held = (
            record
            for record in self._records
            if _holds(record, now, minutes) and (record.get("terminal") is True or not terminal)
        )
        return {pair: str(record.get("reason", "")) for record in held for pair in _pairs(record)}

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
        except OSError:
            self._seen, self._records = None, ()
            return
        state = (found.st_mtime_ns, found.st_size, found.st_ino)
        if state != self._seen:
            self._records = read_records(self._path)
            self._seen = state


def _holds(record: Record, now: float, minutes: int) -> bool:
    at = record.get("at")
    return isinstance(at, int | float) and now - minutes * 60 <= at <= now + _EARLY_SECONDS


def _pairs(record: Record) -> Iterator[tuple[str, str]]:
    findings = record.get("findings")
    for pair in findings if isinstance(findings, list) else ():
        match pair:
            case [str(guardrail), str(fingerprint)]:
                yield guardrail, fingerprint
