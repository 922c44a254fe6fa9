"""Tables that are rewritten stay tables."""

from __future__ import annotations

import pytest

from agent.inspection.tables import same_shape

TABLE = 'a,b\n1,"x, y"\n2,"line\nbreak"\n'


@pytest.mark.parametrize(
    ("after", "same"),
    [
        (TABLE.replace("x, y", "[REDACTED:toy]"), True),
        (TABLE.replace("1", "one"), True),
        (TABLE.replace('1,"x, y"', "1x y"), False),
        (TABLE.replace("a,b\n", ""), False),
        (TABLE.replace("2", "2,3"), False),
    ],
)
def test_a_table_has_the_same_cells_or_not(after: str, same: bool) -> None:
    assert same_shape(TABLE, after, "csv") is same
    assert same_shape(TABLE, after, "text")
