"""The ports: taken once, and waited for while an old engine still has them."""

from __future__ import annotations

import socket

import pytest

from agent.errors import HostError
from agent.supervisor.sockets import borrowed, listen


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


def handed(proxy: socket.socket, gateway: socket.socket) -> str:
    """Their numbers, as a program that gives way names them; they are the new program's to close."""
    return f"{proxy.detach()},{gateway.detach()}"


def test_sockets_of_the_program_before_go_on_listening() -> None:
    old = listen(0, 0)
    ports = old.ports
    taken = borrowed(handed(old.proxy, old.gateway), (0, ports[1]))
    assert taken is not None
    assert taken.ports == ports
    socket.create_connection(("127.0.0.1", ports[0]), timeout=5).close()
    assert not taken.proxy.get_inheritable()
    taken.close()


def test_sockets_at_other_ports_than_the_settings_now_tell_are_let_go() -> None:
    old = listen(0, 0)
    ports = old.ports
    assert borrowed(handed(old.proxy, old.gateway), (ports[0], 1)) is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ports[0]), timeout=5)


@pytest.mark.parametrize("lent", ["", "nonsense", "1048570,1048571", "1048570"])
def test_what_are_no_sockets_is_not_taken(lent: str) -> None:
    assert borrowed(lent, (0, 0)) is None
