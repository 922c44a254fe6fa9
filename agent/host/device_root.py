"""The device's own root on the disk: made once, and changed for another only where somebody asks for that.

A rotation has three steps, each of which may be cut off anywhere: `prepare` makes a second root that signs nothing yet
and can be trusted first; `switch` puts it in the place of the first, whose key is gone then; `finish` forgets the
first. Between `prepare` and `finish` programs are to trust both. Blocks; everything raises HostError.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from agent.errors import HostError
from agent.host.certificates import issue_root, new_key
from agent.host.files import read_limited, write_atomically
from agent.host.key_seal import KeyFiles
from agent.host.pairs import Pair, key_text, load_certificate, load_key, load_pair, pem_text, write_pair
from agent.host.paths import StatePaths

OVERLAP_DAYS = 30
"""How long the root before is trusted beside the new one, unless somebody says otherwise."""
_LIMIT = 64 * 1024  # bytes of the note


class Stage(StrEnum):
    """How far a rotation is."""

    NONE = "none"
    PREPARED = "prepared"  # the next root is there, to be trusted; the first one signs
    SWITCHED = "switched"  # the next root signs; the one before is still trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What the disk says of a rotation. `other` is the root beside the one in use."""

    stage: Stage
    other: x509.Certificate | None = None
    until: datetime | None = None  # when the one before is forgotten, once the next signs


def load_root(paths: StatePaths, files: KeyFiles) -> Pair | None:
    """The root in use, None on a first run or after one that was cut short before anybody could trust its root. A
    switch that was cut short is brought to its end."""
    mend = (
        f"Restore {paths.root_certificate.name} and {paths.root_key.name} in {paths.ca} from a backup, or "
        f"remove {paths.ca}, start again, and trust the new root in place of the old."
    )
    certificate, key = paths.root_certificate.exists(), paths.root_key.exists()
    if not certificate and not paths.intermediate_certificate.exists():
        return None  # nothing yet, or a key alone: the key is written first
    if not certificate or not key:
        lost = paths.root_key if certificate else paths.root_certificate
        raise HostError(f"the device root is incomplete: {lost} is missing", hint=mend)
    try:
        _resume(paths, files)
        pair = load_pair(paths.root_certificate, paths.root_key, files)
    except HostError as error:
        raise HostError(f"the device root cannot be used: {error}", hint=error.hint() or mend) from error
    if pair is None:
        raise HostError(f"the device root in {paths.ca} vanished while it was read", hint=mend)
    return pair


def make_root(paths: StatePaths, files: KeyFiles, *, hostname: str, now: datetime) -> Pair:
    """The first root."""
    key = new_key()
    pair = Pair.of(issue_root(key, hostname=hostname, now=now), key)
    write_pair(paths.root_certificate, paths.root_key, pair, files)
    return pair


def check_time(paths: StatePaths, root: x509.Certificate, now: datetime) -> None:
    """Raises HostError for a root that is not valid yet or no more."""
    start, end = root.not_valid_before_utc, root.not_valid_after_utc
    if now < start:
        raise HostError(
            f"the device root is valid from {start:%Y-%m-%d}, and the clock says {now:%Y-%m-%d}",
            hint="Set the clock right. If the root was made under a wrong clock, remove "
            f"{paths.ca}, start again, and trust the new root.",
        )
    if now >= end:
        raise HostError(
            f"the device root expired on {end:%Y-%m-%d}",
            hint=f"Check the clock, then remove {paths.ca}, start again, and trust the new root.",
        )


def rotation(paths: StatePaths, now: datetime) -> Rotation:
    """How far a rotation is. A root before whose overlap is over counts as forgotten."""
    following = load_certificate(paths.next_certificate)
    if following is not None and following != load_certificate(paths.root_certificate):
        return Rotation(stage=Stage.PREPARED, other=following)
    before = load_certificate(paths.previous_certificate)
    if before is None:
        return Rotation(stage=Stage.NONE)
    until = _until(paths) or now + timedelta(days=OVERLAP_DAYS)
    if now >= until:
        return Rotation(stage=Stage.NONE)
    return Rotation(stage=Stage.SWITCHED, other=before, until=until)


def prepare(paths: StatePaths, files: KeyFiles, *, hostname: str, now: datetime) -> x509.Certificate:
    """The root that is to be the next: the one prepared before, or a new one."""
    kept = load_pair(paths.next_certificate, paths.next_key, files)
    if kept is not None:
        return kept.certificate
    key = new_key()
    pair = Pair.of(issue_root(key, hostname=hostname, now=now), key)
    write_pair(paths.next_certificate, paths.next_key, pair, files)
    return pair.certificate


def switch(paths: StatePaths, files: KeyFiles, *, now: datetime, overlap: timedelta) -> None:
    """Let the prepared root sign from now on. The key of the one before is gone with it."""
    following = load_pair(paths.next_certificate, paths.next_key, files)
    before = load_certificate(paths.root_certificate)
    if following is None or before is None:
        raise HostError("no next root was prepared", hint="Make one: drawbridge ca rotate")
    note = {"version": 1, "until": (now + overlap).timestamp()}
    write_atomically(paths.rotation, json.dumps(note).encode())
    write_atomically(paths.previous_certificate, pem_text(before))
    files.write(paths.root_key, key_text(following.key))
    # cut off here, the key in place is that of the next root: `_resume` sees that, and goes on
    _resume(paths, files)


def finish(paths: StatePaths) -> bool:
    """Forget the root before; whether there was one."""
    there = paths.previous_certificate.exists()
    for path in (paths.previous_certificate, paths.rotation):
        _remove(path)
    return there


def _resume(paths: StatePaths, files: KeyFiles) -> None:
    """Bring a switch whose key is in place already to its end."""
    following = load_certificate(paths.next_certificate)
    if following is None:
        return
    key = load_key(paths.root_key, files)
    if key is None or key.public_key() != following.public_key():
        return
    write_atomically(paths.root_certificate, pem_text(following))
    for path in (paths.next_key, paths.next_certificate):
        _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise HostError(f"cannot remove {path}: {error.strerror or error}") from error


def _until(paths: StatePaths) -> datetime | None:
    data = read_limited(paths.rotation, limit=_LIMIT)
    with suppress(ValueError, TypeError, KeyError, OverflowError):
        return datetime.fromtimestamp(float(json.loads(data or b"")["until"]), UTC)
    return None
