"""The log, at its most talkative, holds nothing that anybody said, and no key."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.fakes.misbehaviour import Canned
from tests.fakes.provider import Provider
from tests.fakes.raw_provider import raw_answer
from tests.integration.http2_line import Http2Line
from tests.integration.prompts import CHAT, DIALECTS, made_up_key
from tests.integration.stage import CLOSED, RAW, Dial, Stage, dialling

CANARY = "quetzal" + "coatlus"
FIELDS = (
    ("Authorization", f"Bearer {CANARY}"),
    ("Cookie", f"session={CANARY}"),
    ("X-Custom", CANARY),
    ("Content-Type", "application/json"),
)


def test_nothing_that_was_said_is_in_the_log(stage: Stage, tmp_path: Path, provider: Provider) -> None:
    secret = made_up_key()
    with stage.agent(tmp_path) as agent, dialling(agent) as dial:
        say_everything(stage, dial, f"{CANARY} {secret} {CANARY}")
        events = "".join(agent.event_text(row) for row in agent.trail.events(limit=1000))
        said = agent.log
    assert provider.saw(CANARY)  # it was there to be seen
    for log in (said, agent.log):
        assert "INFO agent.daemon" in log
        assert CANARY not in log
        assert secret[:16] not in log
        assert "Traceback" not in log
    assert CANARY not in events
    assert secret[:16] not in events
    assert not any(
        CANARY.encode() in file.read_bytes() for file in agent.paths.root.rglob("*") if file.is_file()
    )


def say_everything(stage: Stage, dial: Dial, text: str) -> None:
    """Let the word come by on every way that there is."""
    post = CHAT.target()
    for dialect in DIALECTS:
        for stream in (False, True):
            body = dialect.body(f"reverse: {text}", stream=stream, model=f"model-{CANARY[:4]}")
            dial(dialect.host).ask("POST", dialect.target(stream=stream), body, fields=FIELDS)
    line = dial(CHAT.host)
    line.ask("POST", f"/v1/files?name={CANARY}", text.encode(), fields=FIELDS)
    line.ask("POST", post, f'{{"messages": "{text}'.encode(), fields=FIELDS)
    line.ask("POST", post, gzip.compress(text.encode())[:-4], fields=(*FIELDS, ("Content-Encoding", "gzip")))
    line.ask("POST", post, CHAT.body(text), host="intranet.example", fields=FIELDS)
    line.send(f"{text}\r\n\r\n".encode())
    line.answer()
    dial(CLOSED).ask("POST", post, CHAT.body(text), fields=FIELDS)
    dial.gateway().ask("POST", f"/openai{post}", CHAT.body(text), fields=FIELDS)
    dial.tunnel(CHAT.host).send(text.encode())
    proxy = dial.proxy()
    proxy.send(f"GET http://intranet.example/{CANARY} HTTP/1.1\r\nX: {text}\r\n\r\n".encode())
    proxy.answer("GET")
    browser = Http2Line(dial("chatgpt.com", alpn=("h2", "http/1.1")))
    browser.answers(browser.request("POST", "/backend-api/codex/responses", CHAT.body(text)))
    for answer in (
        text,
        f"HTTP/1.1 200 {CANARY}\r\n{CANARY}\r\n\r\n",
        f"HTTP/1.1 200 OK\r\nX: {CANARY}\r\n\r\n{text}",
    ):
        stage.switch.script = raw_answer(answer.encode())
        dial(RAW).ask("POST", post, CHAT.body("hello"))
    broken = (b"data: {" + text.encode() + b"\n\n", b"event: " + text.encode() + b"\ndata: [\n\n")
    stage.provider.script(
        post, Canned(headers=((b"content-type", b"text/event-stream"),), body=broken), times=1
    )
    dial(CHAT.host).ask("POST", post, CHAT.body("hello", stream=True))
    stage.provider.script(
        post, Canned(headers=((b"content-encoding", b"gzip"),), body=text.encode()), times=1
    )
    dial(CHAT.host).ask("POST", post, CHAT.body("hello"))
