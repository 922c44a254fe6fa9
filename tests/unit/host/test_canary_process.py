"""The canary that is another process: a real one, aimed at nothing that captures it."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from agent.errors import HostError
from agent.host import canary_process
from agent.host.run import Servant


async def test_it_is_aimed_at_before_it_connects_and_ends_with_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aimed: list[int] = []
    started: list[Servant] = []

    def start() -> Servant:
        started.append(Servant(("canary-that-is-no-command",)))
        return started[0]

    async def aim(pid: int) -> None:
        aimed.append(pid)

    assert await canary_process.send(aim, start=start) is False
    assert aimed == [started[0].pid]
    assert started[0].code is not None


@pytest.mark.parametrize(("captured", "said"), [(True, b"yes\n"), (False, b"no\n"), (None, b"no\n")])
def test_it_says_whether_it_was_answered(
    monkeypatch: pytest.MonkeyPatch, captured: bool | None, said: bytes
) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(canary_process, "captured", lambda: captured)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"\n")))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    canary_process.main()
    assert out.getvalue() == said


def test_it_connects_nowhere_unless_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> bool:
        raise AssertionError("it was not aimed at")

    monkeypatch.setattr(canary_process, "captured", never)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"")))
    canary_process.main()


async def test_where_no_process_starts_that_is_said() -> None:
    def start() -> Any:
        raise HostError("no processes are left")

    async def aim(pid: int) -> None:
        raise AssertionError("there is nothing to aim at")

    with pytest.raises(HostError, match="no processes are left"):
        await canary_process.send(aim, start=start)
