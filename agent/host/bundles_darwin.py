"""Which macOS application a program belongs to: the identifier in the Info.plist of the outermost bundle around it.

Helpers lie in bundles of their own within the application's; the outermost one is what people know.
"""

from __future__ import annotations

import plistlib
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path, PurePosixPath

MAX_PLIST = 1024 * 1024  # bytes of an Info.plist; Xcode's has 200 KB
_MAX_KNOWN = 512


class Bundles:
    """Looks identifiers up, each file once while it does not change. May be used from several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int, int], str] = OrderedDict()
        self._guard = threading.Lock()

    def identifier(self, executable: str) -> str:
        """The bundle identifier of the application around `executable`; empty where there is none. Blocks."""
        around = outermost(executable)
        if around is None:
            return ""
        plist = Path(around) / "Contents" / "Info.plist"
        try:
            facts = plist.stat()
        except OSError:
            return ""
        key = (str(plist), facts.st_mtime_ns, facts.st_ino)
        with self._guard:
            if (known := self._known.get(key)) is not None:
                return known
        found = _read(plist)
        with self._guard:
            self._known[key] = found
            while len(self._known) > _MAX_KNOWN:
                self._known.popitem(last=False)
        return found


def outermost(executable: str) -> str | None:
    """The path of the outermost bundle (`….app`) that `executable` lies in."""
    path = PurePosixPath(executable)
    for parent in reversed(path.parents):
        if parent.suffix == ".app":
            return str(parent)
    return None


def _read(plist: Path) -> str:
    with suppress(Exception):  # whoever made the application wrote the file: the parser meets anything
        with plist.open("rb") as file:
            data = file.read(MAX_PLIST + 1)
        if len(data) <= MAX_PLIST:
            found = plistlib.loads(data)
            identifier = found.get("CFBundleIdentifier") if isinstance(found, dict) else None
            return identifier[:256] if isinstance(identifier, str) else ""
    return ""
