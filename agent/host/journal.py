"""The journal of what we change in the operating system: written before a change, so that every change can be undone.

A setting is undone only where it still has our value: whoever changed it since has the last word. Undoing needs no
network, no policy and no running engine, may be done any number of times, and may be interrupted anywhere. Blocks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from agent.errors import HostError
from agent.host.files import read_private, write_atomically

_LIMIT = 16 * 1024 * 1024  # bytes
_VERSION = 1
_FORMERS = 8  # values of ours that are remembered for one setting


class SettingDriver(Protocol):
    """One kind of setting of the OS. A value is a text that `write` takes back as it was read; None: it is not set."""

    @property
    def kind(self) -> str:
        """Names the kind in the journal, for ever: `gnome-proxy`, `macos-pac`, …"""
        ...

    def read(self, scope: str) -> str | None:
        """The value now; `scope` says whose it is: a user, a network service, a file. Raises HostError."""
        ...

    def write(self, scope: str, value: str | None) -> None:
        """Set it, or unset it. Raises HostError."""
        ...


@runtime_checkable
class PartedDriver(Protocol):
    """A driver whose `write` may be cut off between two steps that the OS cannot take as one."""

    def partly(self, value: str | None, before: str | None, ours: str | None) -> bool:
        """Whether `value` is what a change from `before` to `ours`, or back, leaves when it is cut off."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A setting as it is to be: what `Journal.apply` is given."""

    kind: str
    scope: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting that is ours: what it was before, what we made it, and when (Unix seconds). `formers` are what we had
    made it earlier: it still has the last of them if we died before the write."""

    kind: str
    scope: str
    before: str | None
    ours: str | None
    at: float
    formers: tuple[str | None, ...] = ()

    def is_ours(self, value: str | None) -> bool:
        """Whether the setting has a value that we gave it."""
        return value == self.ours or value in self.formers


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one setting: `done` is False where it already was so. A failure has `error`, and maybe `hint`."""

    wanted: Wanted
    done: bool = False
    error: str = ""
    hint: str = ""


class Undone(StrEnum):
    """What became of a change when it was to be undone."""

    RESTORED = "restored"
    LEFT = "left"  # somebody else has changed it since
    FAILED = "failed"  # it stays in the journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of one change, and why, where that is not plain."""

    change: Change
    undone: Undone
    reason: str = ""


class Journal:
    """The changes in force. One process writes it at a time: the caller holds a lock."""

    def __init__(
        self,
        path: Path,
        drivers: Iterable[SettingDriver],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._drivers: Mapping[str, SettingDriver] = {each.kind: each for each in drivers}
        self._clock = clock

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of settings that can be changed and undone here."""
        return frozenset(self._drivers)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes, oldest first. Raises HostError where the journal cannot be read: nothing may be changed then."""
        data = read_private(self._path, limit=_LIMIT)
        if data is None:
            return ()
        try:
            document = json.loads(data)
            if document["version"] != _VERSION:
                raise ValueError
            return tuple(
                Change(**{**row, "formers": tuple(row.get("formers", ()))}) for row in document["changes"]
            )
        except (ValueError, KeyError, TypeError) as error:
            raise HostError(
                f"the journal of changed settings {self._path} cannot be read",
                hint="It names the settings and their earlier values: restore them by hand, then remove it.",
            ) from error

    def apply(self, kind: str, scope: str, ours: str | None) -> bool:
        """Make a setting `ours`, having noted what it was; whether anything had to be changed.

        Raises HostError; the setting is then as it was, or noted.
        """
        driver = self._driver(kind)
        found = {(each.kind, each.scope): each for each in self.changes}
        known = found.get((kind, scope))
        now = driver.read(scope)
        if now == ours and (known is None or known.ours == ours):
            return False  # it was so before us, or is already as we made it
        before: str | None = now
        formers: tuple[str | None, ...] = ()
        if known is not None and (_is_ours(driver, known, now) or now == known.before):
            before, formers = known.before, (known.ours, *known.formers)[:_FORMERS]
        found[kind, scope] = Change(
            kind=kind, scope=scope, before=before, ours=ours, at=self._clock(), formers=formers
        )
        self._keep(found.values())
        driver.write(scope, ours)
        return True

    def bring_about(self, wanted: Wanted) -> Outcome:
        """The same, for many of which one that fails must not keep the others back."""
        try:
            done = self.apply(wanted.kind, wanted.scope, wanted.value)
        except HostError as error:
            return Outcome(wanted=wanted, error=str(error), hint=error.hint())
        return Outcome(wanted=wanted, done=done)

    def drifted(self) -> tuple[Change, ...]:
        """The changes that somebody else has changed since. Those that cannot be read are not among them."""
        return tuple(each for each in self.changes if self._state(each) is Undone.LEFT)

    def restore(self, kinds: Collection[str] | None = None) -> tuple[Report, ...]:
        """Undo every change, or those of some kinds, the newest first. What fails stays in the journal, to be tried
        again."""
        reports: list[Report] = []
        left = list(self.changes)
        for change in reversed(self.changes):
            if kinds is not None and change.kind not in kinds:
                continue
            report = self._undo(change)
            reports.append(report)
            if report.undone is not Undone.FAILED:
                left.remove(change)
                self._keep(left)
        return tuple(reports)

    def restore_one(self, kind: str, scope: str) -> Report | None:
        """Undo one change; None where there is none."""
        for change in self.changes:
            if (change.kind, change.scope) == (kind, scope):
                report = self._undo(change)
                if report.undone is not Undone.FAILED:
                    self._keep(each for each in self.changes if each != change)
                return report
        return None

    def _undo(self, change: Change) -> Report:
        try:
            driver = self._driver(change.kind)
            now = driver.read(change.scope)
            if now == change.before:  # we died after we had put it back, or somebody else did
                return Report(change=change, undone=Undone.RESTORED)
            if not _is_ours(driver, change, now):
                return Report(change=change, undone=Undone.LEFT, reason="somebody else has changed it since")
            driver.write(change.scope, change.before)
        except HostError as error:
            return Report(change=change, undone=Undone.FAILED, reason=str(error))
        return Report(change=change, undone=Undone.RESTORED)

    def _state(self, change: Change) -> Undone | None:
        try:
            driver = self._driver(change.kind)
            return None if _is_ours(driver, change, driver.read(change.scope)) else Undone.LEFT
        except HostError:
            return Undone.FAILED

    def _driver(self, kind: str) -> SettingDriver:
        if (driver := self._drivers.get(kind)) is None:
            raise HostError(
                f"this program does not know settings of the kind {kind!r}",
                hint="A newer version changed it: restore with that one.",
            )
        return driver

    def _keep(self, changes: Iterable[Change]) -> None:
        """Make the journal durable."""
        document = {"version": _VERSION, "changes": [asdict(each) for each in changes]}
        write_atomically(self._path, json.dumps(document, indent=1).encode())


def _is_ours(driver: SettingDriver, change: Change, now: str | None) -> bool:
    """Whether the setting has a value that we gave it, or part of one: a change that was cut off in the middle."""
    if change.is_ours(now):
        return True
    return isinstance(driver, PartedDriver) and any(
        driver.partly(now, change.before, ours) for ours in (change.ours, *change.formers)
    )
