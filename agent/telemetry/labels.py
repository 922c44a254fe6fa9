"""Label values within bounds: who makes up names must not fill the memory of this process or of a metrics store."""

from __future__ import annotations

OTHER = "other"
NONE = "none"
_LONGEST = 100  # characters


class Bounded:
    """The values of one label: the first `limit` keep their names, all further ones are `other`.

    Names of exchanges that nobody answered (a model that does not exist) get at most half of the places, so that a
    client that guesses names leaves room for those that are real.
    """

    __slots__ = ("_half", "_known", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._half = limit // 2
        self._known: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._known)

    def value(self, raw: str, *, real: bool = True) -> str:
        """The label's value for `raw`; `none` for an empty text. `real` where somebody answered to the name."""
        if not raw:
            return NONE
        if (known := self._known.get(raw)) is not None:
            return known
        if len(self._known) >= (self._limit if real else self._half):
            return OTHER
        self._known[raw] = clean = cleaned(raw)
        return clean


def cleaned(raw: str) -> str:
    """`raw` as a label's value: printable (it may end up in a terminal too), no longer than anybody reads."""
    short = raw[:_LONGEST]
    return (
        short
        if short.isascii() and short.isprintable()
        else "".join(
            each if each.isprintable() and not "\ud800" <= each <= "\udfff" else "?" for each in short
        )
    )
