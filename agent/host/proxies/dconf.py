"""GNOME for all users of a machine: a file of dconf's system database, and the profile that makes the database count.

Users may still choose otherwise: nothing is locked. Only root writes here, and only files of these names.
"""

from __future__ import annotations

import configparser
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.errors import HostError
from agent.host.earlier import Earlier
from agent.host.files import read_limited
from agent.host.paths import is_privileged
from agent.host.proxies.base import text_of
from agent.host.proxies.gnome import manual, word
from agent.host.proxies.textfile import LIMIT, TextFile
from agent.host.run import Runner, run

ROOT = Path("/etc/dconf")
_PROFILE = "user-db:user\nsystem-db:local\n"
_SECONDS = 30


class DconfDatabase(TextFile):
    """A `ProxySetting` of the database `local`."""

    def __init__(
        self,
        root: Path = ROOT,
        runner: Runner | None = None,
        *,
        installed: bool | None = None,
        privileged: Callable[[], bool] = is_privileged,
    ) -> None:
        self._privileged = privileged
        self._root = root
        self._file = root / "db" / "local.d" / "50-drawbridge"
        self._profile = root / "profile" / "user"
        self._run = runner or (lambda argv: run(argv, timeout=_SECONDS))
        self._installed = shutil.which("dconf") is not None if installed is None else installed
        super().__init__("dconf-database", (self._file, self._profile), changed=self._compile)

    def scopes(self) -> tuple[str, ...]:
        """See `ProxySetting`. The profile is ours to make only where there is none."""
        if not self._installed:
            return ()
        profile = self.read(str(self._profile))
        if profile is not None and "system-db:local" not in profile.split():
            raise HostError(
                f"{self._profile} does not read the database local: all users' proxy cannot be set",
                hint="Add the line: system-db:local",
            )
        files = (self._file, self._profile) if profile in (None, _PROFILE) else (self._file,)
        return tuple(map(str, files))

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`. Where a change was cut off before the database was compiled, that is made good first: a
        file that is as it should be says nothing of what programs are told."""
        if self._stale() and self._privileged():
            self._compile()
        return super().read(scope)

    def ours(self, scope: str, pac_url: str) -> str:
        """See `ProxySetting`."""
        if scope == str(self._profile):
            return _PROFILE
        return (
            "# Written by drawbridge setup; drawbridge restore removes it.\n"
            f"[system/proxy]\nmode='auto'\nautoconfig-url='{pac_url}'\n"
        )

    def earlier(self, values: Mapping[str, str | None]) -> Earlier:
        """See `ProxySetting`: what the database's other files say."""
        del values
        found: dict[str, str] = {}
        folder = self._file.parent
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path != self._file and path.is_file():
                found |= _proxy_keys(read_limited(path, limit=LIMIT) or b"")
        match word(found.get("mode")):
            case "auto":
                return Earlier(pac_url=word(found.get("autoconfig-url")))
            case "manual":
                return manual(found)
            case _:
                return Earlier()

    def _stale(self) -> bool:
        folder, database = self._file.parent, self._root / "db" / "local"
        try:
            changed = max(each.stat().st_mtime_ns for each in (folder, *folder.iterdir()))
        except OSError:
            return False
        return not database.exists() or database.stat().st_mtime_ns < changed

    def _compile(self) -> None:
        text_of(self._run(["dconf", "update"]), "dconf update")


def _proxy_keys(data: bytes) -> dict[str, str]:
    """The keys below /system/proxy of a key file, by their names from there on."""
    reader = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    try:
        reader.read_string(data.decode("utf-8", "replace"))
    except configparser.Error:
        return {}
    return {
        f"{section.removeprefix('system/proxy')}/{key}".strip("/"): value
        for section in reader.sections()
        if section == "system/proxy" or section.startswith("system/proxy/")
        for key, value in reader.items(section)
    }
