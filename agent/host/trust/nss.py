"""The certificate databases of NSS, which Chrome, Chromium and Firefox on Linux read: one for each user and profile.

They belong to users: only a user's own process opens them, never root, who could be led elsewhere by a link.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from agent.errors import HostError
from agent.host.run import Runner
from agent.host.trust.store import Access, Root, Site, demand, handed, normal, parted, short

_DATABASE = "cert9.db"
_SCHEME = "sql:"
_LIMIT = 64  # databases of one user
_BROWSERS = (
    (".pki/nssdb", "Chrome, Chromium"),
    ("snap/chromium/current/.pki/nssdb", "Chromium (snap)"),
    (".var/app/org.chromium.Chromium/.pki/nssdb", "Chromium (Flatpak)"),
)
_PROFILES = (
    (".mozilla/firefox", "Firefox"),
    (".config/mozilla/firefox", "Firefox"),
    ("snap/firefox/common/.mozilla/firefox", "Firefox (snap)"),
    (".var/app/org.mozilla.firefox/.mozilla/firefox", "Firefox (Flatpak)"),
)
_REMEDY = (
    "install certutil: libnss3-tools (Debian, Ubuntu), nss-tools (Fedora, RHEL), mozilla-nss-tools (SUSE), "
    "nss (Arch)"
)
_HINT = "Close the browser and try again; a database with a primary password must be unlocked in the browser itself."


class NssStore:
    """A `TrustStore` of the databases below `home`, handled with certutil(1)."""

    kind = "nss"

    def __init__(
        self, runner: Runner, *, home: Path, find: Callable[[str], str | None] = shutil.which
    ) -> None:
        self._run = runner
        self._home = home
        self._find = find

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`."""
        place, mark = self._checked(scope)
        done = self._run([self._tool(), "-L", "-d", place, "-n", _nickname(mark), "-a"])
        return normal(done.stdout) if done.code == 0 else None

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`."""
        place, mark = self._checked(scope)
        tool, name = self._tool(), _nickname(mark)
        if value is None:
            argv = [tool, "-D", "-d", place, "-n", name]
            demand(self._run, argv, what=f"the root is still in {place}", hint=_HINT)
            return
        with handed(value) as file:  # C: an authority for TLS servers, for nothing else
            argv = [tool, "-A", "-d", place, "-n", name, "-t", "C,,", "-i", file]
            demand(self._run, argv, what=f"the root did not get into {place}", hint=_HINT)

    def sites(self) -> tuple[Site, ...]:
        """See `TrustStore`."""
        known = self._find("certutil") is not None
        found = [
            Site(
                place=f"{_SCHEME}{folder}",
                title=f"{title}: {self._shown(folder)}",
                access=Access.OPEN if known else Access.UNKNOWN,
                remedy="" if known else _REMEDY,
            )
            for folder, title in self._databases()
        ]
        return tuple(found[:_LIMIT]) or (
            Site(
                place=str(self._home),
                title="browsers' own (NSS)",
                access=Access.ABSENT,
                remedy="start the browser once",
            ),
        )

    def trusts(self, place: str, root: Root) -> bool:
        """See `TrustStore`: NSS itself says whether it takes the root for an authority of TLS servers."""
        argv = [self._tool(), "-V", "-d", place, "-n", _nickname(root.mark), "-u", "L"]
        return self.read(root.scope(place)) == root.pem and self._run(argv).code == 0

    def _databases(self) -> Iterator[tuple[Path, str]]:
        for place, title in _BROWSERS:
            if self._is_database(self._home / place):
                yield self._home / place, title
        for place, title in _PROFILES:
            with suppress(OSError):
                for folder in sorted((self._home / place).iterdir()):
                    if self._is_database(folder):
                        yield folder, title

    def _is_database(self, folder: Path) -> bool:
        with suppress(OSError):
            return (folder / _DATABASE).is_file() and folder.stat().st_uid == os.geteuid()
        return False

    def _shown(self, folder: Path) -> str:
        return f"~/{folder.relative_to(self._home)}"

    def _checked(self, scope: str) -> tuple[str, str]:
        place, mark = parted(scope)
        folder = Path(place.removeprefix(_SCHEME))
        if not place.startswith(_SCHEME) or not folder.is_relative_to(self._home) or ".." in folder.parts:
            raise HostError(f"{place} is no database of this user")
        return place, mark

    def _tool(self) -> str:
        if (found := self._find("certutil")) is None:
            raise HostError("certutil is not installed", hint=_REMEDY)
        return found


def _nickname(mark: str) -> str:
    return f"Drawbridge root {short(mark)}"
