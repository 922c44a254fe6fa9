"""Which names stand in the places where software is listed: directories and their names, little else.

A file is opened only for the version of something that is looked for: the `package.json` of a Node.js package, the
`Info.plist` of an application. Blocks. Never raises; directories that may not be read are empty.
"""

from __future__ import annotations

import os
import plistlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from xml.parsers.expat import ExpatError

import orjson

from agent.errors import HostError
from agent.host.files import read_limited
from agent.host.homes import Home, Residents
from agent.model.inventory import Item, Layout, Place, Source

MAX_ENTRIES = 5000
"""Of one directory; further ones are not looked at."""

MAX_DIRECTORIES = 512
"""That one place may stand for, with its `*`."""

_MANIFEST_LIMIT = 512 * 1024
_MAX_VERSION = 64  # characters

type IsWanted = Callable[[Source, str], bool]
"""Whether a source's name is one that is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A directory in which names stand, and whose."""

    path: Path
    user: str


class Places:
    """Where paths of rows lead on this machine."""

    def __init__(self, residents: Residents) -> None:
        self.homes = residents.homes()
        self._variables = residents.variables

    def spots(self, paths: Iterable[str]) -> Iterator[Spot]:
        """The directories or files that `paths` mean, those that are there; each once."""
        seen: set[Path] = set()
        for path in paths:
            for spot in self._named(path):
                for found in _globbed(spot.path):
                    if found not in seen:
                        seen.add(found)
                        yield replace(spot, path=found)

    def _named(self, path: str) -> Iterator[Spot]:
        if path.startswith("~/"):
            for home in self.homes:
                yield Spot(path=home.path / path[2:], user=home.user)
        elif path.startswith("%"):
            name, _, rest = path[1:].partition("%")
            yield from self._from_variable(name.lower(), rest.lstrip("/"))
        else:
            yield Spot(path=Path(path), user="")

    def _from_variable(self, name: str, rest: str) -> Iterator[Spot]:
        if name in self._variables:
            yield Spot(path=Path(self._variables[name]) / rest, user="")
        for home in self.homes:
            if name in home.variables:
                yield Spot(path=Path(home.variables[name]) / rest, user=home.user)


def listed(places: Iterable[Place], where: Places, wanted: IsWanted) -> Iterator[Item]:
    """What stands in `places` and is looked for."""
    for place in places:
        read = _LAYOUTS[place.layout]
        named = partial(wanted, place.source)
        for spot in where.spots(place.paths):
            for name, version, path in read(spot.path, named):
                yield Item(
                    source=place.source,
                    name=name,
                    version=version[:_MAX_VERSION],
                    host=place.host,
                    user=spot.user,
                    place=str(path),
                )


def registered(residents: Residents, wanted: IsWanted) -> Iterator[Item]:
    """What the system registers and is looked for."""
    for each in residents.registered():
        if wanted(Source.WINDOWS, each.name):
            yield Item(
                source=Source.WINDOWS, name=each.name, version=each.version[:_MAX_VERSION], user=each.user
            )


def on_path(path: str, home: Home | None, wanted: IsWanted) -> Iterator[Item]:
    """The commands that `path` (as in $PATH) leads a person to, of what is looked for; the first of each name."""
    seen: set[str] = set()
    for directory in path.split(os.pathsep)[:MAX_DIRECTORIES]:
        if not os.path.isabs(directory):  # noqa: PTH117  text from outside
            continue
        for name, version, found in _names(Path(directory), lambda name: wanted(Source.COMMANDS, name)):
            if name not in seen:
                seen.add(name)
                user = home.user if home is not None and found.is_relative_to(home.path) else ""
                yield Item(source=Source.COMMANDS, name=name, version=version, user=user, place=str(found))


type _Named = tuple[str, str, Path]
type _Is = Callable[[str], bool]


def _entries(directory: Path) -> list[str]:
    names: list[str] = []
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if len(names) >= MAX_ENTRIES:
                break
            names.append(entry.name)
    return sorted(names)


def _globbed(path: Path) -> Iterator[Path]:
    """The path, or where it has a `*` those that it fits. No directory below is walked."""
    parts = path.parts
    first = next((index for index, part in enumerate(parts) if "*" in part), None)
    with suppress(OSError, ValueError):
        if first is None:
            if path.exists():
                yield path
            return
        base = Path(*parts[:first])
        before, _, after = parts[first].partition("*")
        fitting = [
            name
            for name in _entries(base)
            if len(name) >= len(before) + len(after) and name.startswith(before) and name.endswith(after)
        ]
        for name in fitting[:MAX_DIRECTORIES]:
            yield from _globbed(Path(base, name, *parts[first + 1 :]))


