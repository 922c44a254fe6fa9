"""Certificate files that every account of the machine can read: our roots alone, and the bundle of all roots.

The state directory is private to the agent's account, so programs of others need a place of their own. Only root (or an
administrator) writes there; the journal knows it, and `refresh` keeps the bundle in step with the system's roots.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from agent.errors import HostError
from agent.host.bundle import write_bundle
from agent.host.files import OTHERS_WRITE, read_limited, write_atomically
from agent.host.paths import SYSTEM_CONFIG_DARWIN, SYSTEM_CONFIG_LINUX
from agent.host.roots import RootStore

_LIMIT = 1024 * 1024  # bytes
_READABLE_FILE = 0o644
_READABLE_FOLDER = 0o755


def public_folder(*, platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the files for everybody stand, the same on every machine of a platform."""
    match platform:
        case "darwin":
            return SYSTEM_CONFIG_DARWIN / "trust"
        case "win32":  # not below ProgramData, where every user may make files
            return Path(environ.get("PROGRAMFILES", r"C:\Program Files"), "Drawbridge", "trust")
        case _:
            return SYSTEM_CONFIG_LINUX / "trust"


def public_roots(folder: Path | None = None) -> Path:
    """Our roots alone, for everybody."""
    return (folder or public_folder()) / "roots.pem"


def public_bundle(folder: Path | None = None) -> Path:
    """All roots of the system and ours, for everybody."""
    return (folder or public_folder()) / "bundle.pem"


class PublicFiles:
    """A `SettingDriver` of one folder; its value is the text of `roots.pem`, which the bundle follows."""

    kind = "trust-files"

    def __init__(self, folder: Path, store: RootStore) -> None:
        self.folder = folder
        self.roots = public_roots(folder)
        self.bundle = public_bundle(folder)
        self._store = store

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`."""
        self._check(scope)
        data = read_limited(self.roots, limit=_LIMIT)
        return None if data is None else data.decode("utf-8", "replace")

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`."""
        self._check(scope)
        if value is None:
            for file in (self.bundle, self.roots):
                try:
                    file.unlink(missing_ok=True)
                except OSError as error:
                    raise HostError(f"cannot remove {file}: {error.strerror or error}") from error
            with suppress(OSError):  # something else is kept there
                self.folder.rmdir()
                self.folder.parent.rmdir()
            return
        self.prepare()
        write_atomically(self.roots, value.encode(), mode=_READABLE_FILE)
        self.refresh()

    def refresh(self) -> bool:
        """Bring the bundle in step with the system's roots, where there is one to be; whether it was written. Raises
        HostError."""
        roots = read_limited(self.roots, limit=_LIMIT)
        if roots is None:
            return False
        return write_bundle(self.bundle, roots, store=self._store, mode=_READABLE_FILE)

    def prepare(self) -> None:
        """Make the folder, and check that nobody else can change it. Raises HostError."""
        try:
            self.folder.mkdir(mode=_READABLE_FOLDER, parents=True, exist_ok=True)
            found = self.folder.lstat()
            if not stat.S_ISDIR(found.st_mode):
                raise HostError(f"{self.folder} is not a directory", hint="Remove it.")
            if sys.platform != "win32":
                if found.st_uid != os.geteuid() or found.st_mode & OTHERS_WRITE:
                    raise HostError(
                        f"{self.folder} can be changed by others than user {os.geteuid()}",
                        hint=f"Run: chown root {self.folder} && chmod go-w {self.folder}",
                    )
                self.folder.chmod(_READABLE_FOLDER)  # mkdir's mode passes the umask
        except OSError as error:
            raise HostError(f"cannot make {self.folder}: {error.strerror or error}") from error

    def _check(self, scope: str) -> None:
        if scope != str(self.folder):
            raise HostError(f"{scope} is not the folder of the certificate files, {self.folder}")
