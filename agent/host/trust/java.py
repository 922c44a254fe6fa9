"""The trust stores (cacerts) of the Java runtimes of this machine, changed with their own keytool. Only on demand: few
Java programs ask models."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from agent.errors import HostError
from agent.host.pem import certificates_in
from agent.host.run import Runner
from agent.host.trust.store import Access, Root, Site, demand, handed, normal, parted, short

_PASSWORD = "changeit"  # noqa: S105  what every JDK ships with; the file's owner is its protection
_LIMIT = 32  # runtimes
_HINT = "Is the store's password another than Java's default? Add the root with keytool -importcert by hand."


class JavaStores:
    """A `TrustStore` of every cacerts below `homes`, directories of Java runtimes."""

    kind = "java-cacerts"

    def __init__(self, runner: Runner, homes: Iterable[Path]) -> None:
        self._run = runner
        self._tools = dict(_stores(homes))

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`."""
        place, mark = parted(scope)
        done = self._run([*self._tool(place, "-exportcert"), "-rfc", "-alias", _alias(mark)])
        return normal(done.stdout) if done.code == 0 else None

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`."""
        place, mark = parted(scope)
        if value is None:
            argv = [*self._tool(place, "-delete"), "-alias", _alias(mark)]
            demand(self._run, argv, what=f"the root is still in {place}", hint=_HINT)
            return
        with handed(value) as file:
            argv = [*self._tool(place, "-importcert"), "-noprompt", "-trustcacerts", "-alias", _alias(mark)]
            demand(self._run, [*argv, "-file", file], what=f"the root did not get into {place}", hint=_HINT)

    def sites(self) -> tuple[Site, ...]:
        """See `TrustStore`."""
        found = [
            Site(
                place=place,
                title=f"Java: {place}",
                access=Access.OPEN if os.access(place, os.W_OK) else Access.FORBIDDEN,
                remedy="" if os.access(place, os.W_OK) else "sudo drawbridge ca install --java",
            )
            for place in self._tools
        ]
        return tuple(found) or (Site(place="java", title="Java", access=Access.ABSENT),)

    def trusts(self, place: str, root: Root) -> bool:
        """See `TrustStore`: Debian fills this store from the system's own, under other names."""
        argv = [*self._tool(place, "-list"), "-rfc"]
        done = demand(self._run, argv, what=f"{place} cannot be read", hint=_HINT)
        return root.der in certificates_in(done.stdout)

    def _tool(self, place: str, verb: str) -> list[str]:
        if (tool := self._tools.get(place)) is None:
            raise HostError(f"{place} is no trust store of a Java runtime of this machine")
        return [tool, verb, "-keystore", place, "-storepass", _PASSWORD]


def java_homes(
    *, privileged: bool, java_home: str = "", platform: str = sys.platform, base: Path = Path("/")
) -> tuple[Path, ...]:
    """The Java runtimes of this machine. What a user's environment names, root does not follow."""
    patterns = {
        "darwin": ("Library/Java/JavaVirtualMachines/*/Contents/Home",),
        "win32": ("Program Files/Java/*", "Program Files/Eclipse Adoptium/*", "Program Files/Microsoft/jdk*"),
    }.get(platform, ("usr/lib/jvm/*", "usr/java/*", "opt/java/*"))
    found = [home for pattern in patterns for home in sorted(base.glob(pattern))]
    if java_home and not privileged:
        found.insert(0, Path(java_home))
    return tuple(found[:_LIMIT])


def _stores(homes: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Each store once, with a keytool for it; several runtimes may share one by a link."""
    seen: set[Path] = set()
    for home in homes:
        tool = home / "bin" / ("keytool.exe" if sys.platform == "win32" else "keytool")
        for inner in ("lib/security/cacerts", "jre/lib/security/cacerts"):
            with suppress(OSError):
                store = (home / inner).resolve(strict=True)
                if store not in seen and tool.exists():
                    seen.add(store)
                    yield str(store), str(tool)


def _alias(mark: str) -> str:
    return f"drawbridge-{short(mark)}"
