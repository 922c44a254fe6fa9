"""The archive: entries, each with the reason why it is there, and the zip file. The file is written last, 0600."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

MAX_ENTRY = 2 * 1024 * 1024  # bytes
MAX_ARCHIVE = 16 * 1024 * 1024  # bytes, unpacked


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of the archive. `why` says to a person what it is good for."""

    name: str
    why: str
    data: bytes


def json_entry(name: str, why: str, document: object) -> Entry:
    """A document as an entry."""
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"
    return Entry(name=name, why=why, data=text.encode("utf-8", "replace"))


def packed(entries: Sequence[Entry]) -> tuple[bytes, tuple[Entry, ...]]:
    """The zip file and what is in it, the manifest first. What would be too large stands in the manifest with its
    reason, and is left out."""
    kept: list[Entry] = []
    rows: list[dict[str, object]] = []
    total = 0
    for each in entries:
        size = len(each.data)
        row: dict[str, object] = {"file": each.name, "why": each.why, "bytes": size}
        if size > MAX_ENTRY or total + size > MAX_ARCHIVE:
            rows.append({**row, "left_out": "too large"})
            continue
        total += size
        kept.append(each)
        rows.append({**row, "sha256": hashlib.sha256(each.data).hexdigest()})
    manifest = json_entry("MANIFEST.json", "every file, why it is here, and its hash", {"files": rows})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in (manifest, *kept):
            archive.writestr(each.name, each.data)
    return buffer.getvalue(), (manifest, *kept)
