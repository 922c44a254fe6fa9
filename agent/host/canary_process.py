"""A canary that is another process: shows whether connections of other programs are captured, not only our own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from agent.host.canary import captured
from agent.host.run import Servant

ARGUMENTS = ("canary",)
_SECONDS = 10.0  # for the whole of it; the connection itself gives up before
_YES = b"yes\n"


def main() -> None:
    """The whole life of the process: it waits until it is aimed at, connects, and says whether we answered."""
    if sys.stdin.buffer.readline():
        sys.stdout.buffer.write(_YES if captured() else b"no\n")
        sys.stdout.buffer.flush()


async def send(
    aim: Callable[[int], Awaitable[None]], *, start: Callable[[], Servant] = lambda: Servant(ARGUMENTS)
) -> bool:
    """Start the process, tell `aim` its id, and have it connect; whether it was answered. Raises HostError where no
    process can be started."""
    servant = await asyncio.to_thread(start)
    giving_up = asyncio.get_running_loop().call_later(_SECONDS, servant.kill)
    try:
        await aim(servant.pid)
        return await asyncio.to_thread(_ask, servant)
    finally:
        giving_up.cancel()
        await asyncio.to_thread(servant.close)


def _ask(servant: Servant) -> bool:
    try:
        servant.asks.write(b"\n")
        servant.asks.flush()
        return servant.answers.readline() == _YES
    except OSError:
        return False
