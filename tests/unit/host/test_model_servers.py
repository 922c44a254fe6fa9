"""Servers of models: told by their process, asked on loopback within limits."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agent.catalog.apps import bundled_apps
from agent.catalog.recognition import Apps
from agent.host import model_servers as module
from agent.host.lineage import Birth, Member
from agent.host.model_servers import MAX_MODELS, fetched, listening, model_servers
from agent.model.inventory import Found, ModelServer
from agent.model.traffic import Program
from tests.fakes.host import FakeProcessTable

APPS = Apps(bundled_apps())
OLLAMA = ModelServer(app="ollama", models="/api/tags", names=("models", "*", "name"))
WEBUI = ModelServer(app="open-webui")


def process(pid: int, name: str) -> Member:
    return Member(
        pid=pid,
        birth=Birth(parent=0, started=1.0, image=f"/opt/{name}"),
        program=Program(name=name, executable=f"/opt/{name}"),
        started_at=1.0,
    )


def running(**ports: list[tuple[str, int]]) -> list[Found]:
    """What runs where processes of these names listen at these ports. Ollama says what it has at 11434 only."""
    names = list(ports)
    table = FakeProcessTable(
        members={number: process(number, name.replace("_", "-")) for number, name in enumerate(names, 1)},
        users={1: "ann"},
    )

    def fetch(address: str, port: int, path: str) -> bytes | None:
        assert path == "/api/tags"
        return (
            json.dumps({"models": [{"name": "llama3"}, {"name": 7}, {}]}).encode() if port == 11434 else None
        )

    return list(model_servers((OLLAMA, WEBUI), APPS, table, lambda pid: ports[names[pid - 1]], fetch))


def test_a_process_that_is_known_is_asked_where_it_listens() -> None:
    (found,) = running(ollama=[("127.0.0.1", 11434), ("127.0.0.1", 11434)], nginx=[("127.0.0.1", 80)])
    assert (found.id, found.name, found.user, found.port, found.models) == (
        "ollama",
        "Ollama",
        "ann",
        11434,
        ("llama3",),
    )


def test_who_tells_models_is_the_server_and_its_helpers_are_not() -> None:
    assert [each.port for each in running(ollama=[("127.0.0.1", 4000), ("0.0.0.0", 11434)])] == [11434]
    assert [each.port for each in running(ollama=[("::", 4000), ("127.0.0.1", 4001)])] == [4000]


def test_a_server_that_tells_nobody_is_not_asked_and_an_outer_address_neither() -> None:
    (found,) = running(open_webui=[("0.0.0.0", 8080), ("192.0.2.1", 11434)])
    assert (found.id, found.port, found.models) == ("open-webui", 8080, ())


@pytest.mark.parametrize("answer", [b"", b"{", b"7", b'{"models": 7}', b'{"models": [[]]}', b"[" * 100_000])
def test_an_answer_of_another_kind_tells_no_models(answer: bytes) -> None:
    table = FakeProcessTable(members={1: process(1, "ollama")})
    (found,) = model_servers((OLLAMA,), APPS, table, lambda _: [("::1", 1)], lambda *_: answer)
    assert found.models == ()


def test_there_is_an_end_to_models() -> None:
    answer = json.dumps({"models": [{"name": f"m{number}" * 99} for number in range(999)]}).encode()
    table = FakeProcessTable(members={1: process(1, "ollama")})
    (found,) = model_servers((OLLAMA,), APPS, table, lambda _: [("::1", 1)], lambda *_: answer)
    assert len(found.models) == MAX_MODELS
    assert max(map(len, found.models)) == 200


@contextmanager
def serving(answer: bytes, *, then: bytes = b"") -> Iterator[int]:
    """A port whose one client gets `answer`, then `then` again and again until it leaves."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(65536)
                try:
                    client.sendall(answer)
                    while then:
                        client.sendall(then)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "then", "body"),
    [
        (OK + b"content-length: 2\r\n\r\nhi", b"", b"hi"),
        (b"HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0\r\n\r\n", b"", None),
        (OK + b"\r\n", b"x" * 65536, None),  # without end
        (b"nonsense\r\n\r\n", b"", None),
    ],
)
def test_an_answer_is_read_within_limits(answer: bytes, then: bytes, body: bytes | None) -> None:
    with serving(answer, then=then) as port:
        assert fetched("127.0.0.1", port, "/v1/models") == body


def test_a_server_that_drips_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.0)
    with serving(OK + b"content-length: 9\r\n\r\nhi") as port:
        assert fetched("0.0.0.0", port, "/v1/models") is None


def test_nobody_at_a_port_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert ("127.0.0.1", port) in listening(os.getpid())
    assert fetched("127.0.0.1", port, "/") is None
