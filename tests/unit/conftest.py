"""What every unit test shares: code of ours that blocks the event loop fails the test."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster


@pytest.fixture(scope="session")
def _guard() -> BlockBuster:
    guard = BlockBuster(["agent", "addons"])
    # the system's roots are read once, before anything is served
    guard.functions["os.stat"].can_block_in("agent/gateway/transport/tls.py", "client_context")
    return guard


@pytest.fixture(autouse=True)
def _nothing_blocks_the_event_loop(request: pytest.FixtureRequest, _guard: BlockBuster) -> Iterator[None]:
    """In asynchronous tests, files, sockets, locks and sleeps that block raise where our code is on the stack."""
    if not inspect.iscoroutinefunction(getattr(request, "function", None)):
        yield
        return
    _guard.activate()
    try:
        yield
    finally:
        _guard.deactivate()
