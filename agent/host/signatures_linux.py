"""Who vouches for a program on Linux: the system package that its file belongs to.

Only a file that none but root can have written counts, since a package manager says which path a package has, not what
lies there now. Snaps are read-only images; which one stands in the path.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from agent.errors import HostError
from agent.host.run import Runner, run
from agent.model.traffic import UNSIGNED, Signature

_SECONDS = 10.0  # dpkg-query looks through all its lists: 0.1 s
_OUTPUT = 64 * 1024
_SNAPS = ("/snap/", "/var/lib/snapd/snap/")


class Packages:
    """A `Verifier` that asks dpkg, rpm or pacman, whichever there is."""

    @property
    def protects(self) -> bool:
        """See `Verifier`."""
        return True

    def __init__(self, runner: Runner | None = None, root: Path = Path("/")) -> None:
        """`root` is where the system's files are."""
        self._run = runner or partial(run, timeout=_SECONDS, limit=_OUTPUT)
        self._root = root

    def verify(self, executable: str) -> Signature:
        """See `Verifier`."""
        if not self._is_roots(executable):
            return UNSIGNED
        for place in _SNAPS:
            if executable.startswith(place):
                return _vouched("snap", executable.removeprefix(place).partition("/")[0])
        if (self._root / "var/lib/dpkg/status").exists():
            return self._dpkg(executable)
        if any((self._root / place).is_dir() for place in ("var/lib/rpm", "usr/lib/sysimage/rpm")):
            return self._query("rpm", ("rpm", "-qf", "--queryformat", "%{NAME}\\n", executable))
        if (self._root / "var/lib/pacman/local").is_dir():
            return self._query("pacman", ("pacman", "-Qoq", executable))
        return UNSIGNED

    def _dpkg(self, executable: str) -> Signature:
        for path in _spellings(executable):
            answer = self._run(("dpkg-query", "-S", path))
            if answer.code != 0:
                continue
            # "code: /usr/share/code/code", "libc6:amd64: /lib/…", "a, b: /usr/share/both"
            for line in answer.stdout.decode(errors="replace").splitlines():
                owners, _, owned = line.rpartition(": ")
                if owned == path and not owners.startswith("diversion "):
                    return _vouched("dpkg", owners.partition(",")[0].partition(":")[0])
        return UNSIGNED

    def _query(self, kind: str, command: tuple[str, ...]) -> Signature:
        answer = self._run(command)
        name = answer.stdout.decode(errors="replace").partition("\n")[0].strip()
        return _vouched(kind, name) if answer.code == 0 and name else UNSIGNED

    def _is_roots(self, executable: str) -> bool:
        """Whether only root can have put the file there: neither it nor a directory above can be written by others."""
        path = PurePosixPath(executable)
        if not path.is_absolute():
            return False
        try:
            return all(
                (facts := (self._root / each.relative_to("/")).lstat()).st_uid == self._owner
                and not (facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not stat.S_ISLNK(facts.st_mode))
                for each in (path, *path.parents)
            )
        except OSError as error:
            raise HostError(f"cannot look at {executable}: {error.strerror or error}") from error

    @property
    def _owner(self) -> int:
        return 0 if self._root == Path("/") else self._root.stat().st_uid


def _spellings(executable: str) -> Iterator[str]:
    """Where /bin is a link to /usr/bin, older packages list their files below /bin."""
    yield executable
    if executable.startswith("/usr/"):
        yield executable.removeprefix("/usr")


def _vouched(kind: str, name: str) -> Signature:
    if not name:
        return UNSIGNED
    package = f"snap:{name}" if kind == "snap" else name
    return Signature(signer=f"{kind}:{name}", package=package, verified=True)
