"""A listening socket keeps as many clients as it is told to. The doors' own tests hold them to it."""

from __future__ import annotations

import socket

from agent.host.listening import BACKLOG
from tests.fakes.loopback import crowd, leave


def test_the_kernel_keeps_places_for_hundreds_of_clients() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(BACKLOG)
        leave(crowd(sock.getsockname()[1], 300))
