"""Exchanges: judged, forwarded, answered, recorded. Nothing unjudged passes, and nothing is done twice."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from typing import Any

import brotli
import orjson
import pytest
import zstandard

from agent.dialects import DIALECTS
from agent.gateway.transport.base import FailureKind, TransportError
from agent.inspection import RuleBook
from agent.model.app import Evidence
from agent.model.content import Where
from agent.model.decision import Action
from agent.model.record import IncidentKind, Outcome
from agent.model.tool import NO_TOOLS
from agent.model.traffic import Tier
from agent.policy import load
from tests.fakes.loopback import until
from tests.fakes.rulebooks import BOMB, NOTE, TOY, route_book, rule_book, toy_policy
from tests.fakes.upstream import SSE, FakeClient
from tests.unit.gateway.conftest import POST_JSON, Gateway, policy

GONE = "[REDACTED:toy]"
ANSWER = b'{"id":"c","model":"m-2","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":11}}'
PROVIDER = "providers: {openai: {key: 'env:OPENAI_KEY'}}"
KEYS = (
    (b"authorization", b"Bearer users-own"),
    (b"x-api-key", b"users-own"),
    (b"cookie", b"session=users-own"),
)


def chat(text: str, **more: object) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}], **more}).encode()


def broken(kind: FailureKind = FailureKind.CLOSED) -> TransportError:
    return TransportError(kind, "the provider went away", sent=True)


# Requests


async def test_an_unchanged_request_is_forwarded_byte_by_byte(gateway: Gateway) -> None:
    body = b'{ "model":"m" , "messages":[{"role":"user","content":"h\\u0069"}]}'
    gateway.answers(ANSWER)
    client = await gateway.ask(body, path="/v1/chat/completions?x=1")
    (asked,) = gateway.transport.asked
    assert asked.body == body
    assert asked.request.content_length == len(body)
    assert asked.request.target == b"/v1/chat/completions?x=1"
    assert (asked.target.host, asked.target.port, asked.target.tls) == ("api.openai.com", 443, True)
    assert asked.header(b"host") == b"api.openai.com"
    assert asked.header(b"accept-encoding") == b"identity"
    assert (client.status, client.body) == (200, ANSWER)


async def test_an_unchanged_request_keeps_its_compression(gateway: Gateway) -> None:
    body = gzip.compress(chat("hi"))
    gateway.answers(ANSWER)
    await gateway.ask(
        body, headers=(*POST_JSON, (b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(body)))
    )
    (asked,) = gateway.transport.asked
    assert asked.body == body
    assert asked.header(b"content-encoding") == b"gzip"
    assert asked.request.content_length == len(body)


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "br", "zstd"])
async def test_a_redacted_request_is_forwarded_plain_and_with_its_new_length(
    gateway: Gateway, encoding: str
) -> None:
    body = chat(f"use {TOY} now")
    packed = {
        "": body,
        "gzip": gzip.compress(body),
        "deflate": zlib.compress(body),
        "br": brotli.compress(body),
        "zstd": zstandard.compress(body),
    }[encoding]
    gateway.answers(ANSWER)
    await gateway.ask(
        packed, headers=(*POST_JSON, (b"content-encoding", encoding.encode()), (b"content-length", b"1"))
    )
    (asked,) = gateway.transport.asked
    assert orjson.loads(asked.body)["messages"][0]["content"] == f"use {GONE} now"
    assert asked.request.content_length == len(asked.body)
    assert asked.header(b"content-encoding") is None
    assert asked.header(b"content-length") is None
    assert gateway.event.decision.action is Action.REDACT


async def test_a_large_request_is_judged_beside_the_loop_with_the_same_outcome(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    await gateway.ask(chat("x " * 20_000 + TOY))
    assert TOY.encode() not in gateway.transport.asked[0].body
    assert gateway.event.decision.action is Action.REDACT


async def test_a_body_in_pieces_is_judged_as_a_whole(gateway: Gateway) -> None:
    body = chat(TOY)
    middle = body.index(TOY.encode()) + 4
    gateway.answers(ANSWER)
    await gateway.ask(client=FakeClient([body[:middle], body[middle:]]))
    assert TOY.encode() not in gateway.transport.asked[0].body


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("api.openai.com", "/v1/chat/completions"),
        ("api.openai.com", "/v1//chat/completions/"),
        ("api.openai.com", "/v1/responses"),
        ("api.anthropic.com", "/v1/messages"),
        ("generativelanguage.googleapis.com", "/v1beta/models/g:generateContent"),
    ],
)
async def test_a_block_is_an_answer_in_the_clients_dialect_and_nothing_is_forwarded(
    gateway: Gateway, host: str, path: str
) -> None:
    texts = {
        "responses": {"model": "m", "input": BOMB},
        "generate": {"contents": [{"parts": [{"text": BOMB}]}]},
    }
    body = next((json.dumps(value).encode() for key, value in texts.items() if key in path), chat(BOMB))
    client = await gateway.ask(body, host=host, path=path)
    assert gateway.transport.asked == []
    event = gateway.event
    expected = DIALECTS[event.dialect].block(event.decision.message)
    assert (client.status, client.body) == (expected.status, expected.body)
    assert client.header(b"content-length") == b"%d" % len(expected.body)
    assert client.finished
    assert gateway.whole
    assert (event.outcome, event.status, event.upstream) == (Outcome.BLOCKED, expected.status, "native")
    assert event.response_bytes == len(expected.body)
    reference = client.header(b"x-drawbridge-ref")
    assert reference == event.id[-8:].upper().encode()
    assert reference.decode() in event.decision.message


async def test_an_error_that_is_no_policy_speaks_the_dialect_too(gateway: Gateway) -> None:
    large = b"x" * (gateway.max_body + 1)
    for host, path in (("api.openai.com", "/v1/chat/completions"), ("api.anthropic.com", "/v1/messages")):
        gateway.audit.events.clear()
        client = await gateway.ask(large, host=host, path=path)
        assert client.status == 413
        assert client.body == DIALECTS[gateway.event.dialect].error(413, gateway.event.error).body
        assert gateway.event.outcome is Outcome.REFUSED
    assert gateway.transport.asked == []


async def test_a_body_that_is_announced_too_large_is_refused_unread(gateway: Gateway) -> None:
    client = await gateway.ask(b"x", headers=((b"content-length", b"100001"),))
    assert client.status == 413
    assert gateway.event.request_bytes == 0


@pytest.mark.parametrize(
    ("body", "encodings"),
    [
        (b"no gzip", [b"gzip"]),
        (gzip.compress(b"cut short")[:-4], [b"gzip"]),
        (gzip.compress(b"x" * 200_000), [b"gzip"]),  # a bomb
        (b"x", [b"klingon"]),
        (gzip.compress(b"{}"), [b"gzip", b"gzip"]),
        (b"{}", [b"identity", b"gzip"]),
    ],
)
async def test_a_body_that_cannot_be_unpacked_is_refused(
    gateway: Gateway, body: bytes, encodings: list[bytes]
) -> None:
    client = await gateway.ask(body, headers=tuple((b"content-encoding", each) for each in encodings))
    assert client.status == 400
    assert gateway.transport.asked == []


async def test_a_second_encoding_in_a_field_of_its_own_hides_nothing(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    body = gzip.compress(chat(TOY))
    await gateway.ask(body, headers=((b"content-encoding", b"identity"), (b"content-encoding", b"gzip")))
    (asked,) = gateway.transport.asked
    assert GONE.encode() in asked.body


@policy("unknown_format: block")
async def test_an_unknown_format_is_refused_where_policy_says_so(gateway: Gateway) -> None:
    client = await gateway.ask(b"not json")
    assert client.status == 400
    assert gateway.transport.asked == []
    assert gateway.event.outcome is Outcome.BLOCKED
    assert "not a JSON document" in gateway.event.error


async def test_an_unknown_format_is_seen_as_text_and_forwarded(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    await gateway.ask(f"plain {TOY}".encode())
    assert gateway.transport.asked[0].body == f"plain {GONE}".encode()
    assert gateway.event.outcome is Outcome.COMPLETED


@policy("mode: observe")
async def test_observing_forwards_everything_and_records_what_would_have_been(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    body = chat(f"{BOMB} {TOY}")
    await gateway.ask(body)
    assert gateway.transport.asked[0].body == body
    assert (gateway.event.decision.action, gateway.event.decision.applied) == (Action.BLOCK, False)
    assert gateway.event.outcome is Outcome.COMPLETED


async def test_an_exchange_keeps_the_policy_it_began_with(gateway: Gateway) -> None:
    digest = gateway.policy.rules.policy.digest
    client = FakeClient([chat(BOMB)[:10], chat(BOMB)[10:]])
    exchange = gateway.spawn(b"", client)
    await asyncio.sleep(0)
    gateway.policy.rules = None  # type: ignore[assignment]
    await exchange
    assert client.status == 400
    assert gateway.event.policy_hash == digest


# What asks no model


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/fine_tuning/jobs"),
        ("GET", "/v1/models"),
        ("HEAD", "/v1/models"),
        ("GET", "/v1/chat/completions"),
        ("DELETE", "/v1/files/1"),
    ],
)
async def test_what_asks_no_model_passes_as_it_came(gateway: Gateway, method: str, path: str) -> None:
    body = b"" if method == "GET" else f"{TOY} {BOMB}".encode()
    gateway.answers(
        b"back ",
        TOY.encode(),
        status=201,
        headers=((b"x-own", b"1"), (b"connection", b"x-hop"), (b"x-hop", b"1"), (b"alt-svc", b"h3")),
    )
    client = await gateway.ask(
        body,
        method=method,
        path=path,
        headers=((b"content-length", b"%d" % len(body)), (b"accept-encoding", b"br"), (b"te", b"trailers")),
    )
    (asked,) = gateway.transport.asked
    assert asked.request.method == method.encode()
    assert asked.body == body
    assert asked.header(b"accept-encoding") == b"br"
    assert asked.header(b"te") is None
    assert (client.status, client.body) == (201, f"back {TOY}".encode())
    assert client.headers == ((b"x-own", b"1"),)
    assert gateway.event.outcome is Outcome.COMPLETED
    assert gateway.event.decision.action is Action.ALLOW
    assert gateway.event.response_bytes == len(client.body)


async def test_a_body_without_length_is_streamed_on(gateway: Gateway) -> None:
    gateway.answers(b"ok")
    await gateway.ask(
        client=FakeClient([b"one", b"two"]),
        path="/v1/fine_tuning/jobs",
        headers=((b"transfer-encoding", b"chunked"),),
    )
    (asked,) = gateway.transport.asked
    assert asked.body == b"onetwo"
    assert asked.request.content_length is None
    assert asked.header(b"transfer-encoding") is None


@pytest.mark.parametrize("status", [204, 304])
async def test_a_length_that_is_no_bodys_is_not_passed_on(gateway: Gateway, status: int) -> None:
    gateway.answers(status=status, headers=((b"content-length", b"99"), (b"etag", b"x")))
    client = await gateway.ask(method="GET", path="/v1/models")
    assert client.headers == ((b"etag", b"x"),)
    assert client.finished


ACCESS = "access: [{id: no-files, paths: ['/v1/files*'], action: block}]"


@policy(ACCESS)
async def test_an_access_rule_holds_where_no_model_is_asked(gateway: Gateway) -> None:
    client = await gateway.ask(b"x", path="/v1/%66iles", headers=((b"content-length", b"1"),))
    assert client.status == 400
    assert gateway.transport.asked == []
    assert gateway.event.decision.rule_ids == ("no-files",)
    assert gateway.event.outcome is Outcome.BLOCKED


@policy(f"mode: observe\n{ACCESS}")
async def test_an_access_rule_that_is_observed_is_recorded(gateway: Gateway) -> None:
    gateway.answers(b"ok")
    await gateway.ask(path="/v1/files")
    assert gateway.event.decision.rule_ids == ("no-files",)
    assert (gateway.event.decision.applied, gateway.event.outcome) == (False, Outcome.COMPLETED)


# Routes


async def test_a_request_for_another_host_is_misdirected_and_noted(gateway: Gateway) -> None:
    client = await gateway.ask(chat("hi"), made_for="api.anthropic.com")
    assert client.status == 421
    assert gateway.transport.asked == []
    assert gateway.event.outcome is Outcome.REFUSED
    assert [incident.kind for incident in gateway.audit.incidents] == [IncidentKind.MISDIRECTED]


async def test_a_request_with_two_hosts_is_refused(gateway: Gateway) -> None:
    client = await gateway.ask(chat("hi"), headers=((b"host", b"api.openai.com"),))
    assert client.status == 400
    assert gateway.transport.asked == []


async def test_an_unknown_base_url_is_refused(gateway: Gateway) -> None:
    client = await gateway.ask(path="/klingon/v1", tier=Tier.BASE_URL, host="127.0.0.1:1")
    assert client.status == 404
    assert b"/openai" in client.body


# Failures


@pytest.mark.parametrize("kind", list(FailureKind))
async def test_an_upstream_that_cannot_be_reached_is_said_in_the_clients_dialect(
    gateway: Gateway, kind: FailureKind
) -> None:
    gateway.transport.answers.append(broken(kind))
    client = await gateway.ask(chat("hi"))
    assert client.status == (504 if kind is FailureKind.TIMEOUT else 502)
    assert "the provider went away" in orjson.loads(client.body)["error"]["message"]
    assert (gateway.event.outcome, gateway.event.status) == (Outcome.UPSTREAM_FAILED, client.status)
    assert gateway.whole


async def test_a_client_that_leaves_while_it_asks_is_noted_and_nothing_is_forwarded(gateway: Gateway) -> None:
    client = FakeClient([b"half", b"more"])
    client.on_send = lambda: pytest.fail("nobody is there to be answered")
    exchange = gateway.spawn(b"", client)
    client.leaves = True
    await exchange
    assert gateway.event.outcome is Outcome.CLIENT_CLOSED
    assert gateway.transport.asked == []
    assert gateway.whole is False


async def test_a_client_that_leaves_within_an_upload_is_noted(gateway: Gateway) -> None:
    client = FakeClient([b"half"])
    client._incoming[0]["more_body"] = True
    await gateway.ask(client=client, path="/v1/files", headers=((b"content-length", b"10"),))
    assert gateway.event.outcome is Outcome.CLIENT_CLOSED
    assert gateway.whole is False


async def test_a_client_that_leaves_while_the_provider_thinks_ends_the_exchange(gateway: Gateway) -> None:
    answer = gateway.answers(asyncio.Event())
    exchange = gateway.spawn(chat("hi"), FakeClient(chat("hi")))
    await until(lambda: bool(gateway.transport.asked))
    await asyncio.sleep(0.01)
    exchange.cancel()
    await exchange
    assert answer.closed
    assert gateway.event.outcome is Outcome.CLIENT_CLOSED
    assert gateway.whole is False


async def test_an_error_of_ours_forwards_nothing_and_says_little(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    gateway.transport.before_answer = fail
    client = await gateway.ask(chat("private words"))
    assert client.status == 500
    assert (gateway.event.outcome, gateway.event.error) == (Outcome.FAILED, "ZeroDivisionError")
    assert "private words" not in caplog.text


async def test_an_event_that_cannot_be_kept_stops_nobody_but_is_said(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.audit.broken = True
    gateway.answers(ANSWER)
    assert (await gateway.ask(chat("hi"))).body == ANSWER
    assert "audit event lost: the disk is full" in caplog.text


class CrashingScanner:
    """A scanner with a bug."""

    rules = ()

    def scan(self, text: str) -> Any:
        raise ZeroDivisionError

    stream = scan


@pytest.fixture
def crashing(request: pytest.FixtureRequest) -> RuleBook:
    """A rule book of its own whose scanner crashes."""
    made = RuleBook(load(toy_policy(request.param), source="p"))
    route_book(made)
    made.scanner = CrashingScanner()  # type: ignore[assignment]
    return made


@pytest.mark.parametrize("crashing", ["on_error: block"], indirect=True)
async def test_a_check_that_crashes_blocks_where_policy_says_so(gateway: Gateway, crashing: RuleBook) -> None:
    gateway.policy.rules = crashing
    client = await gateway.ask(chat(TOY))
    assert client.status == 400
    assert gateway.transport.asked == []
    assert gateway.event.decision.rule_ids == ("on_error",)
    assert gateway.event.outcome is Outcome.BLOCKED


@pytest.mark.parametrize(
    "crashing", ["on_error: allow\ncapture: redacted", "mode: observe\non_error: block"], indirect=True
)
async def test_a_check_that_crashes_lets_pass_where_policy_says_so(
    gateway: Gateway, crashing: RuleBook
) -> None:
    gateway.policy.rules = crashing
    gateway.answers(ANSWER)
    client = await gateway.ask(chat(TOY))
    assert gateway.transport.asked[0].body == chat(TOY)
    assert client.body == ANSWER
    assert "the check itself failed" in gateway.event.decision.reason


# The record


async def test_the_record_tells_what_happened_and_no_content(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    await gateway.ask(chat(f"my words {TOY} {NOTE}", stream=False))
    event = gateway.event
    assert (event.surface, event.dialect, event.operation) == ("openai", "openai-chat", "chat")
    assert (event.model, event.status, event.outcome) == ("m", 200, Outcome.COMPLETED)
    assert (event.usage.input_tokens, event.usage.output_tokens) == (7, 11)
    assert {(hit.type, hit.where) for hit in event.decision.hits} == {
        ("toy", Where.PROMPT),
        ("note", Where.PROMPT),
    }
    assert event.response_bytes == len(ANSWER)
    assert event.timing.upstream_ms is not None
    assert "my words" not in repr(event)
    assert TOY not in repr(event)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("framing", [(b"content-length", b"60"), (b"transfer-encoding", b"chunked")])
async def test_a_body_is_judged_whatever_its_method(
    gateway: Gateway, method: str, framing: tuple[bytes, bytes]
) -> None:
    fields = (*POST_JSON, (b"x-http-method-override", b"POST"), framing)
    client = await gateway.ask(chat(BOMB), method=method, headers=fields)
    assert gateway.transport.asked == []
    assert client.status == 400


@pytest.mark.parametrize("how", ["answer", "block", "relay"])
async def test_the_record_is_durable_before_the_last_byte_leaves(gateway: Gateway, how: str) -> None:
    gateway.audit.gate = asyncio.Event()
    gateway.answers(ANSWER)
    client = FakeClient(chat(BOMB if how == "block" else "hi"))
    exchange = gateway.spawn(b"", client, path="/v1/files" if how == "relay" else "/v1/chat/completions")
    await asyncio.sleep(0.02)
    assert not client.finished
    gateway.audit.gate.set()
    await exchange
    assert client.finished
    assert len(gateway.audit.events) == 1


def test_the_toy_policies_differ_only_where_they_should() -> None:
    assert rule_book(toy_policy()).policy.digest != rule_book(toy_policy("mode: observe")).policy.digest


# Pages: prompts in addresses, signed requests, other calls on the same path


async def test_a_prompt_in_an_address_is_redacted_there(gateway: Gateway) -> None:
    gateway.answers(b"event: done\ndata: {}\n\n", headers=SSE)
    path = f"/api/streamingSearch?page=1&q=use+{TOY}+now&chatId=y-1&x=%c3%a9"
    client = await gateway.ask(b"", path=path, host="you.com", method="GET", headers=())
    (asked,) = gateway.transport.asked
    assert asked.request.method == b"GET"
    assert (
        asked.request.target
        == b"/api/streamingSearch?page=1&q=use+%5BREDACTED%3Atoy%5D+now&chatId=y-1&x=%c3%a9"
    )
    assert (asked.body, asked.request.content_length) == (b"", None)
    assert asked.header(b"content-length") is None
    assert client.status == 200
    assert gateway.event.decision.action is Action.REDACT
    assert gateway.event.path == "/api/streamingSearch"


@policy("unknown_format: allow")
async def test_an_address_that_cannot_be_read_is_redacted_as_text_and_stays_an_address(
    gateway: Gateway,
) -> None:
    gateway.answers(b"data: {}\n\n", headers=SSE)
    path = f"/api/streamingSearch?q={TOY}&x=%e9"
    await gateway.ask(b"", path=path, host="you.com", method="GET", headers=())
    assert gateway.transport.asked[0].request.target == f"/api/streamingSearch?q={GONE}&x=%e9".encode()
    assert gateway.event.error == "a field of the form is no UTF-8"


async def test_a_prompt_in_an_address_without_findings_passes_byte_by_byte(gateway: Gateway) -> None:
    gateway.answers(b"data: {}\n\n", headers=SSE)
    path = "/api/streamingSearch?q=hello%20world&&=&chat=%5B%5D"
    await gateway.ask(b"", path=path, host="you.com", method="GET", headers=())
    assert gateway.transport.asked[0].request.target == path.encode()
    assert gateway.event.decision.action is Action.ALLOW


async def test_a_prompt_in_an_address_is_blocked_in_the_pages_own_form(gateway: Gateway) -> None:
    path = f"/api/streamingSearch?q={BOMB}"
    client = await gateway.ask(b"", path=path, host="you.com", method="GET", headers=())
    assert gateway.transport.asked == []
    assert (client.status, client.header(b"content-type")) == (200, b"text/event-stream")
    assert b"event: youChatToken" in client.body
    assert b"bomb in the prompt" in client.body
    assert gateway.event.outcome is Outcome.BLOCKED


async def test_other_requests_without_a_body_pass_on_the_paths_of_models(gateway: Gateway) -> None:
    gateway.answers(b"[]")
    path = f"/api/chat?q={BOMB}"
    await gateway.ask(b"", path=path, host="chat.mistral.ai", method="GET", headers=())
    assert gateway.transport.asked[0].request.target == path.encode()


async def test_an_answer_of_a_page_is_redacted_in_its_lines(gateway: Gateway) -> None:
    pieces = [
        b'{"result":{"response":{"token":"' + part.encode() + b'"}}}\n' for part in ("a TOY-", "12345", "6.")
    ]
    gateway.answers(
        *pieces, b'{"result":{"response":{"novel":1}}}\n', headers=((b"content-type", b"application/json"),)
    )
    client = await gateway.ask(
        b'{"message":"hi"}', path="/rest/app-chat/conversations/c-7/responses", host="grok.com"
    )
    told = [json.loads(line)["result"]["response"] for line in client.body.splitlines()]
    assert "".join(each.get("token", "") for each in told) == f"a {GONE}."
    assert told[-1] == {"novel": 1}


async def test_a_refusal_names_the_pages_conversation(gateway: Gateway) -> None:
    path = "/rest/app-chat/conversations/c-7/responses"
    client = await gateway.ask(b'{"message":"%s"}' % BOMB.encode(), path=path, host="grok.com")
    assert gateway.event.decision.action is Action.BLOCK
    assert [list(json.loads(line)) for line in client.body.splitlines()] == [["result"], ["result"]]


async def test_what_a_page_signed_is_blocked_instead_of_changed(gateway: Gateway) -> None:
    body = chat(f"use {TOY}")
    client = await gateway.ask(body, path="/api/v2/chat/completions", host="chat.z.ai")
    assert gateway.transport.asked == []
    assert b"signs its requests" in client.body
    assert gateway.event.decision.rule_ids == ("sealed",)


async def test_other_calls_on_a_pages_path_pass_both_ways_unread(gateway: Gateway) -> None:
    answer = b'{"data":{"viewer":{"note":"' + TOY.encode() + b'"}}}'
    body = b"fb_api_req_friendly_name=useViewerQuery&variables=" + TOY.encode()
    gateway.answers(answer)
    form = ((b"content-type", b"application/x-www-form-urlencoded"),)
    client = await gateway.ask(body, path="/api/graphql/", host="www.meta.ai", headers=form)
    assert gateway.transport.asked[0].body == body
    assert client.body == answer
    assert gateway.event.decision.action is Action.ALLOW


# Programs

DENIED = "apps: {rules: [{id: no-cursor, apps: [cursor], state: denied, message: 'Not {rule}. {ref}'}]}"


class Unreadable(FakeClient):
    """A client whose body must not be asked for."""

    async def receive(self) -> dict[str, object]:
        raise AssertionError("the body was read")


@policy(DENIED)
@pytest.mark.parametrize(
    ("host", "path", "dialect"),
    [
        ("api.openai.com", "/v1/chat/completions", "openai-chat"),
        ("api.openai.com", "/v1/responses", "openai-responses"),
        ("api.anthropic.com", "/v1/messages", "anthropic-messages"),
        ("generativelanguage.googleapis.com", "/v1beta/models/g:generateContent", "gemini-generate-content"),
    ],
)
async def test_a_denied_program_is_told_in_its_dialect_before_its_body_is_read(
    gateway: Gateway, host: str, path: str, dialect: str
) -> None:
    fields = (*POST_JSON, (b"content-length", b"100"))
    client = await gateway.ask(host=host, path=path, app="cursor", client=Unreadable(), headers=fields)
    event = gateway.event
    block = DIALECTS[dialect].block(event.decision.message)
    assert (client.status, client.body) == (block.status, block.body)
    assert event.decision.message.startswith("Not no-cursor. ")
    assert (event.outcome, event.decision.rule_ids, event.standing.state) == (
        Outcome.BLOCKED,
        ("no-cursor",),
        "denied",
    )
    assert gateway.transport.asked == []


@policy(DENIED)
async def test_others_and_what_asks_no_model_go_on(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    gateway.answers(b"{}")
    assert (await gateway.ask(chat("hi"), app="codex")).status == 200
    assert gateway.event.standing.state == "approved"
    assert (await gateway.ask(path="/v1/models", method="GET", app="cursor", headers=())).status == 200


@policy("apps: {default: denied, scope: host}")
async def test_a_whole_host_can_be_closed(gateway: Gateway) -> None:
    client = await gateway.ask(path="/auth/login", host="chatgpt.com", method="GET", headers=())
    assert client.status >= 400
    assert gateway.transport.asked == []
    assert gateway.event.decision.rule_ids == ("apps.default",)


@policy("apps: {default: pending, pending: observe}")
async def test_a_pending_program_works_and_each_exchange_is_an_alert(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    assert (await gateway.ask(chat(TOY), app="cursor")).status == 200
    event = gateway.event
    assert GONE.encode() in gateway.transport.asked[0].body  # guardrails hold all the same
    assert event.decision.action is Action.REDACT
    assert event.decision.rule_ids == ("apps.default", "toys")
    assert event.standing.state == "pending"


@policy("mode: observe\napps: {default: denied}")
async def test_a_policy_that_observes_denies_nobody(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    assert (await gateway.ask(chat("hi"), app="cursor")).status == 200
    assert (gateway.event.decision.action, gateway.event.decision.applied) == (Action.BLOCK, False)


@policy("capture: full\napps: {unknown_accounts: metadata}")
async def test_of_some_accounts_only_metadata_is_kept_and_guardrails_hold(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    await gateway.ask(chat(f"hi {TOY}"))
    assert GONE.encode() in gateway.transport.asked[0].body
    assert (gateway.event.capture, gateway.event.prompt, gateway.event.answer) == ("metadata", "", "")


WAYS = """
upstream: {route: central, central: {base_url: 'https://hub.example/gw', virtual_key: 'env:HUB_KEY'}}
providers: {openai: {key: 'env:OPENAI_KEY'}}
apps:
  rules:
    - {id: own, apps: [claude-code], state: approved, routing: native}
    - {id: ours, apps: [cursor], state: approved, routing: gateway}
