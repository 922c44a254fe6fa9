"""The formats that programs and agents speak, through the agent: the prompt is judged, and so is the stream."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from typing import cast

import brotli
import pytest
import zstandard

from tests.fakes.misbehaviour import Canned
from tests.fakes.provider import Provider, contains
from tests.integration.agent_process import AgentProcess
from tests.integration.formats import BEDROCK, CURSOR, FORMATS, Format, Json
from tests.integration.http2_line import Http2Line
from tests.integration.prompts import CHAT, made_up_key
from tests.integration.stage import RAW_CURSOR, Dial, Stage, dialling

EVERY = pytest.mark.parametrize("spoken", FORMATS, ids=lambda spoken: spoken.name)
GONE = "[REDACTED:openai_api_key]"


def streamed(spoken: Format, pieces: list[str], size: int = 11) -> Canned:
    """The stream of that answer, in small pieces of bytes."""
    body = spoken.stream(pieces)
    return Canned(
        headers=((b"content-type", spoken.kind.encode()),),
        body=tuple(body[at : at + size] for at in range(0, len(body), size)),
    )


def path_of(spoken: Format) -> str:
    return spoken.target.partition("?")[0]


@EVERY
def test_a_secret_is_taken_out_of_the_prompt_and_of_the_stream(
    spoken: Format, dial: Dial, agent: AgentProcess, provider: Provider
) -> None:
    mine, theirs, begun = made_up_key(), made_up_key(), time.time()
    provider.script(path_of(spoken), streamed(spoken, ["It is ", theirs[:20], theirs[20:], " or so"]))
    body = json.dumps(spoken.ask(f"my key is {mine} indeed")).encode()
    fields = (("Content-Type", "application/json"), *spoken.fields)
    answer = dial(spoken.host).ask("POST", spoken.target, body, fields=fields)
    assert (answer.status, answer.whole) == (200, True)
    assert answer.headers["content-type"] == spoken.kind
    assert spoken.heard(answer.body).startswith(f"It is {GONE} or so")
    assert theirs not in answer.text
    (received,) = provider.requests
    assert json.loads(received.body) == spoken.ask(f"my key is {GONE} indeed")
    assert agent.outcome(begun) == "completed"
    event = agent.event_text(agent.trail.events(kind="exchange", since=begun)[0])
    facts = [f'"gen_ai.operation.name": "{spoken.operation}"', '"gen_ai.request.model": "m"']
    if spoken.tokens:
        facts += ['"gen_ai.usage.input_tokens": 3', '"gen_ai.usage.output_tokens": 5']
    for fact in facts:
        assert fact in event


@EVERY
def test_a_stream_without_findings_keeps_its_bytes(spoken: Format, dial: Dial, provider: Provider) -> None:
    pieces = ["grüße 👋", ', "nothing" ', "[to] {see}\n"]
    provider.script(path_of(spoken), streamed(spoken, pieces, size=5))
    answer = dial(spoken.host).ask("POST", spoken.target, json.dumps(spoken.ask("hello")).encode())
    assert answer.body == spoken.stream(pieces)


@EVERY
def test_a_blocked_prompt_is_refused_in_the_clients_shape(
    spoken: Format, blocking_agent: AgentProcess, provider: Provider
) -> None:
    body = json.dumps(spoken.ask(f"my key is {made_up_key()}")).encode()
    with dialling(blocking_agent) as dial:
        answer = dial(spoken.host).ask("POST", spoken.target, body)
    assert (answer.status, answer.headers["content-type"]) == (spoken.status, "application/json")
    told = spoken.blocked(answer.document)
    assert str(told).startswith("Not here, please: openai api key in the prompt.")
    assert provider.requests == ()


@EVERY
def test_a_stopped_stream_says_why_and_no_more(
    spoken: Format, blocking_agent: AgentProcess, provider: Provider
) -> None:
    secret = made_up_key()
    provider.script(path_of(spoken), streamed(spoken, ["well ", secret[:20], secret[20:], " and after"]))
    body = json.dumps(spoken.ask("hello")).encode()
    with dialling(blocking_agent) as dial:
        answer = dial(spoken.host).ask("POST", spoken.target, body)
    assert (answer.status, answer.whole) == (200, True)
    raw = spoken.heard(answer.body) + answer.text
    assert "Not here, please: openai api key in the answer" in raw
    assert secret not in raw
    assert "and after" not in raw


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_compressed_prompt_is_read_and_what_is_changed_goes_on_plain(
    coding: str, dial: Dial, provider: Provider
) -> None:
    secret = made_up_key()
    pack = {
        "gzip": lambda body: zlib.compress(body, wbits=31),
        "deflate": zlib.compress,
        "br": brotli.compress,
        "zstd": zstandard.compress,
    }[coding]
    fields = (("Content-Type", "application/json"), ("Content-Encoding", coding))
    provider.script(CHAT.target(), Canned(body=b'{"choices":[]}'))
    line = dial(CHAT.host)
    assert line.ask("POST", CHAT.target(), pack(CHAT.body(f"my {secret}")), fields=fields).status == 200
    same = pack(CHAT.body("nothing"))
    assert line.ask("POST", CHAT.target(), same, fields=fields).status == 200
    changed, unchanged = provider.requests
    assert changed.header("content-encoding") == ""
    assert contains(changed.body, GONE)
    assert (unchanged.header("content-encoding"), unchanged.body) == (coding, same)
    bomb = pack(b"0" * (70 * 2**20))
    answer = line.ask("POST", CHAT.target(), bomb, fields=fields)
    assert answer.status == 400
    assert "unfolds to more than" in answer.text


def test_a_signed_request_is_blocked_where_it_would_have_to_be_changed(
    dial: Dial, agent: AgentProcess, provider: Provider
) -> None:
    signed = (
        ("Content-Type", "application/json"),
        ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/d, SignedHeaders=host;x-amz-date, Signature=0"),
    )
    claude = next(each for each in FORMATS if each.name == "bedrock-claude")
    provider.script(path_of(claude), streamed(claude, ["fine"]))
    line, secret = dial(BEDROCK), made_up_key()
    body = json.dumps(claude.ask("nothing to see")).encode()
    assert line.ask("POST", claude.target, body, fields=signed).status == 200
    assert [each.body for each in provider.requests] == [body]
    begun = time.time()
    answer = line.ask("POST", claude.target, json.dumps(claude.ask(secret)).encode(), fields=signed)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert "the request is signed (AWS Signature Version 4)" in str(answer.document["message"])
    assert len(provider.requests) == 1
    assert agent.outcome(begun) == "blocked"


def test_a_private_format_passes_over_http_2_and_is_recorded_as_unread(
    dial: Dial, agent: AgentProcess, provider: Provider
) -> None:
    path, begun = "/agent.v1.AgentService/Run", time.time()
    envelope = b"\x00\x00\x00\x00\x04\x0a\x02hi"
    kind = (b"content-type", b"application/connect+proto")
    provider.script(path, Canned(headers=(kind,), body=envelope))
    line = dial(CURSOR, alpn=("h2", "http/1.1"))
    assert line.sock.selected_alpn_protocol() == "h2"
    answer = Http2Line(line).ask("POST", path, envelope)
    assert (answer.status, answer.body) == (200, envelope)
    assert provider.requests[0].body == envelope
    assert agent.outcome(begun) == "completed"
    event = agent.event_text(agent.trail.events(kind="exchange", since=begun)[0])
    assert "not inspected: private format" in event


def test_a_private_format_may_be_answered_before_it_has_been_said(dial: Dial, stage: Stage) -> None:
    """As Connect's streams are: both sides speak in turns."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        said = await reader.readuntil(b"one\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/connect+proto\r\nconnection: close\r\n\r\nfirst"
        )
        await writer.drain()
        said += await reader.readuntil(b"two\r\n")
        writer.write(b"second")
        await writer.drain()
        return said

    stage.switch.script = talk
    line = dial(RAW_CURSOR)
    line.send(b"POST /agent.v1.AgentService/Run HTTP/1.1\r\nHost: %s\r\n" % RAW_CURSOR.encode())
    line.send(b"Content-Type: application/connect+proto\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
    answer, heard = line.begin(), b""
    while not heard.endswith(b"first"):
        heard += answer.read1(100)
    line.send(b"3\r\ntwo\r\n")
    while not heard.endswith(b"second"):
        heard += answer.read1(100)
    line.send(b"0\r\n\r\n")
    assert heard == b"firstsecond"


def test_a_private_format_is_refused_where_policy_wants_everything_read(
    blocking_agent: AgentProcess, provider: Provider
) -> None:
    fields = (("Content-Type", "application/connect+proto"),)
    with dialling(blocking_agent) as dial:
        answer = dial(CURSOR).ask("POST", "/agent.v1.AgentService/Run", b"\0", fields=fields)
    assert (answer.status, answer.body[:1]) == (200, b"\x02")
    error = cast("Json", json.loads(answer.body[5:])["error"])
    assert (error["code"], str(error["message"])[:17]) == ("permission_denied", "Not here, please:")
    assert provider.requests == ()


def test_an_uploaded_batch_is_judged_line_by_line(dial: Dial, provider: Provider) -> None:
    secret = made_up_key()
    asked = {"url": "/v1/responses", "body": {"model": "m", "input": f"my {secret}"}}
    lines = b'{"url":"/v1/responses","body":{"model":"m","input":"fine"}}\n' + json.dumps(asked).encode()
    form = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b\r\nContent-Disposition: form-data;'
        b' name="file"; filename="b.jsonl"\r\nContent-Type: application/jsonl\r\n\r\n%s\r\n--b--\r\n'
    )
    provider.script("/v1/files", Canned(body=b'{"id":"file-1"}'))
    fields = (("Content-Type", "multipart/form-data; boundary=b"),)
    answer = dial("api.openai.com").ask("POST", "/v1/files", form % lines, fields=fields)
    assert answer.status == 200
    assert provider.requests[0].body == form % lines.replace(secret.encode(), GONE.encode())
