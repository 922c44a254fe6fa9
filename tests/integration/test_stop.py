"""How an agent ends: running streams get their time, nothing recorded is lost, no new client is taken."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.misbehaviour import Canned, Stall
from tests.integration.agent_process import AgentProcess, wait_until
from tests.integration.http2_line import Http2Line
from tests.integration.line import Answer, Line
from tests.integration.prompts import CHAT, RESPONSES, made_up_key
from tests.integration.stage import Dial, Stage, dialling

CHUNK = b'data: {"choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n'
EVENTS = ((b"content-type", b"text/event-stream"),)
LIMIT = 10.0  # seconds that running exchanges get


def slow_stream(*words: str, pause: float) -> Canned:
    """A stream of these words."""
    return Canned(headers=EVENTS, body=tuple(CHUNK % word.encode() for word in words), pause=pause)


class Reading:
    """Reads an answer in the background."""

    def __init__(self, line: Line) -> None:
        self.answer: Answer | None = None
        self.ended_at = 0.0
        self._line = line
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        self.answer = self._line.answer()
        self.ended_at = time.monotonic()

    def result(self) -> Answer:
        """The answer, whole or not."""
        self._thread.join(20)
        assert self.answer is not None
        return self.answer


def streaming(dial: Dial) -> Reading:
    """A stream whose head has come."""
    line = dial(CHAT.host)
    line.request("POST", CHAT.target(), CHAT.body("go on", stream=True))
    return Reading(line)


@pytest.fixture(scope="module")
def overlong(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[AgentProcess, Reading, float]]:
    """An agent that was told to stop while a stream runs that never ends. The other tests run meanwhile."""
    stage.provider.reset()
    agent = stage.agent(tmp_path_factory.mktemp("overlong")).start()
    path = "/v1beta/models/endless:streamGenerateContent"
    stage.provider.script(path, Stall(after=1500))
    with dialling(agent) as dial:
        line = dial("generativelanguage.googleapis.com")
        line.sock.settimeout(20)
        line.request(
            "POST", f"{path}?alt=sse", b'{"contents": [{"parts": [{"text": "%s"}]}]}' % (b"words " * 200)
        )
        wait_until(lambda: any(one.path == path for one in stage.provider.requests), "the stream to begin")
        reading = Reading(line)
        agent.signal(signal.SIGTERM)
        yield agent, reading, time.monotonic()
    agent.kill()


def test_a_running_stream_ends_whole_and_nobody_new_is_let_in(
    stage: Stage, tmp_path: Path, overlong: object
) -> None:
    del overlong  # began before
    secret = made_up_key()
    words = ("one ", f"{secret[:20]}", f"{secret[20:]} ", *("more " for _ in range(12)), "end")
    stage.provider.script(CHAT.target(), slow_stream(*words, pause=0.1), times=1)
    with stage.agent(tmp_path) as agent, dialling(agent) as dial:
        idle = dial(CHAT.host)
        idle.ask("GET", "/")
        before = len(stage.provider.requests)
        reading = streaming(dial)
        wait_until(lambda: len(stage.provider.requests) > before, "the stream to begin")
        agent.signal(signal.SIGTERM)
        wait_until(lambda: not listens(agent.proxy_port), "the proxy to close", seconds=3)
        assert not listens(agent.gateway_port)
        assert reading.answer is None  # it still runs
        answer = reading.result()
        assert answer.whole
        assert CHAT.streamed(answer.body) == "one [REDACTED:openai_api_key] " + "more " * 12 + "end"
        assert idle.ended()
        assert agent.wait() == 0
    kinds = [row.kind for row in agent.trail.events()]
    assert kinds[0] == "agent_stopped"
    assert [row.outcome for row in agent.trail.events(kind="exchange")] == ["completed", "completed"]
    assert agent.trail.verify().ok


def test_a_running_stream_over_http_2_ends_whole(stage: Stage, tmp_path: Path) -> None:
    path = "/backend-api/codex/responses"
    event = b'event: response.output_text.delta\ndata: {"type": "response.output_text.delta", "delta": "word "}\n\n'
    stage.provider.script(path, Canned(headers=EVENTS, body=(event,) * 12, pause=0.1), times=1)
    with stage.agent(tmp_path) as agent, dialling(agent) as dial:
        browser = Http2Line(dial("chatgpt.com", alpn=("h2", "http/1.1")))
        stream = browser.request("POST", path, RESPONSES.body("go on", stream=True))
        assert browser.first_piece(stream)
        agent.signal(signal.SIGTERM)
        (answer,) = browser.answers(stream)
        assert (answer.whole, RESPONSES.streamed(answer.body)) == (True, "word " * 12)
        assert agent.wait() == 0


def test_a_keep_alive_connection_is_closed_after_the_answer_that_runs(stage: Stage, tmp_path: Path) -> None:
    stage.provider.script("/v1/models", Canned(body=(b'{"data":', b" []}"), pause=0.5), times=1)
    with stage.agent(tmp_path) as agent, dialling(agent) as dial:
        line = dial(CHAT.host)
        before = len(stage.provider.requests)
        line.request("GET", "/v1/models")
        wait_until(lambda: len(stage.provider.requests) > before, "the request to arrive")
        agent.signal(signal.SIGTERM)
        assert line.answer("GET").document == {"data": []}
        assert line.ended()
        assert agent.wait() == 0


def test_a_blind_tunnel_does_not_keep_the_agent_from_ending(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path) as agent, dialling(agent) as dial:
        dial("intranet.example", root=stage.authority.ca_file).ask("GET", "/")
        dial.tunnel(CHAT.host)  # and one that has said nothing yet
        dial.proxy()
        begun = time.monotonic()
        agent.signal(signal.SIGTERM)
        assert agent.wait() == 0
        assert time.monotonic() - begun < 5


def test_ctrl_c_is_the_same_and_a_second_one_changes_nothing(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path) as agent:
        agent.signal(signal.SIGINT)
        agent.signal(signal.SIGINT)
        assert agent.wait() == 0


def test_a_stream_that_takes_too_long_is_cut(
    overlong: tuple[AgentProcess, Reading, float],
) -> None:
    agent, reading, told_at = overlong
    answer = reading.result()
    assert (answer.status, answer.whole) == (200, False)
    assert LIMIT - 1 < reading.ended_at - told_at < LIMIT + 4
    assert agent.wait(10) == 0
    assert "1 exchanges were cut" in agent.log
    assert [row.outcome for row in agent.trail.events(kind="exchange")] == ["client_closed"]
    assert agent.trail.verify().ok


def listens(port: int) -> bool:
    """Whether anybody accepts connections there."""
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", port)) == 0
