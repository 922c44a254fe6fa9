"""The canary tells arrival from silence, and from having no network."""

from __future__ import annotations

import socket
import threading

import pytest

from agent.errors import HostError
from agent.host import canary


def _server(answer: bytes) -> tuple[int, threading.Thread]:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as client:
            assert canary.NAME.encode() in client.recv(65536)
            client.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return int(server.getsockname()[1]), thread


@pytest.mark.parametrize(("answer", "arrived"), [(canary.ANSWER, True), (b"HTTP/1.1 400\r\n", False)])
def test_only_our_answer_counts(answer: bytes, arrived: bool) -> None:
    port, thread = _server(answer)
    assert canary.captured("127.0.0.1", port) is arrived
    thread.join()


def test_no_setting_leads_to_where_nobody_answers() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(HostError, match="nobody serves"):
            canary.Canary().require(unused.getsockname()[1])


def test_one_lost_connection_is_no_proof() -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server:
            for answer in (b"", canary.ANSWER):
                with server.accept()[0] as client:
                    client.recv(65536)
                    client.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    port = int(server.getsockname()[1])
    assert canary.Canary("127.0.0.1", port).sings() is True
    thread.join()
    assert canary.Canary("127.0.0.1", port).sings() is False