"""


@policy(WAYS)
@pytest.mark.parametrize(
    ("app", "host", "key"),
    [
        ("claude-code", "api.openai.com", b"Bearer users-own"),
        ("cursor", "api.openai.com", b"Bearer open-" + b"secret"),
        ("other", "hub.example", b"Bearer hub-" + b"secret"),
    ],
)
async def test_each_program_has_its_way(gateway: Gateway, app: str, host: str, key: bytes) -> None:
    gateway.answers(ANSWER)
    client = await gateway.ask(chat("hi"), app=app, headers=(*POST_JSON, KEYS[0]))
    assert client.status == 200
    (asked,) = gateway.transport.asked
    assert asked.target.host == host
    assert [value for name, value in asked.request.headers if name == b"authorization"] == [key]


# Tenants

TENANT = "tenants: {anthropic-organizations: {allow: [01234567-89ab-cdef-0123-456789abcdef]}}"


@policy(TENANT)
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/messages"), ("GET", "/api/oauth/profile")])
async def test_a_tenant_header_is_ours_whatever_the_client_says(
    gateway: Gateway, method: str, path: str
) -> None:
    name = b"anthropic-allowed-org-ids"
    gateway.answers(b"{}")
    fields = (*POST_JSON, (name, b"theirs"), (b"connection", b"close, " + name), (name, b"theirs-too"))
    body = chat("hi") if method == "POST" else b""
    await gateway.ask(body, host="api.anthropic.com", path=path, method=method, headers=fields)
    (asked,) = gateway.transport.asked
    values = [value for key, value in asked.request.headers if key.lower() == name]
    assert values == [b"01234567-89ab-cdef-0123-456789abcdef"]


@policy(TENANT)
async def test_other_hosts_get_none(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    await gateway.ask(chat("hi"))
    assert b"anthropic-allowed-org-ids" not in dict(gateway.transport.asked[0].request.headers)


# Tool calls

CALL = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": f"echo {TOY}"}}


@policy("tool_calls: {report: arguments}")
async def test_an_answers_tool_calls_are_told_without_what_rules_find(gateway: Gateway) -> None:
    result = {"type": "tool_result", "tool_use_id": "s", "content": "no", "is_error": True}
    said = {"role": "assistant", "content": [{"type": "tool_use", "id": "s", "name": "Read", "input": {}}]}
    body = json.dumps({"model": "m", "messages": [said, {"role": "user", "content": [result]}]}).encode()
    gateway.answers(json.dumps({"model": "m", "content": [CALL]}).encode())
    await gateway.ask(body, host="api.anthropic.com", path="/v1/messages")
    tools = gateway.event.tools
    (call,) = tools.calls
    assert (call.tool, call.kind, call.arguments) == ("Bash", "shell", f'{{"command":"echo {GONE}"}}')
    (outcome,) = tools.results
    assert (outcome.tool, outcome.kind, outcome.failed) == ("Read", "read", True)


async def test_of_tools_nothing_is_told_by_default(gateway: Gateway) -> None:
    gateway.answers(json.dumps({"model": "m", "content": [CALL]}).encode())
    await gateway.ask(chat("hi"), host="api.anthropic.com", path="/v1/messages")
    assert gateway.event.tools == NO_TOOLS


# Who asks


CLAIMING = ((b"x-app", b"cli"), (b"x-api-key", b"sk-ant-api03-" + b"k" * 40 + b"wxyz"), *POST_JSON)


async def test_what_a_request_claims_and_shows_is_recorded_and_its_credential_not(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    await gateway.ask(chat("hi"), headers=CLAIMING)
    event = gateway.event
    assert (event.asker.app, event.asker.evidence) == ("claude-code", Evidence.CLAIMED)
    assert (event.login.key_type, event.login.tail) == ("anthropic", "wxyz")
    assert "kkkk" not in repr(event)


@policy("access: [{id: no-keys, when: 'login.kind == \"api_key\"', action: block}]")
async def test_rules_can_ask_for_the_account(gateway: Gateway) -> None:
    await gateway.ask(chat("hi"), headers=CLAIMING)
    assert gateway.event.decision.rule_ids == ("no-keys",)
    assert gateway.transport.asked == []


async def test_the_organisation_that_a_provider_names_counts_from_this_record_on(gateway: Gateway) -> None:
    named = ((b"openai-organization", b"org-1"), *POST_JSON)
    gateway.answers(ANSWER, headers=named)
    await gateway.ask(chat("hi"), headers=CLAIMING)
    assert gateway.event.login.organisation == "org-1"


@policy(PROVIDER)
async def test_with_a_key_of_ours_the_answer_says_nothing_of_the_user(gateway: Gateway) -> None:
    gateway.answers(ANSWER, headers=((b"openai-organization", b"org-1"), *POST_JSON))
    await gateway.ask(chat("hi"), path="/openai/v1/chat/completions", tier=Tier.BASE_URL, headers=CLAIMING)
    assert gateway.event.login.organisation == ""


# What is signed, what is private, what is kept

SIGNED = (
    *POST_JSON,
    (
        b"authorization",
        b"AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=accept-encoding;host, Signature=0",
    ),
    (b"accept-encoding", b"gzip"),
)
BEDROCK = "bedrock-runtime.eu-west-1.amazonaws.com"
CONVERSE = "/model/amazon.nova-micro-v1%3A0/converse"
CURSOR = {"host": "agent.api5.cursor.sh", "path": "/agent.v1.AgentService/Run"}
CONNECT = ((b"content-type", b"application/connect+proto"), (b"content-length", b"9"))


def converse(text: str) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": [{"text": text}]}]}).encode()


async def test_a_signed_request_goes_on_as_it_was_signed(gateway: Gateway) -> None:
    gateway.answers(b'{"output":{"message":{"content":[{"text":"hi"}]}}}')
    await gateway.ask(converse("hello"), host=BEDROCK, path=CONVERSE, headers=SIGNED)
    (asked,) = gateway.transport.asked
    assert asked.body == converse("hello")
    assert asked.request.target == CONVERSE.encode()
    assert [value for name, value in asked.request.headers if name == b"accept-encoding"] == [b"gzip"]
    assert (gateway.event.surface, gateway.event.model) == ("bedrock", "amazon.nova-micro-v1:0")


async def test_a_signed_request_that_would_have_to_be_changed_is_blocked(gateway: Gateway) -> None:
    client = await gateway.ask(converse(TOY), host=BEDROCK, path=CONVERSE, headers=SIGNED)
    assert gateway.transport.asked == []
    assert (client.status, dict(client.headers)[b"x-amzn-errortype"]) == (400, b"ValidationException")
    told = orjson.loads(client.body)["message"]
    assert "toy in the prompt would have to be taken out, but the request is signed" in told
    assert gateway.event.outcome is Outcome.BLOCKED
    assert gateway.event.decision.rule_ids[-1] == "signed_body"
    assert [hit.type for hit in gateway.event.decision.hits] == ["toy"]


async def test_a_request_with_a_bearer_token_is_changed(gateway: Gateway) -> None:
    gateway.answers(b'{"output":{"message":{"content":[{"text":"hi"}]}}}')
    fields = (*POST_JSON, (b"authorization", b"Bearer bedrock-api-key"))
    await gateway.ask(converse(TOY), host=BEDROCK, path=CONVERSE, headers=fields)
    (asked,) = gateway.transport.asked
    assert orjson.loads(asked.body)["messages"][0]["content"][0]["text"] == GONE


async def test_a_private_format_passes_unread_and_the_record_says_so(gateway: Gateway) -> None:
    gateway.answers(b"\x00\x00\x00\x00\x01x", headers=((b"content-type", b"application/connect+proto"),))
    client = await gateway.ask(TOY.encode() + BOMB.encode(), headers=CONNECT, **CURSOR)
    (asked,) = gateway.transport.asked
    assert asked.body == TOY.encode() + BOMB.encode()
    assert client.body == b"\x00\x00\x00\x00\x01x"
    event = gateway.event
    assert (event.surface, event.dialect, event.operation) == ("cursor", "opaque", "chat")
    assert (event.outcome, event.error) == (Outcome.COMPLETED, "not inspected: private format")


@policy("unknown_format: block")
async def test_a_private_format_is_refused_in_its_protocol_where_policy_says_so(gateway: Gateway) -> None:
    client = await gateway.ask(b"x", headers=CONNECT, **CURSOR)
    assert gateway.transport.asked == []
    assert (client.status, client.body[:1]) == (200, b"\x02")
    assert orjson.loads(client.body[5:])["error"]["code"] == "permission_denied"
    assert gateway.event.outcome is Outcome.BLOCKED


@policy("access: [{id: no-cursor, surfaces: [cursor], action: block}]")
async def test_an_access_rule_holds_for_a_private_format(gateway: Gateway) -> None:
    client = await gateway.ask(b"x", headers=CONNECT, **CURSOR)
    assert orjson.loads(client.body[5:])["error"]["code"] == "permission_denied"
    assert gateway.event.decision.rule_ids == ("no-cursor",)


@policy("unknown_format: block")
async def test_an_errand_on_the_path_of_a_model_passes(gateway: Gateway) -> None:
    gateway.answers(b'{"limits":[]}')
    fields = (
        (b"content-type", b"application/x-amz-json-1.0"),
        (b"x-amz-target", b"AmazonCodeWhispererService.GetUsageLimits"),
    )
    client = await gateway.ask(
        b'{"origin":"IDE"}', host="q.us-east-1.amazonaws.com", path="/", headers=fields
    )
    assert (client.status, client.body) == (200, b'{"limits":[]}')


@pytest.mark.parametrize(
    ("host", "path", "operation", "model"),
    [
        ("api.openai.com", "/v1/completions", "completions", "m"),
        ("my.openai.azure.com", "/openai/deployments/d/completions?api-version=1", "completions", "m"),
        ("api.githubcopilot.com", "/v1/engines/e/completions", "completions", "m"),
        ("api.mistral.ai", "/v1/fim/completions", "completions", "m"),
        ("api.groq.com", "/openai/v1/embeddings", "embeddings", "m"),
    ],
)
async def test_what_is_no_chat_is_judged_and_recorded_as_what_it_is(
    gateway: Gateway, host: str, path: str, operation: str, model: str
) -> None:
    gateway.answers(b'{"choices":[{"text":"x"}],"usage":{"prompt_tokens":7}}')
    field = "input" if operation == "embeddings" else "prompt"
    await gateway.ask(json.dumps({"model": "m", field: TOY}).encode(), host=host, path=path)
    (asked,) = gateway.transport.asked
    assert orjson.loads(asked.body) == {"model": "m", field: GONE}
    event = gateway.event
    assert (event.operation, event.model, event.usage.input_tokens) == (operation, model, 7)