def _names(directory: Path, wanted: _Is) -> Iterator[_Named]:
    """Entries as they are named, without the endings of Windows' commands."""
    for name in _entries(directory):
        plain = name
        for ending in (".exe", ".cmd"):
            plain = plain.removesuffix(ending)
        if wanted(plain):
            path, version = _package_of(directory / name)
            yield plain, version, path


def _package_of(command: Path) -> tuple[Path, str]:
    """Where a command comes from: a link into a Node.js package leads there, and to its version."""
    with suppress(OSError, RuntimeError):
        real = command.resolve()
        parts = real.parts
        if "node_modules" in parts:
            at = len(parts) - 1 - parts[::-1].index("node_modules")
            depth = 3 if len(parts) > at + 1 and parts[at + 1].startswith("@") else 2
            package = Path(*parts[: at + depth])
            return package, _json_version(package / "package.json")
    return command, ""


def _node_modules(directory: Path, wanted: _Is) -> Iterator[_Named]:
    for name in _entries(directory):
        names = [f"{name}/{each}" for each in _entries(directory / name)] if name.startswith("@") else [name]
        for each in names:
            if wanted(each):
                yield each, _json_version(directory / each / "package.json"), directory / each


def _environments(directory: Path, wanted: _Is) -> Iterator[_Named]:
    for name in _entries(directory):
        if not wanted(name):
            continue
        version = ""
        for packages in (
            *_globbed(directory / name / "lib" / "python*" / "site-packages"),
            *_globbed(directory / name / "Lib" / "site-packages"),
        ):
            start = f"{name.replace('-', '_')}-".lower()
            for entry in _entries(packages):
                if entry.lower().startswith(start) and entry.endswith(".dist-info"):
                    version = entry[len(start) : -len(".dist-info")]
        yield name, version, directory / name


def _versions(directory: Path, wanted: _Is) -> Iterator[_Named]:
    for name in _entries(directory):
        if wanted(name):
            versions = [each for each in _entries(directory / name) if each[:1].isdigit()]
            last = (
                versions[-1].partition("_")[0] if versions else ""
            )  # browsers and brew count revisions behind it
            yield name, last, directory / name


def _bundles(directory: Path, wanted: _Is) -> Iterator[_Named]:
    for entry in _entries(directory):
        name = entry.removesuffix(".app")
        if name != entry and wanted(name):
            version = _plist_version(directory / entry / "Contents" / "Info.plist")
            yield name, version, directory / entry


def _desktop(directory: Path, wanted: _Is) -> Iterator[_Named]:
    for entry in _entries(directory):
        name = entry.removesuffix(".desktop")
        if name == entry:
            continue
        plain = name.partition("_")[2] or name  # snap writes NAME_COMMAND.desktop
        for each in dict.fromkeys((name, plain)):
            if wanted(each):
                yield each, "", directory / entry
                break


def _extensions(directory: Path, wanted: _Is) -> Iterator[_Named]:
    """Of the versions of one extension the last counts: an editor removes old ones at its next start."""
    found: dict[str, _Named] = {}
    for entry in _entries(directory):
        name, _, version = entry.rpartition("-")
        while name and not version[:1].isdigit():  # publisher.name-1.2.3-linux-x64
            name, _, platform = name.rpartition("-")
            version = f"{platform}-{version}"
        if name and wanted(name):
            found[name.lower()] = (name, version.partition("-")[0], directory / entry)
    yield from found.values()


def _add_ons(directory: Path, wanted: _Is) -> Iterator[_Named]:
    for entry in _entries(directory):
        name = entry.removesuffix(".xpi")
        if name != entry and wanted(name):
            yield name, "", directory / entry


def _json_version(path: Path) -> str:
    with suppress(HostError, ValueError, TypeError):
        found = orjson.loads(read_limited(path, limit=_MANIFEST_LIMIT) or b"{}")
        if isinstance(found, dict) and isinstance(found.get("version"), str):
            return str(found["version"])
    return ""


def _plist_version(path: Path) -> str:
    with suppress(HostError, ValueError, ExpatError, OverflowError):
        found = plistlib.loads(read_limited(path, limit=_MANIFEST_LIMIT) or b"")
        if isinstance(found, dict) and isinstance(found.get("CFBundleShortVersionString"), str):
            return str(found["CFBundleShortVersionString"])
    return ""


_LAYOUTS: dict[Layout, Callable[[Path, _Is], Iterator[_Named]]] = {
    Layout.NAMES: _names,
    Layout.NODE_MODULES: _node_modules,
    Layout.ENVIRONMENTS: _environments,
    Layout.VERSIONS: _versions,
    Layout.BUNDLES: _bundles,
    Layout.ENTRIES: _desktop,
    Layout.EXTENSIONS: _extensions,
    Layout.ADD_ONS: _add_ons,
}
