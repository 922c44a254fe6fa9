"""Checks in a running agent: a service on loopback is asked, and what it says is carried out and recorded."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import CHAT, made_up_key
from tests.integration.stage import Dial, Stage, dialling

POLICY = """\
schema_version: 1
id: checked
on_error: block
checks:
  - {{id: house, kind: webhook, url: "http://127.0.0.1:{port}/judge", key: "env:HOUSE_KEY", timeout_ms: 5000}}
  - {{id: model, kind: onnx, folder: "{folder}", on_error: allow}}
guardrails:
  - {{id: notes, detect: [secret], action: alert}}
  - {{id: house-says-no, detect: [check/house], action: block, where: [prompt, answer]}}
  - {{id: model-says-no, detect: [check/model], action: block, where: [prompt]}}
"""
HOUSE_KEY = "house-" + "key"


@dataclass
class House:
    """The service: it objects to the word `bluebird`."""

    port: int = 0
    seen: list[bytes] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def judge(self, body: bytes) -> bytes:
        """Its answer."""
        self.seen.append(body)
        findings = [
            {"segment": segment["id"], "type": "codename"}
            for segment in json.loads(body)["segments"]
            if "bluebird" in segment["text"]
        ]
        return json.dumps({"findings": findings}).encode()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    made = House()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            made.keys.add(self.headers["authorization"])
            answer = made.judge(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made
        server.shutdown()


@pytest.fixture(scope="module")
def checked(stage: Stage, house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent that asks it, and a model that is not there."""
    directory = tmp_path_factory.mktemp("checked")
    policy = POLICY.format(port=house.port, folder=directory / "no-model")
    with stage.agent(directory, policy=policy, environ={"HOUSE_KEY": HOUSE_KEY}) as agent:
        yield agent


@pytest.fixture
def dial(checked: AgentProcess) -> Iterator[Dial]:
    with dialling(checked) as dial:
        yield dial


def test_what_the_service_objects_to_is_blocked_and_recorded(
    checked: AgentProcess, dial: Dial, provider: Provider, house: House
) -> None:
    answer = dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("about bluebird"))
    assert b"house in the prompt" in answer.body
    assert provider.requests == ()
    assert house.keys == {f"Bearer {HOUSE_KEY}"}
    (row, *_) = checked.wait_for_events("exchange")
    event = checked.event_text(row)
    assert "house-says-no" in event
    assert "codename" in event


def test_what_it_lets_pass_arrives_and_it_never_saw_the_secret(
    checked: AgentProcess, dial: Dial, provider: Provider, house: House
) -> None:
    key = made_up_key()
    answer = dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body(f"use {key} here"))
    assert answer.status == 200
    (received,) = provider.requests
    assert key.encode() in received.body  # the policy only notes it
    assert key.encode() not in b"".join(house.seen)
    assert b"[REDACTED:" in house.seen[-2]  # the prompt; the answer came after it


def test_a_model_that_is_not_there_is_said_at_the_start_and_recorded_with_every_exchange(
    checked: AgentProcess, dial: Dial, provider: Provider
) -> None:
    assert "check model: model: the model's folder" in checked.log
    before = len(checked.trail.events(kind="exchange", limit=1000))
    assert dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hello")).status == 200
    row = checked.wait_for_events("exchange", before + 1)[0]
    assert "failed:model" in checked.event_text(row)


def test_the_log_holds_no_content_and_no_key(checked: AgentProcess, dial: Dial) -> None:
    dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("about bluebird again"))
    assert "bluebird" not in checked.log
    assert HOUSE_KEY not in checked.log
