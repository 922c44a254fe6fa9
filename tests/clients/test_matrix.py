"""Every client reaches every provider through the gateway: whole, streamed, with tools, with thoughts.

The clients are the vendors' SDKs and two libraries that people use in their place, each in a process of its own; the
providers are stand-ins that refuse what their vendors refuse. The table is in docs/compatibility.md.
"""

from __future__ import annotations

import pytest

from tests.clients.matrix.grid import KNOWN, Cell, cells
from tests.clients.matrix.stage import others, tried

pytestmark = pytest.mark.timeout(900)  # the first test waits for all of them: minutes on a slow machine
CELLS = tuple(cells())
OTHERS = tuple(others())


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[Cell, str | None]:
    """What is wrong with each cell; all are tried at once."""
    results = tried([*CELLS, *OTHERS], tmp_path_factory.mktemp("matrix"))
    return {result.cell: result.wrong for result in results}


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_client_reaches_a_provider(cell: Cell, found: dict[Cell, str | None]) -> None:
    if cell in KNOWN and found[cell]:
        pytest.xfail(KNOWN[cell])
    assert cell not in KNOWN, "it works now: take it out of the grid's KNOWN"
    assert found[cell] is None


@pytest.mark.parametrize("cell", OTHERS, ids=str)
def test_what_is_no_chat_passes(cell: Cell, found: dict[Cell, str | None]) -> None:
    if cell in KNOWN and found[cell]:
        pytest.xfail(KNOWN[cell])
    assert cell not in KNOWN, "it works now: take it out of the grid's KNOWN"
    assert found[cell] is None
