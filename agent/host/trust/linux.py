"""The trust store of a Linux system: a directory for an administrator's roots, and the command that makes the files
programs read from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.errors import HostError
from agent.host.files import read_limited, write_atomically
from agent.host.roots import RootStore
from agent.host.run import Completed, Runner, run
from agent.host.trust.store import Access, Root, Site, demand, normal, parted, short

_LIMIT = 1024 * 1024  # bytes
_READABLE = 0o644  # certificates are public; every program must read them
_HOOK_SECONDS = 120
_HINT = "Run the command by hand, as root, to see what it says."

type Feed = Callable[[Sequence[str], bytes], Completed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How one family of distributions does it."""

    folder: str
    suffix: str
    refresh: tuple[str, ...]
    after_removal: tuple[str, ...] = ()  # where it is another command
    hooks: str = ""  # programs that fill other stores, to be told what is gone


# the order of mkcert, truststore_linux.go: the first directory that exists decides
FAMILIES: tuple[Family, ...] = (
    Family(
        folder="/etc/pki/ca-trust/source/anchors", suffix=".pem", refresh=("update-ca-trust", "extract")
    ),  # Fedora, RHEL
    Family(
        folder="/usr/local/share/ca-certificates",
        suffix=".crt",
        refresh=("update-ca-certificates",),
        after_removal=("update-ca-certificates", "--fresh"),  # else the link to a file that is gone may stay
        hooks="/etc/ca-certificates/update.d",  # Java's store: --fresh tells them nothing, the root would stay
    ),  # Debian, Ubuntu
    Family(
        folder="/etc/ca-certificates/trust-source/anchors",
        suffix=".crt",
        refresh=("trust", "extract-compat"),
    ),  # Arch
    Family(folder="/usr/share/pki/trust/anchors", suffix=".pem", refresh=("update-ca-certificates",)),  # SUSE
)


class LinuxStore:
    """A `TrustStore` of anchors in a directory, below `base` (another than `/` for tests)."""

    kind = "linux-anchors"

    def __init__(
        self,
        runner: Runner,
        store: RootStore,
        *,
        feed: Feed | None = None,
        base: Path = Path("/"),
        families: Sequence[Family] = FAMILIES,
    ) -> None:
        """`store` is what programs read in the end; `feed` runs a program with something on its standard input."""
        self._run = runner
        self._feed = feed or (lambda argv, text: run(argv, timeout=_HOOK_SECONDS, stdin=text))
        self._store = store
        self._base = base
        self._families = {self._folder(each): each for each in families}

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`."""
        data = read_limited(self._file(scope)[0], limit=_LIMIT)
        return None if data is None else normal(data) or data.decode("utf-8", "replace")

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`. The directory is the administrators' own, so nothing in it can be a trap. Where the
        system's files cannot be rebuilt, the directory is as it was: the next try begins anew."""
        file, family = self._file(scope)
        before = read_limited(file, limit=_LIMIT)
        _put(file, None if value is None else value.encode())
        try:
            if value is None:
                self._tell_hooks(family, file)
            self._rebuild(family, removed=value is None)
        except HostError:
            _put(file, before)
            raise

    def mend(self, root: Root) -> bool:
        """Rebuild the system's files where a root stands in the directory and they lack it; whether that was so.
        Raises HostError."""
        for place, family in self._families.items():
            if self.read(root.scope(place)) == root.pem and not self.trusts(place, root):
                self._rebuild(family)
                return True
        return False

    def sites(self) -> tuple[Site, ...]:
        """See `TrustStore`."""
        title = "system (OpenSSL, GnuTLS, Go, Python, curl, git)"
        for folder in self._families:
            if Path(folder).is_dir():
                writable = os.access(folder, os.W_OK)
                return (
                    Site(
                        place=folder,
                        title=title,
                        access=Access.OPEN if writable else Access.FORBIDDEN,
                        remedy="" if writable else "sudo drawbridge ca install",
                    ),
                )
        return (
            Site(
                place=str(self._base),
                title=title,
                access=Access.ABSENT,
                remedy="install your distribution's package ca-certificates",
            ),
        )

    def trusts(self, place: str, root: Root) -> bool:
        """See `TrustStore`: what the system's commands have made is what programs read."""
        del place
        return root.der in self._store.certificates()

    def _rebuild(self, family: Family, *, removed: bool = False) -> None:
        command = family.after_removal if removed and family.after_removal else family.refresh
        demand(self._run, list(command), what="the system's trust store was not rebuilt", hint=_HINT)

    def _tell_hooks(self, family: Family, file: Path) -> None:
        """As update-ca-certificates tells them of a certificate that its configuration leaves out: by the name of the
        link that it had made."""
        if not family.hooks:
            return
        link = self._base / "etc/ssl/certs" / f"{file.stem}.pem"
        for hook in sorted((self._base / family.hooks.removeprefix("/")).glob("*")):
            if hook.is_file() and os.access(hook, os.X_OK) and "." not in hook.name:  # as run-parts chooses
                done = self._feed([str(hook)], f"-{link}\n".encode())
                if done.code != 0:
                    raise HostError(f"{hook} ended with {done.code}: the root may still be in its store")

    def _file(self, scope: str) -> tuple[Path, Family]:
        place, mark = parted(scope)
        family = self._families.get(place)
        if family is None:  # a journal names it, and root would write there
            raise HostError(f"{place} is no directory of a system's trust store")
        return Path(place) / f"drawbridge-{short(mark)}{family.suffix}", family

    def _folder(self, family: Family) -> str:
        return str(self._base / family.folder.removeprefix("/"))


def _put(file: Path, data: bytes | None) -> None:
    if data is not None:
        write_atomically(file, data, mode=_READABLE)
        return
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise HostError(f"cannot remove {file}: {error.strerror or error}", hint=_HINT) from error
