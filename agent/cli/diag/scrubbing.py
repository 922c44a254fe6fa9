"""Takes secrets out of what goes into the archive: what our own rules take for one, in every text by itself before it
is written as JSON, and whatever this process knows to be one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.guardrails import Scanner
from agent.model.findings import Finding

_LINE = 8 * 1024  # characters; a longer one of a log is cut
_SHORTEST = 6  # characters of a value that is taken out wherever it stands
_TELLING = ("key", "token", "secret", "passw", "credential", "auth", "cookie", "dsn")


def secret_values(environ: Mapping[str, str]) -> frozenset[str]:
    """Values of variables whose names say that they are secret."""
    return frozenset(
        value
        for name, value in environ.items()
        if len(value) >= _SHORTEST
        and any(each in name.lower() for each in _TELLING)
        # where something stands is no secret: SSH_AUTH_SOCK, XAUTHORITY
        and not value.startswith("/")
    )


class Scrubber:
    """Takes out what `scanner` finds, and every one of the `known` values; `home` becomes `~`."""

    def __init__(self, scanner: Scanner, *, known: Iterable[str] = (), home: str = "") -> None:
        self._scanner = scanner
        self._known = sorted(known, key=len, reverse=True)
        self._home = home
        self.removed = 0
        """How many places were taken out."""

    def document(self, value: object) -> object:
        """A document with every text in it scrubbed, names of fields too."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(str(key)): self.document(each) for key, each in value.items()}
            case list() | tuple():
                return [self.document(each) for each in value]
            case _:
                return value

    def text(self, text: str) -> str:
        """A text without secrets."""
        for each in self._known:
            if each in text:
                self.removed += text.count(each)
                text = text.replace(each, "[removed]")
        found = self._scanner.scan(text)
        text = self._without(text, found)
        return text.replace(self._home, "~") if len(self._home) > 1 else text

    def lines(self, text: str) -> str:
        """The same for a log: the text as a whole, since a key may have several lines, with its lines cut."""
        return self.text("\n".join(line[:_LINE] for line in text.splitlines()))

    def _without(self, text: str, found: Iterable[Finding]) -> str:
        parts: list[str] = []
        at = 0
        for each in sorted(found, key=lambda one: (one.start, -one.end)):
            if each.end <= at:
                continue
            if each.start >= at:
                parts += [text[at : each.start], f"[removed: {each.type}]"]
                self.removed += 1
            at = each.end  # what overlaps the one before goes with it
        return "".join((*parts, text[at:]))
