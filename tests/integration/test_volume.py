"""Large bodies and slow readers: what asks no model streams through, the agent's memory stays where it was."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.fakes.misbehaviour import Canned
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.http2_line import Http2Line
from tests.integration.line import Line
from tests.integration.prompts import DIALECTS, Dialect
from tests.integration.stage import Dial, Stage, dialling

MB = 2**20
ALLOWED = 40  # MB: caches, arenas, and a few buffers on the way


class Growth:
    """How much the agent's memory has grown at its highest, in MB."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._before = self.now()
        self.highest = 0

    def now(self) -> int:
        """Its resident memory, in bytes."""
        return int(self._process.memory_info().rss)

    def sample(self) -> None:
        """Look again."""
        self.highest = max(self.highest, (self.now() - self._before) // MB)


@contextmanager
def growth(agent: AgentProcess) -> Iterator[Growth]:
    """Watch the agent's memory meanwhile."""
    seen = Growth(agent.pid)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            seen.sample()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


@pytest.fixture(scope="module")
def fresh_agent(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent whose memory nobody has stretched yet."""
    with stage.agent(tmp_path_factory.mktemp("fresh")) as agent:
        yield agent


@pytest.fixture
def fresh(fresh_agent: AgentProcess, provider: Provider) -> Iterator[Dial]:
    """Opens lines to it, after a first exchange."""
    with dialling(fresh_agent) as dial:
        assert dial("api.openai.com").ask("GET", "/").status == 200
        yield dial


def upload(line: Line, path: str, size: int, *, chunked: bool) -> None:
    """Post `size` bytes."""
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
    head = f"POST {path} HTTP/1.1\r\nHost: {line.host}\r\nContent-Type: application/octet-stream\r\n"
    line.send(head.encode() + framing + b"\r\n\r\n")
    piece = bytes(256 * 1024)
    for _ in range(size // len(piece)):
        line.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
    if chunked:
        line.send(b"0\r\n\r\n")


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
def test_an_upload_that_is_too_large_to_be_read_streams_through(
    fresh: Dial, fresh_agent: AgentProcess, provider: Provider, *, chunked: bool
) -> None:
    provider.script("/v1/files", Canned(body=b"{}"))
    with growth(fresh_agent) as memory:
        line = fresh("api.openai.com")
        upload(line, "/v1/files", 80 * MB, chunked=chunked)
        assert line.answer().status == 200
    assert [len(body) for body in provider.bodies("/v1/files")] == [80 * MB]
    held = 64 if chunked else 0  # until it is known to be too large
    assert memory.highest < ALLOWED + held


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_request_too_large_to_inspect_is_refused_in_the_clients_dialect(
    dialect: Dialect, dial: Dial, provider: Provider
) -> None:
    line = dial(dialect.host)
    line.send(
        f"POST {dialect.target()} HTTP/1.1\r\nHost: {dialect.host}\r\nContent-Length: {65 * MB}\r\n\r\n".encode()
    )
    answer = line.answer()  # before a byte of the body: its length says it all
    assert answer.status == 413
    assert "64 MB" in dialect.error_message(answer.document)
    assert provider.requests == ()


def test_a_request_that_turns_out_too_large_is_refused(dial: Dial, provider: Provider) -> None:
    line = dial("api.openai.com")
    upload(line, "/v1/chat/completions", 66 * MB, chunked=True)
    assert line.answer().status == 413
    assert provider.requests == ()


def test_a_client_that_reads_slowly_slows_the_provider_down(
    fresh: Dial, fresh_agent: AgentProcess, provider: Provider
) -> None:
    provider.script("/v1/files/x/content", Canned(body=(bytes(MB),) * 64))
    with growth(fresh_agent) as memory:
        line = fresh("api.openai.com")
        line.request("GET", "/v1/files/x/content")
        response = line.begin("GET")
        assert len(response.read(MB)) == MB
        time.sleep(1.5)  # the provider could send it all twenty times
        held = memory.highest
        rest = sum(len(piece) for piece in iter(lambda: response.read(MB), b""))
    assert rest == 63 * MB
    assert held < ALLOWED
    assert memory.highest < ALLOWED


def test_a_client_that_reads_a_stream_slowly_slows_the_model_down(
    fresh: Dial, fresh_agent: AgentProcess, provider: Provider
) -> None:
    event = b'data: {"choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n' % (b"words and words " * 512)
    headers = ((b"content-type", b"text/event-stream"),)
    provider.script("/v1/chat/completions", Canned(headers=headers, body=(event * 8,) * 640))
    with growth(fresh_agent) as memory:
        line = fresh("api.openai.com")
        line.request("POST", "/v1/chat/completions", b'{"model": "m", "stream": true, "messages": []}')
        response = line.begin()
        assert response.read(1000)
        time.sleep(1.5)
        held = memory.highest
        rest = sum(len(piece) for piece in iter(lambda: response.read(MB), b""))
    assert rest + 1000 == len(event) * 8 * 640
    assert held < ALLOWED
    assert memory.highest < ALLOWED


def test_an_upload_over_http_2_streams_through(
    fresh: Dial, fresh_agent: AgentProcess, provider: Provider
) -> None:
    provider.script("/backend-api/files", Canned(body=b"{}"))
    with growth(fresh_agent) as memory:
        browser = Http2Line(fresh("chatgpt.com", alpn=("h2", "http/1.1")))
        assert (
            browser.ask("POST", "/backend-api/files", bytes(66 * MB)).status == 200
        )  # more than a model may get
    assert [len(body) for body in provider.bodies("/backend-api/files")] == [66 * MB]
    assert memory.highest < ALLOWED


def test_a_client_of_http_2_that_does_not_read_slows_the_provider_down(
    fresh: Dial, fresh_agent: AgentProcess, provider: Provider
) -> None:
    provider.script("/backend-api/page", Canned(body=(bytes(MB),) * 64))
    with growth(fresh_agent) as memory:
        browser = Http2Line(fresh("chatgpt.com", alpn=("h2", "http/1.1")))
        stream = browser.request("GET", "/backend-api/page", read=False)
        browser.ask("GET", "/")  # reads what comes, the page's first bytes too
        time.sleep(1)
        held = memory.highest
        browser.read_on(stream)
        assert len(browser.answers(stream)[0].body) == 64 * MB
    assert held < ALLOWED
    assert memory.highest < ALLOWED


def test_an_answer_of_many_megabytes_is_inspected_and_whole(dial: Dial, provider: Provider) -> None:
    words = b"words and words " * 600_000
    body = b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": "%s"}}]}' % words
    provider.script("/v1/chat/completions", Canned(body=body))
    answer = dial("api.openai.com").ask("POST", "/v1/chat/completions", b'{"model": "m", "messages": []}')
    assert (answer.status, answer.body == body) == (200, True)


def test_many_connections_are_served_at_once(dial: Dial, agent: AgentProcess) -> None:
    lines = [dial("api.openai.com") for _ in range(64)]
    for line in lines:
        line.request("GET", "/")
    assert {line.answer("GET").status for line in lines} == {200}
