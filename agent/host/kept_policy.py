"""The policy that was last in force, kept for a start with one that is refused. Its text, and where it came from: the
files that it names are read there."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from pathlib import Path

from agent.errors import HostError
from agent.host.files import read_private, write_atomically

log = logging.getLogger(__name__)

_VERSION = 1
_LIMIT = 16 * 1024 * 1024  # bytes: a policy of 5 MB, escaped


def keep_policy(path: Path, source: Path, text: str) -> None:
    """Keep it, where it is not kept yet. Blocks. A disk that refuses is only said: the policy is in force all the
    same."""
    if kept_policy(path) == (source, text):
        return
    try:
        document = {"version": _VERSION, "source": str(source), "text": text}
        write_atomically(path, json.dumps(document).encode() + b"\n")
    except HostError as error:
        log.warning("the policy is not kept for a bad start: %s", error)


def kept_policy(path: Path) -> tuple[Path, str] | None:
    """Where the last good policy came from, and its text; None where none is kept, or not whole. Blocks."""
    with suppress(HostError, ValueError, KeyError, TypeError):
        document = json.loads(read_private(path, limit=_LIMIT) or b"")
        if document["version"] == _VERSION and isinstance(document["text"], str):
            return Path(document["source"]), document["text"]
    return None
