"""What every unit test shares: code of ours that blocks the event loop fails the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx


@pytest.fixture(autouse=True)
def _nothing_blocks_the_event_loop() -> Iterator[None]:
    """Files, sockets, locks and sleeps that block raise while a loop runs, where our code is on the stack."""
    with blockbuster_ctx(["agent", "addons"]):
        yield
