"""Databases that SQLite cannot read any more: told from those that are only out of reach, and kept as evidence."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite says that a file is none of its own, or not whole; no full disk, no lock."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGED  # the rest of the number says where


def set_aside(path: Path) -> str:
    """Keep a damaged database as evidence; the name that it has now. Blocks. Raises OSError."""
    mark = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    kept = f"{path.name}.damaged-{mark}"
    log.error("%s is damaged: kept as %s, and a new one is begun", path, kept)
    for ending in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).replace(path.with_name(kept + ending))
    return kept
