"""The ports: taken once, and waited for while an old engine still has them."""

from __future__ import annotations

import socket

import pytest

from agent.errors import HostError
from agent.supervisor.sockets import listen


def test_both_listen_on_loopback() -> None:
    listeners = listen(0, 0)
    for port in listeners.ports:
        socket.create_connection(("127.0.0.1", port), 5).close()
    listeners.close()


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(HostError, match=f"127.0.0.1:{port}") as caught:
            listen(0, port, patience=0.0)
        assert "gateway_port" in caught.value.hint()


def test_a_port_that_becomes_free_is_waited_for() -> None:
    other = socket.create_server(("127.0.0.1", 0))
    port = other.getsockname()[1]
    listeners = listen(port, 0, patience=5.0, sleep=lambda _: other.close())
    assert listeners.ports[0] == port
    listeners.close()
