"""Parent and child: sockets lent, orders heard, beats told, and the parent's end noticed."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from agent.errors import HostError
from agent.host.offspring import Offspring, Parent

CHILD = """
import asyncio, sys
from agent.host.offspring import Parent

async def main():
    parent = Parent(sys.argv[1].removeprefix("--lent="))
    over = asyncio.Event()
    def hear(order):
        parent.say(f"heard {order}\\n".encode())
    def orphaned():
        over.set()
    parent.listen(hear, orphaned)
    parent.say(f"port {parent.sockets[0].getsockname()[1]}\\n".encode())
    await over.wait()
    for each in parent.sockets:
        each.detach()

asyncio.run(main())
sys.exit(7)
"""


async def test_a_child_hears_tells_and_notices_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as lent:
        child = await Offspring.start((), (lent,), program=(sys.executable, "-c", CHILD))
        assert await child.line() == b"port %d\n" % lent.getsockname()[1]
        child.tell("reload")
        assert await child.line() == b"heard reload\n"
        child.tell("away 1 2")
        assert await child.line() == b"heard away 1 2\n"
        assert child._process.stdin is not None
        child._process.stdin.close()
        assert await child.line() == b""
        assert await asyncio.wait_for(child.wait(), 10) == 7
        child.tell("too late")
        child.kill()


async def test_a_program_that_is_missing_is_told() -> None:
    with pytest.raises(HostError, match="cannot start"):
        await Offspring.start((), (), program=("/nowhere/at/all",))


@pytest.mark.parametrize("lent", ["", "x", "99999", "stdin"])
def test_sockets_that_are_none_are_refused(lent: str) -> None:
    with pytest.raises(HostError):
        Parent(lent)
