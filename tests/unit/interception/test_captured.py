"""The door of captured connections, as far as it shows without a kernel that leads any there."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from agent.host import canary
from agent.host.tasks import TaskGroup
from agent.interception.captured import CapturedDoor, original_destination
from agent.interception.frontdoor import FrontDoor


async def _never(*_: object) -> object:
    raise AssertionError("nobody is to be dialled")


async def test_the_canary_is_answered_and_nobody_else_who_came_by_himself() -> None:
    keeper: Any = None  # nobody is judged
    door = CapturedDoor(FrontDoor(keeper, _never, TaskGroup("test")))
    port = await door.listen(0)
    try:
        assert await asyncio.to_thread(canary.captured, "127.0.0.1", port) is True
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
    finally:
        door.close()


def test_a_connection_that_was_not_led_has_no_other_destination() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()),
        server.accept()[0] as accepted,
    ):
        assert original_destination(accepted) is None
