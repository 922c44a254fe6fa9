"""What a reader of requests does not understand, gathered as paths in the client's own words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Unread:
    """The paths so far, in the order in which they were met."""

    paths: list[str] = field(default_factory=list)

    def note(self, path: str) -> None:
        """`path` was not understood, or not all of it."""
        self.paths.append(path)

    def others(self, path: str, value: Mapping[str, object], known: Collection[str]) -> None:
        """Note the fields of the object at `path` that are not `known`. One that is null says nothing."""
        for name, content in value.items():
            if name not in known and content is not None:
                self.note(f"{path}.{name}" if path else name)
