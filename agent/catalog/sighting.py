"""Which of the software that is looked for is among what a machine lists. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.catalog.patterns import fits, is_plain
from agent.model.inventory import Found, FoundKind, Item, Software, Source

_KINDS: Mapping[Source, FoundKind] = {
    Source.COMMANDS: FoundKind.COMMAND,
    Source.NPM: FoundKind.COMMAND,
    Source.PYTHON: FoundKind.COMMAND,
    Source.BREW: FoundKind.COMMAND,
    Source.MACOS: FoundKind.APP,
    Source.WINDOWS: FoundKind.APP,
    Source.LINUX: FoundKind.APP,
    Source.VSCODE: FoundKind.EDITOR_EXTENSION,
    Source.JETBRAINS: FoundKind.EDITOR_EXTENSION,
    Source.CHROMIUM: FoundKind.BROWSER_EXTENSION,
    Source.FIREFOX: FoundKind.BROWSER_EXTENSION,
}


class Sighting:
    """Knows software by its names, ready to be asked about many."""

    def __init__(self, software: Iterable[Software]) -> None:
        self._plain: dict[tuple[Source, str], Software] = {}
        self._globs: dict[Source, list[tuple[str, Software]]] = {}
        for row in software:
            for source, names in row.names.items():
                for name in names:
                    if is_plain(name):
                        self._plain.setdefault((source, name), row)
                    else:
                        self._globs.setdefault(source, []).append((name, row))

    def of(self, source: Source, name: str) -> Software | None:
        """The software that a source calls `name`."""
        name = name.lower()
        found = self._plain.get((source, name))
        if found is not None:
            return found
        return next((row for glob, row in self._globs.get(source, ()) if fits(glob, name)), None)

    def found(self, items: Iterable[Item]) -> tuple[Found, ...]:
        """What is known among `items`. The same thing in the same place counts once, with its version where one is
        told."""
        seen: dict[tuple[object, ...], Found] = {}
        for item in items:
            row = self.of(item.source, item.name)
            if row is None:
                continue
            made = Found(
                kind=_KINDS[item.source],
                id=row.id,
                name=row.name,
                version=item.version,
                host=item.host,
                user=item.user,
                place=item.place,
            )
            key = (*made.key, made.place)
            if key not in seen or (made.version and not seen[key].version):
                seen[key] = made
        return tuple(seen.values())
