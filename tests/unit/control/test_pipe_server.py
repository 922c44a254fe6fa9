"""The control API on a named pipe, asked by the client that commands use. Only Windows itself is imitated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.control.api import ControlApi
from agent.control.caller import Caller
from agent.control.client import Control, NotRunningError
from agent.control.http import Limits
from agent.control.pipe_server import PipeServer
from agent.control.verbs import VERBS, EventWish
from agent.errors import ConfigError, HostError
from agent.host.paths import StatePaths
from agent.host.peers import Operators
from agent.host.pipes import MACHINE_PIPE, PipeSocket, control_pipe
from agent.host.settings import Origin, Settings, Source
from agent.model.record import IncidentKind
from tests.fakes.pipes import ANN, ROOT, FakePipes

LONG = "x" * 500_000


async def handle(caller: Caller, wish: Any) -> object:
    if isinstance(wish, EventWish):
        return {"events": LONG}
    return {"name": caller.name, "role": caller.role.name, "pid": caller.pid}


async def note(kind: IncidentKind, message: str, detail: tuple[tuple[str, str], ...]) -> None:
    """Recorded elsewhere."""


@asynccontextmanager
async def serving(pipes: FakePipes, name: str, limits: Limits | None = None) -> AsyncIterator[None]:
    operators = Operators(own_identifier=pipes.own(), platform="win32")
    server = PipeServer(ControlApi({verb.name: handle for verb in VERBS}, operators, note), pipes, limits)
    await server.serve(name, everybody=True)
    try:
        yield
    finally:
        server.close()
        async with asyncio.timeout(5):
            while pipes.closed == 0:
                await asyncio.sleep(0.01)


def control(pipes: FakePipes, state: Path, source: Source = Source.COMMAND_LINE) -> Control:
    return Control(Settings(state_dir=state, origins={"state_dir": Origin(source=source)}), pipes=pipes)


async def test_a_person_looks_and_an_administrator_pauses(tmp_path: Path) -> None:
    pipes = FakePipes()
    asked = control(pipes, tmp_path)
    async with serving(pipes, control_pipe(StatePaths.under(tmp_path))):
        assert await asyncio.to_thread(asked.ask, "me") == {"name": r"CORP\ann", "role": "USER", "pid": 77}
        with pytest.raises(ConfigError, match="administrators"):
            await asyncio.to_thread(asked.ask, "pause", {"minutes": 5})
        pipes.client = ROOT
        told = await asyncio.to_thread(asked.ask, "pause", {"minutes": 5})
        assert told["role"] == "OPERATOR"


async def test_a_long_answer_arrives_whole(tmp_path: Path) -> None:
    pipes = FakePipes()
    async with serving(pipes, control_pipe(StatePaths.under(tmp_path))):
        told = await asyncio.to_thread(control(pipes, tmp_path).ask, "events")
        assert told == {"events": LONG}


async def test_whoever_the_agent_runs_as_may_do_everything(tmp_path: Path) -> None:
    pipes = FakePipes(account="S-1-5-21-1-1001", maker="S-1-5-21-1-1001")
    async with serving(pipes, control_pipe(StatePaths.under(tmp_path))):
        told = await asyncio.to_thread(control(pipes, tmp_path).ask, "me")
        assert told["role"] == "OPERATOR"


async def test_the_machines_agent_is_asked_only_where_nobody_named_another(tmp_path: Path) -> None:
    pipes = FakePipes()
    async with serving(pipes, MACHINE_PIPE):
        told = await asyncio.to_thread(control(pipes, tmp_path, Source.DEFAULT).ask, "status")
        assert told["name"] == ANN.account.name if ANN.account else ""
        with pytest.raises(NotRunningError):
            control(pipes, tmp_path).ask("status")


async def test_a_pipe_that_somebody_else_made_is_told_nothing(tmp_path: Path) -> None:
    pipes = FakePipes(maker="S-1-5-21-1-1002")
    async with serving(pipes, control_pipe(StatePaths.under(tmp_path))):
        with pytest.raises(HostError, match="not the agent's"):
            await asyncio.to_thread(control(pipes, tmp_path).ask, "status")


async def test_a_name_that_is_taken_is_told(tmp_path: Path) -> None:
    pipes = FakePipes()
    name = control_pipe(StatePaths.under(tmp_path))
    async with serving(pipes, name):
        server = PipeServer(ControlApi({}, Operators(platform="win32"), note), pipes)
        with pytest.raises(HostError, match="cannot listen"):
            await server.serve(name, everybody=False)


async def test_what_is_slow_too_large_or_too_much_is_cut_off(tmp_path: Path) -> None:
    pipes = FakePipes()
    name = control_pipe(StatePaths.under(tmp_path))
    async with serving(pipes, name, Limits(seconds=0.3, per_peer=1, connections=2)):

        def say(data: bytes) -> bytes:
            client = PipeSocket(pipes, name, 5)
            try:
                client.sendall(data)
                return client.makefile("rb").read()
            finally:
                client.close()

        assert await asyncio.to_thread(say, b"GET /v1/status HTTP/1.1\r\n") == b""
        assert b"431" in await asyncio.to_thread(say, b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\n\r\n")
        assert b"400" in await asyncio.to_thread(say, b"nonsense\r\n\r\n")
        waiting = asyncio.create_task(asyncio.to_thread(say, b"GET /v1/status HTTP/1.1\r\n"))
        await asyncio.sleep(0.1)
        whole = b"GET /v1/status HTTP/1.1\r\nhost: drawbridge.sock\r\n\r\n"
        assert await asyncio.to_thread(say, whole) == b""  # one at a time of one account
        await waiting
        assert b"200 OK" in await asyncio.to_thread(say, whole)
