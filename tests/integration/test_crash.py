"""After a crash: whatever a client saw finished is in the trail, and the trail is whole."""

from __future__ import annotations

import json
import threading
from itertools import count
from pathlib import Path

from tests.fakes.misbehaviour import Canned
from tests.fakes.provider import Provider
from tests.integration.agent_process import wait_until
from tests.integration.line import Line
from tests.integration.prompts import CHAT, MESSAGES, RESPONSES
from tests.integration.stage import Dial, Stage, dialling

EVENT = b'event: ping\ndata: {"type": "ping"}\n\n'


def test_what_a_client_saw_finished_survives_a_kill(stage: Stage, tmp_path: Path, provider: Provider) -> None:
    endless = Canned(headers=((b"content-type", b"text/event-stream"),), body=(EVENT,) * 400, pause=0.05)
    provider.script(RESPONSES.target(), endless)
    finished: list[str] = []
    broken: list[bool] = []

    def ask(dial: Dial, worker: int) -> None:
        """One exchange after the other, streamed and not, until the agent is gone."""
        line = dial((CHAT, MESSAGES)[worker % 2].host)
        dialect = (CHAT, MESSAGES)[worker % 2]
        for number in count():
            model = f"m-{worker}-{number}"
            body = dialect.body("hello", stream=bool(number % 2), model=model)
            try:
                answer = line.ask("POST", dialect.target(), body)
            except OSError:
                return
            if not answer.whole:
                return
            assert answer.status == 200
            finished.append(model)

    def stream(line: Line) -> None:
        """A stream that is in its middle when the agent is killed."""
        line.request("POST", RESPONSES.target(), RESPONSES.body("hello", stream=True, model="endless"))
        broken.append(line.answer().whole)

    agent = stage.agent(tmp_path).start()
    with dialling(agent) as dial:
        workers = [threading.Thread(target=ask, args=(dial, worker)) for worker in range(4)]
        workers += [threading.Thread(target=stream, args=(dial(RESPONSES.host),)) for _ in range(4)]
        for worker in workers:
            worker.start()
        wait_until(lambda: len(finished) > 120, "exchanges to be finished", seconds=20)
        agent.kill()
        for worker in workers:
            worker.join(10)
    assert broken == [False] * 4

    with agent:
        listed = agent.drawbridge("audit", "list", "--json", "--limit", "10000")
        recorded = {row["model"] for row in json.loads(listed.stdout)}
        assert set(finished) <= recorded
        checked = agent.drawbridge("audit", "verify")
        assert (checked.returncode, checked.stderr) == (0, "")
        with dialling(agent) as dial:
            assert dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hello", model="after")).status == 200
        assert agent.trail.events(kind="exchange", limit=1)[0].model == "after"
    assert agent.trail.verify().ok
    assert provider.requests


def test_an_agent_that_is_killed_again_and_again_starts_again(stage: Stage, tmp_path: Path) -> None:
    agent = stage.agent(tmp_path)
    fingerprints = set()
    for number in range(2):
        agent.start()
        fingerprints.add(str(agent.status()["ca_fingerprint"]))
        with dialling(agent) as dial:
            body = CHAT.body("hello", model=f"life-{number}")
            assert dial(CHAT.host).ask("POST", CHAT.target(), body).status == 200
        agent.kill()
    models = [row.model for row in agent.trail.events(kind="exchange")]
    assert models == ["life-1", "life-0"]
    assert agent.trail.verify().ok
    assert len(fingerprints) == 1  # users trusted it once
