"""The event loop of long-running processes."""

from __future__ import annotations

import asyncio
import sys

import pytest

from agent.host.loops import loop_factory


def test_the_faster_loop_runs_where_it_is_installed() -> None:
    pytest.importorskip("uvloop", reason="uvloop has no wheels for Windows")
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        assert "uvloop" in type(runner.get_loop()).__module__
        assert runner.run(asyncio.sleep(0, "done")) == "done"


def test_without_it_asyncios_own_loop_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is None
