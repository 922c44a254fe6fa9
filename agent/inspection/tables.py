"""Whether a table of text (RFC 4180) has kept its rows and columns. Pure."""

from __future__ import annotations

import csv
import io

_SEPARATORS = {"csv": ",;", "tsv": "\t"}


def same_shape(before: str, after: str, kind: str) -> bool:
    """Whether two texts have the same cells: as many in each row. Texts that are no tables always have."""
    return all(
        _widths(before, separator) == _widths(after, separator) for separator in _SEPARATORS.get(kind, "")
    )


def _widths(text: str, separator: str) -> list[int] | None:
    """The cells of each row; None where it is no table that way."""
    try:
        return [len(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)]
    except csv.Error:
        return None
