"""The ROOT store of Windows, the machine's or a user's, changed with certutil.exe."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.errors import HostError
from agent.host.files import read_limited
from agent.host.pem import pem_of
from agent.host.run import Runner
from agent.host.trust.store import Access, Root, Site, demand, handed, normal, parted

_LIMIT = 1024 * 1024  # bytes
MACHINE, USER = "LocalMachine\\Root", "CurrentUser\\Root"
_HINT = "Run it from an elevated prompt, or deploy the root with Group Policy or Intune (docs/trust.md)."


class RootsOfWindows:
    """A `TrustStore` of one ROOT store. Adding to a user's own, Windows asks that user."""

    kind = "windows-root"

    def __init__(self, runner: Runner, *, machine: bool) -> None:
        self._run = runner
        self._place = MACHINE if machine else USER
        self._user = [] if machine else ["-user"]

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`."""
        mark = self._mark(scope)
        with TemporaryDirectory(prefix="drawbridge-trust-") as folder:
            file = Path(folder) / "root.cer"
            done = self._run([_tool(), *self._user, "-store", "Root", mark, str(file)])
            data = read_limited(file, limit=_LIMIT) if done.code == 0 else None
        if not data:
            return None
        return normal(data) or pem_of(data).decode()

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`."""
        mark = self._mark(scope)
        if value is None:
            argv = [_tool(), *self._user, "-delstore", "Root", mark]
            demand(self._run, argv, what=f"the root is still in {self._place}", hint=_HINT)
            return
        with handed(value) as file:  # -f: one that is there already is no error
            argv = [_tool(), *self._user, "-f", "-addstore", "Root", file]
            demand(self._run, argv, what=f"the root did not get into {self._place}", hint=_HINT)

    def sites(self) -> tuple[Site, ...]:
        """See `TrustStore`."""
        whose = "all users" if self._place == MACHINE else "this user"
        title = f"Windows, {whose} (Edge, Chrome, .NET, schannel)"
        return (Site(place=self._place, title=title, access=Access.OPEN, remedy=_HINT),)

    def trusts(self, place: str, root: Root) -> bool:
        """See `TrustStore`."""
        return self.read(root.scope(place)) == root.pem

    def _mark(self, scope: str) -> str:
        place, mark = parted(scope)
        if place != self._place:
            raise HostError(f"{place} is not the store {self._place}")
        return mark


def _tool() -> str:
    return str(Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "certutil.exe"))
