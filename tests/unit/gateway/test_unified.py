"""Requests to the gateway's own API, from the client's bytes to the provider's and back."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from agent.accounts.accounts import Accounts
from agent.accounts.keys import new_key
from agent.accounts.local import LocalStore
from agent.caching.cache import AnswerCache
from agent.caching.sqlite import SqliteStore
from agent.catalog import Harness
from agent.gateway.transport.base import FailureKind, Headers, TransportError
from agent.inspection import RuleBook
from agent.model.record import CacheUse, Exchange, Outcome
from agent.model.traffic import Tier
from tests.fakes.loopback import until
from tests.fakes.rulebooks import BOMB, DETECTORS, GUARDRAILS, TOY, rule_book, toy_policy
from tests.fakes.streams import AnthropicText, ChatText, documents
from tests.fakes.upstream import SSE, FakeClient
from tests.unit.gateway.conftest import POST_JSON, Gateway

PROVIDERS = """
providers:
  openai: {key: 'env:OPENAI_KEY'}
  anthropic: {keys: [{name: main, key: 'env:HUB_KEY'}]}
  local: {uses: openai-compatible, base_url: 'http://127.0.0.1:9/v1'}
routing: {retries: {each: 0, backoff_initial_ms: 0, backoff_max_ms: 0}, untranslatable: refuse}
models: {fast: [local/tiny, openai/gpt-5-nano]}
"""
CHAT_ANSWER = orjson.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
    }
)
MESSAGES_ANSWER = orjson.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "Hello."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 2},
    }
)


def chat(model: str, text: str = "hi", **more: object) -> bytes:
    return orjson.dumps({"model": model, "messages": [{"role": "user", "content": text}], **more})


def event(document: dict[str, object]) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def piece(text: str) -> bytes:
    delta = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return event({"id": "c", "object": "chat.completion.chunk", "model": "tiny", "choices": [delta]})


END = event({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
USAGE = event({"id": "c", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}})
DONE = b"data: [DONE]\n\n"


@pytest.fixture
def own_rules(request: pytest.FixtureRequest) -> RuleBook:
    """Parametrize indirectly with guardrails, or none."""
    guardrails = getattr(request, "param", None)
    if guardrails is None:
        return rule_book(toy_policy(PROVIDERS))
    return rule_book(f"schema_version: 1\nid: own\n{PROVIDERS}{guardrails}{DETECTORS if guardrails else ''}")


@pytest.fixture
async def own(own_rules: RuleBook) -> AsyncIterator[Gateway]:
    made = Gateway(own_rules)
    yield made
    made.scans.close()
    await made.tasks.cancel()


def code_of(client: FakeClient) -> object:
    """What OpenAI calls the error that the client got."""
    return orjson.loads(client.body)["error"]["code"]


async def ask(
    gateway: Gateway, body: bytes, path: str = "/v1/chat/completions", headers: Headers = POST_JSON
) -> FakeClient:
    return await gateway.ask(body, path=path, host="127.0.0.1:1", tier=Tier.BASE_URL, headers=headers)


async def test_the_same_dialect_passes_as_it_came_but_for_the_models_name(own: Gateway) -> None:
    own.answers(CHAT_ANSWER)
    body = chat("local/tiny", x_unknown={"kept": [1.50]})
    client = await ask(own, body)
    [asked] = own.transport.asked
    assert asked.body == body.replace(b"local/tiny", b"tiny")
    assert asked.request.target == b"/v1/chat/completions"
    assert client.body == CHAT_ANSWER
    assert client.header(b"x-drawbridge-provider") == b"local"
    assert (own.event.served.provider, own.event.served.model) == ("local", "tiny")
    assert (own.event.usage.input_tokens, own.event.outcome) == (7, Outcome.COMPLETED)


async def test_another_dialect_is_translated_both_ways(own: Gateway) -> None:
    own.answers(MESSAGES_ANSWER)
    client = await ask(own, chat("anthropic/claude-sonnet-4-5"))
    [asked] = own.transport.asked
    sent = orjson.loads(asked.body)
    assert (asked.request.target, asked.target.host) == (b"/v1/messages", "api.anthropic.com")
    assert asked.header(b"x-api-key") == b"hub-secret"
    assert sent["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}] or sent[
        "messages"
    ] == [{"role": "user", "content": "hi"}]
    answer = orjson.loads(client.body)
    assert answer["choices"][0]["message"]["content"] == "Hello."
    assert answer["usage"]["prompt_tokens"] == 7
    assert own.event.served.key == "main"


async def test_what_cannot_be_said_is_refused_by_its_name(own: Gateway) -> None:
    client = await ask(own, chat("anthropic/claude-sonnet-4-5", logit_bias={"1": 2}))
    assert client.status == 400
    assert "logit_bias" in orjson.loads(client.body)["error"]["message"]
    assert own.transport.asked == []


async def test_a_secret_is_replaced_before_the_request_is_translated(own: Gateway) -> None:
    own.answers(MESSAGES_ANSWER)
    await ask(own, chat("anthropic/claude-sonnet-4-5", f"the key {TOY}"))
    assert TOY.encode() not in own.transport.asked[0].body


async def test_an_answer_is_judged_after_it_was_translated(own: Gateway) -> None:
    own.answers(MESSAGES_ANSWER.replace(b"Hello.", f"take {BOMB}".encode()))
    client = await ask(own, chat("anthropic/claude-sonnet-4-5"))
    assert BOMB.encode() not in client.body
    assert own.event.outcome is Outcome.BLOCKED


async def test_an_alias_falls_over_to_its_next_model(own: Gateway) -> None:
    own.transport.answers.append(TransportError(FailureKind.CONNECT, "refused the connection", sent=False))
    own.answers(CHAT_ANSWER)
    client = await ask(own, chat("fast"))
    assert client.status == 200
    assert [each.target.host for each in own.transport.asked] == ["127.0.0.1", "api.openai.com"]
    assert client.header(b"x-drawbridge-attempts") == b"2"
    assert [each.failure for each in own.event.served.attempts] == ["connect", ""]


async def test_an_error_before_the_first_content_of_a_stream_goes_elsewhere(own: Gateway) -> None:
    own.answers(event({"error": {"message": "overloaded", "code": 503}}), headers=SSE)
    own.answers(piece("Hello."), END, USAGE, DONE, headers=SSE)
    client = await ask(own, chat("local/tiny", stream=True, fallbacks=["openai/gpt-5-nano"]))
    assert b"overloaded" not in client.body
    assert b"Hello." in client.body
    assert b"fallbacks" not in own.transport.asked[1].body


@pytest.mark.parametrize("wanted", [True, False])
async def test_counts_of_tokens_are_always_asked_for_and_shown_to_who_wants_them(
    own: Gateway, *, wanted: bool
) -> None:
    own.answers(piece("Hello."), END, USAGE, DONE, headers=SSE)
    more = {"stream_options": {"include_usage": True}} if wanted else {}
    client = await ask(own, chat("local/tiny", stream=True, **more))
    assert orjson.loads(own.transport.asked[0].body)["stream_options"] == {"include_usage": True}
    assert (b'"usage"' in client.body) is wanted
    assert own.event.usage.output_tokens == 2


THINKING: dict[str, tuple[str, dict[str, object]]] = {
    "chat": ("/v1/chat/completions", {"model": "openai/gpt-5", "reasoning_effort": "high"}),
    "responses": ("/v1/responses", {"model": "openai/gpt-5", "input": "hi", "reasoning": {"effort": "high"}}),
    "messages": ("/v1/messages", {"model": "openai/gpt-5", "thinking": {"type": "adaptive"}}),
    "gemini": (
        "/v1beta/models/openai%2Fgpt-5:generateContent",
        {"contents": [], "generationConfig": {"thinkingConfig": {"thinkingBudget": 99}}},
    ),
}
THOUGHT = "{id: thought, when: 'tier == \"medium\"', candidates: [{model: local/deep}]}"


@pytest.fixture
async def tiered() -> AsyncIterator[Gateway]:
    made = Gateway(TIERED)
    yield made
    made.scans.close()


TIERED = rule_book(toy_policy(PROVIDERS.replace("untranslatable: refuse", f"rules: [{THOUGHT}]")))


@pytest.mark.parametrize("client", THINKING)
async def test_who_wants_a_model_to_think_is_of_a_higher_tier(tiered: Gateway, client: str) -> None:
    path, document = THINKING[client]
    tiered.answers(CHAT_ANSWER)
    said = {} if "input" in document or "contents" in document else SAID
    await ask(tiered, orjson.dumps({**document, **said, "max_tokens": 5} if said else document), path)
    assert tiered.event.served.rule == "thought"


async def test_an_unknown_model_is_a_404_that_says_what_may_have_been_meant(own: Gateway) -> None:
    client = await ask(own, chat("anthropic/"))
    assert (client.status, code_of(client)) == (404, "model_not_found")
    assert own.transport.asked == []


async def test_an_error_of_the_provider_comes_in_the_clients_dialect(own: Gateway) -> None:
    problem = {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: too many"}}
    own.answers(orjson.dumps(problem), status=400)
    client = await ask(own, chat("anthropic/claude-sonnet-4-5"))
    assert client.status == 400
    assert orjson.loads(client.body)["error"]["message"] == "max_tokens: too many"


async def test_the_models_that_can_be_asked_for_are_listed(own: Gateway) -> None:
    client = await own.ask(b"", path="/v1/models", method="GET", host="127.0.0.1:1", tier=Tier.BASE_URL)
    ids = {each["id"] for each in orjson.loads(client.body)["data"]}
    assert {"fast", "openai/gpt-5-nano"} <= ids


@pytest.mark.parametrize("path", ["/v1/models/openai/gpt-5-nano", "/v1/models/openai%2Fgpt-5-nano"])
async def test_one_model_can_be_asked_about_however_its_name_is_spelled(own: Gateway, path: str) -> None:
    client = await own.ask(b"", path=path, method="GET", host="127.0.0.1:1", tier=Tier.BASE_URL)
    assert client.status == 200
    assert orjson.loads(client.body)["id"] == "openai/gpt-5-nano"
    assert not own.transport.asked


async def test_a_model_cannot_be_deleted_here(own: Gateway) -> None:
    path = "/v1/models/openai/gpt-5-nano"
    client = await own.ask(b"", path=path, method="DELETE", host="127.0.0.1:1", tier=Tier.BASE_URL)
    assert client.status == 405


async def test_files_go_to_the_provider_that_keeps_them(own: Gateway) -> None:
    own.answers(b'{"id":"file-1"}')
    headers = (*POST_JSON, (b"content-length", b"3"), (b"x-drawbridge-provider", b"openai"))
    client = await ask(own, b"abc", "/v1/files", headers)
    [asked] = own.transport.asked
    assert (asked.target.host, asked.request.target, asked.body) == ("api.openai.com", b"/v1/files", b"abc")
    assert asked.header(b"authorization") == b"Bearer open-secret"
    assert client.status == 200


BATCH = (
    b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b\r\nContent-Disposition: form-data;'
    b' name="file"; filename="b.jsonl"\r\n\r\n{"url":"/v1/chat/completions","body":{"model":"m","messages":'
    b'[{"role":"user","content":"%s"}]}}\r\n--b--\r\n'
)


async def test_a_batch_for_a_provider_is_judged_first(own: Gateway) -> None:
    own.answers(b'{"id":"file-1"}')
    fields = ((b"content-type", b"multipart/form-data; boundary=b"), (b"x-drawbridge-provider", b"openai"))
    client = await ask(own, BATCH % TOY.encode(), "/v1/files", fields)
    [asked] = own.transport.asked
    assert (client.status, asked.body) == (200, BATCH % b"[REDACTED:toy]")
    assert asked.request.content_length == len(asked.body)
    assert asked.header(b"authorization") == b"Bearer open-secret"


FORM = (
    b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nopenai/whisper-1\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n\xff\xfb\r\n'
    b'--b\r\ncontent-disposition: form-data; name="prompt"\r\n\r\nsay ' + TOY.encode() + b"\r\n--b--\r\n"
)


async def test_a_form_goes_where_its_model_is_served(own: Gateway) -> None:
    own.answers(b'{"text":"Hello.","usage":{"type":"tokens","input_tokens":14,"output_tokens":3}}')
    fields = ((b"content-type", b"multipart/form-data; boundary=b"),)
    client = await ask(own, FORM, "/v1/audio/transcriptions", fields)
    [asked] = own.transport.asked
    assert asked.request.target == b"/v1/audio/transcriptions"
    assert b"\r\n\r\nwhisper-1\r\n" in asked.body
    assert b"\xff\xfb" in asked.body
    assert TOY.encode() not in asked.body
    assert asked.header(b"content-type") == b"multipart/form-data; boundary=b"
    assert orjson.loads(client.body)["text"] == "Hello."
    assert (own.event.usage.output_tokens, own.event.attachments[0].name) == (3, "a.mp3")


async def test_sounds_come_back_as_they_are(own: Gateway) -> None:
    own.answers(b"ID3\xff", headers=((b"content-type", b"audio/mpeg"),))
    client = await ask(own, orjson.dumps({"model": "openai/tts-1", "input": "hi"}), "/v1/audio/speech")
    assert (client.status, client.body) == (200, b"ID3\xff")
    assert client.header(b"x-drawbridge-provider") == b"openai"


async def test_converses_clients_name_a_provider_as_one_segment_of_the_path(own: Gateway) -> None:
    own.answers(CHAT_ANSWER)
    body = orjson.dumps({"messages": [{"role": "user", "content": [{"text": "hi"}]}]})
    client = await ask(own, body, "/model/local%2Fvendor%2Ftiny/converse")
    assert orjson.loads(own.transport.asked[0].body)["model"] == "vendor/tiny"
    assert orjson.loads(client.body)["output"]["message"]["content"] == [{"text": "Hello."}]


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD", "OPTIONS"])
async def test_models_are_asked_with_post(own: Gateway, method: str) -> None:
    client = await own.ask(
        b"", path="/v1/chat/completions", method=method, host="127.0.0.1:1", tier=Tier.BASE_URL
    )
    assert (client.status, client.header(b"allow"), own.transport.asked) == (405, b"POST", [])


async def test_a_clients_key_for_one_provider_goes_to_no_other(own: Gateway) -> None:
    own.answers(CHAT_ANSWER)
    theirs = ((b"authorization", b"Bearer sk-theirs"), (b"x-goog-user-project", b"theirs"))
    await ask(own, chat("local/tiny"), "/v1/chat/completions?key=AIza-theirs", (*POST_JSON, *theirs))
    assert b"theirs" not in repr(own.transport.asked).encode()


async def test_what_a_client_says_ends_no_header(own: Gateway) -> None:
    client = await ask(own, chat("local/tiny\r\nset-cookie: a=b"))
    assert client.status == 404
    assert b"\n" not in b"".join(name + value for name, value in client.headers)


# Streams that fail after they began

PATHS = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic-messages": "/v1/messages",
    "gemini-generate-content": "/v1beta/models/local/tiny:streamGenerateContent?alt=sse",
}
CUT = TransportError(FailureKind.CLOSED, "the connection was lost", sent=True)


def asking(dialect: str) -> bytes:
    """A stream of `local/tiny`."""
    said = {"role": "user", "content": "hi"}
    bodies: dict[str, dict[str, object]] = {
        "openai-chat": {"messages": [said]},
        "openai-responses": {"input": "hi"},
        "anthropic-messages": {"messages": [said], "max_tokens": 9},
        "gemini-generate-content": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    }
    says = {} if dialect.startswith("gemini") else {"model": "local/tiny", "stream": True}
    return orjson.dumps({**says, **bodies[dialect]})


def errors(dialect: str, stream: bytes) -> list[str]:
    """The messages of the errors in a stream whose every event is whole."""
    assert stream.endswith(b"\n\n")
    found = []
    for document in documents(stream):
        response = document.get("response")
        holder = response if isinstance(response, dict) else document
        if isinstance(error := holder.get("error"), dict):
            found.append(str(error["message"]))
    return found


@pytest.mark.parametrize("dialect", PATHS)
@pytest.mark.parametrize("ends", [CUT, None], ids=["cut", "ended"])
@pytest.mark.parametrize("own_rules", ["", GUARDRAILS], indirect=True, ids=["unwatched", "watched"])
async def test_a_stream_that_breaks_off_ends_with_one_error_of_its_dialect(
    own: Gateway, dialect: str, ends: TransportError | None
) -> None:
    half = piece(" the")[:30]
    own.answers(piece("Hello,"), half, *([ends] if ends else []), headers=SSE)
    client = await ask(own, asking(dialect), PATHS[dialect])
    assert (client.finished, own.whole) == (True, True)
    assert b"Hello," in client.body
    [message] = errors(dialect, client.body)
    assert message.startswith("Drawbridge: the ")
    assert own.event.outcome is Outcome.UPSTREAM_FAILED
    assert own.event.error == message.removeprefix("Drawbridge: ")


@pytest.mark.parametrize("dialect", PATHS)
async def test_an_error_of_the_provider_in_a_stream_is_the_only_one(own: Gateway, dialect: str) -> None:
    own.answers(piece("Hello,"), event({"error": {"message": "broke", "type": "server_error"}}), headers=SSE)
    client = await ask(own, asking(dialect), PATHS[dialect])
    assert client.finished
    assert errors(dialect, client.body) == ["broke"]


async def test_other_options_of_a_stream_stay_where_counts_are_asked_for(own: Gateway) -> None:
    own.answers(piece("Hello."), END, USAGE, DONE, headers=SSE)
    options = {"include_usage": False, "include_obfuscation": False}
    client = await ask(own, chat("local/tiny", stream=True, stream_options=options))
    asked = own.transport.asked[0].body
    assert asked.count(b"stream_options") == 1
    assert orjson.loads(asked)["stream_options"] == {"include_usage": True, "include_obfuscation": False}
    assert b"usage" not in client.body


async def test_counts_of_a_provider_of_another_format_are_known_though_the_client_wants_none(
    own: Gateway,
) -> None:
    own.answers(*AnthropicText().events(["Hello."]), headers=SSE)
    client = await ask(own, chat("anthropic/claude-sonnet-4-5", stream=True))
    assert ChatText().heard(client.body) == "Hello."
    assert b'"usage":{' not in client.body
    assert (own.event.usage.input_tokens, own.event.usage.output_tokens) == (3, 5)


# Accounts

KEY = new_key()
ACCOUNTS = f"""
accounts:
  assumed_output_tokens: 100
  virtual_keys:
    - id: ci
      hash: "sha256:{hashlib.sha256(KEY.encode()).hexdigest()}"
      providers:
        - {{provider: local, models: [tiny]}}
        - {{provider: openai}}
      budgets: [{{tokens: 1000, per: day}}]
"""


@pytest.fixture
def counted_rules(request: pytest.FixtureRequest) -> RuleBook:
    """Parametrize indirectly with further rows of the key."""
    more = getattr(request, "param", "id: ci")
    return rule_book(toy_policy(PROVIDERS + ACCOUNTS.replace("id: ci", more)))


@pytest.fixture
async def counted(counted_rules: RuleBook, tmp_path: Path) -> AsyncIterator[Gateway]:
    accounts = Accounts(counted_rules.policy.accounts, store=LocalStore(tmp_path / "a.db"))
    await accounts.open()
    made = Gateway(counted_rules, accounts=accounts)
    yield made
    made.scans.close()
    await accounts.close()


WITH_KEY = (*POST_JSON, (b"authorization", b"Bearer " + KEY.encode()))


def exchanges(gateway: Gateway) -> list[Exchange]:
    return [each for each in gateway.audit.events if isinstance(each, Exchange)]


async def used(gateway: Gateway) -> int:
    client = await gateway.ask(
        b"", path="/v1/quota", method="GET", host="127.0.0.1:1", tier=Tier.BASE_URL, headers=WITH_KEY
    )
    [budget] = orjson.loads(client.body)["budgets"]
    return int(budget["used"])


async def test_without_a_key_nothing_is_served(counted: Gateway) -> None:
    client = await ask(counted, chat("local/tiny"))
    assert client.status == 401
    assert client.header(b"x-drawbridge-denied") == b"virtual_key_required"
    assert code_of(client) == "invalid_api_key"


async def test_what_was_used_is_counted_and_the_key_goes_no_further(counted: Gateway) -> None:
    counted.answers(CHAT_ANSWER)
    await ask(counted, chat("local/tiny"), headers=WITH_KEY)
    assert KEY.encode() not in repr(counted.transport.asked).encode()
    assert await used(counted) == 9
    assert exchanges(counted)[0].served.virtual_key == "ci"


async def test_an_answer_without_bound_gets_the_one_that_was_reserved(counted: Gateway) -> None:
    counted.answers(CHAT_ANSWER)
    await ask(counted, chat("local/tiny"), headers=WITH_KEY)
    assert orjson.loads(counted.transport.asked[0].body)["max_tokens"] == 100


async def test_a_model_that_the_key_may_not_use_is_refused(counted: Gateway) -> None:
    client = await ask(counted, chat("local/large"), headers=WITH_KEY)
    assert (client.status, counted.transport.asked) == (403, [])
    assert code_of(client) == "model_not_found"


async def test_a_request_that_does_not_fit_is_refused_with_its_reason(counted: Gateway) -> None:
    client = await ask(counted, chat("local/tiny", max_completion_tokens=5000), headers=WITH_KEY)
    assert (client.status, counted.transport.asked) == (402, [])
    assert client.header(b"x-drawbridge-denied") == b"budget_exceeded"
    assert code_of(client) == "insufficient_quota"
    assert exchanges(counted)[0].outcome is Outcome.REFUSED
    assert "budget" in orjson.loads(client.body)["error"]["message"]


async def test_an_answer_that_failed_costs_nothing(counted: Gateway) -> None:
    counted.answers(b'{"error":{"message":"broken"}}', status=400)
    await ask(counted, chat("local/tiny"), headers=WITH_KEY)
    assert await used(counted) == 0


async def test_a_stream_that_its_client_left_is_charged_for_what_came(counted: Gateway) -> None:
    gate = asyncio.Event()
    counted.answers(piece("word " * 80), gate, headers=SSE)
    client = FakeClient(chat("local/tiny", stream=True))
    exchange = counted.spawn(
        b"", client, path="/v1/chat/completions", host="127.0.0.1:1", tier=Tier.BASE_URL, headers=WITH_KEY
    )
    await until(lambda: bool(client.pieces))
    exchange.cancel()
    await asyncio.wait([exchange])
    assert 100 <= await used(counted) <= 140
    assert exchanges(counted)[0].served.estimated


async def test_what_providers_do_for_nothing_takes_nothing(counted: Gateway) -> None:
    counted.answers(b'{"id":"modr-1","results":[{"flagged":false}]}')
    body = orjson.dumps({"model": "openai/omni-moderation-latest", "input": "word " * 2000})
    client = await ask(counted, body, "/v1/moderations", WITH_KEY)
    assert (client.status, await used(counted)) == (200, 0)


SAID: dict[str, object] = {"messages": [{"role": "user", "content": "hi"}]}
PARTS: dict[str, object] = {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
CONTENTS: dict[str, object] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
BOUNDED: dict[str, tuple[str, dict[str, object]]] = {  # a client of each format, that asks for 5,000 tokens
    "chat": ("/v1/chat/completions", {"model": "local/tiny", **SAID, "max_completion_tokens": 5000}),
    "chat, older": ("/v1/chat/completions", {"model": "local/tiny", **SAID, "max_tokens": 5000.0}),
    "completions": ("/v1/completions", {"model": "local/tiny", "prompt": "hi", "max_tokens": 5000}),
    "responses": ("/v1/responses", {"model": "local/tiny", "input": "hi", "max_output_tokens": 5000}),
    "messages": ("/v1/messages", {"model": "local/tiny", **SAID, "max_tokens": 5000}),
    "cohere": ("/v2/chat", {"model": "local/tiny", **SAID, "max_tokens": 5000}),
    "converse": ("/model/local%2Ftiny/converse", {**PARTS, "inferenceConfig": {"maxTokens": 5000}}),
    "gemini": (
        "/v1beta/models/local%2Ftiny:generateContent",
        {**CONTENTS, "generationConfig": {"maxOutputTokens": 5000}},
    ),
    "several": ("/v1/chat/completions", {"model": "local/tiny", **SAID, "max_tokens": 50, "n": 200}),
    "several prompts": (
        "/v1/completions",
        {"model": "local/tiny", "prompt": ["hi"] * 30, "max_tokens": 50},
    ),
    "candidates": (
        "/v1beta/models/local%2Ftiny:generateContent",
        {**CONTENTS, "generation_config": {"candidate_count": 30, "max_output_tokens": 50}},
    ),
}


@pytest.mark.parametrize("client", BOUNDED)
async def test_what_a_client_of_any_format_asks_for_is_reserved(counted: Gateway, client: str) -> None:
    path, document = BOUNDED[client]
    told = await ask(counted, orjson.dumps(document), path, WITH_KEY)
    assert (told.status, counted.transport.asked) == (402, [])


@pytest.mark.parametrize(
    "client", [name for name, (_, document) in BOUNDED.items() if "5000" in str(document)]
)
async def test_a_bound_of_the_clients_own_stays_whatever_its_format(counted: Gateway, client: str) -> None:
    path, document = BOUNDED[client]
    counted.answers(CHAT_ANSWER)
    body = orjson.dumps(document).replace(b"5000", b"77")
    await ask(counted, body, path, WITH_KEY)
    assert orjson.loads(counted.transport.asked[0].body)["max_tokens"] == 77


@pytest.mark.parametrize(
    "client", [name for name, (_, document) in BOUNDED.items() if "5000" in str(document)]
)
@pytest.mark.parametrize("none", [b"-1", b"null"])
async def test_who_wants_no_bound_gets_the_one_that_was_reserved(
    counted: Gateway, client: str, none: bytes
) -> None:
    path, document = BOUNDED[client]
    counted.answers(CHAT_ANSWER)
    body = orjson.dumps(document).replace(b"5000.0", none).replace(b"5000", none)
    told = await ask(counted, body, path, WITH_KEY)
    if told.status == 400:  # refused by the format itself
        assert counted.transport.asked == []
        return
    sent = orjson.loads(counted.transport.asked[0].body)
    assert (sent["max_tokens"], sent.get("max_completion_tokens")) == (100, None)


TOOLS_OF = {
    "chat": ("/v1/chat/completions", [{"type": "function", "function": {"name": "mcp__jira__delete"}}]),
    "responses": (
        "/v1/responses",
        [{"type": "mcp", "server_label": "jira", "server_url": "https://jira.example"}],
    ),
    "messages": ("/v1/messages", [{"name": "mcp__jira__delete", "input_schema": {"type": "object"}}]),
}


@pytest.mark.parametrize("client", TOOLS_OF)
@pytest.mark.parametrize(
    "counted_rules", ["id: ci\n      mcp_tools: ['github/*', 'jira/find']"], indirect=True
)
async def test_a_key_gives_no_model_a_tool_of_an_mcp_server_that_it_may_not_use(
    counted: Gateway, client: str
) -> None:
    path, tools = TOOLS_OF[client]
    body = orjson.dumps(BOUNDED[client][1] | {"tools": tools}).replace(b"5000", b"50")
    refused = await ask(counted, body, path, WITH_KEY)
    assert (refused.status, refused.header(b"x-drawbridge-denied")) == (403, b"mcp_tool_blocked")
    assert (b"jira" in refused.body, counted.transport.asked) == (True, [])
    counted.answers(CHAT_ANSWER)
    allowed = [
        {"type": "function", "function": {"name": "mcp__github__list", "parameters": {"type": "object"}}}
    ]
    served = await ask(counted, chat("local/tiny", tools=allowed, max_tokens=50), headers=WITH_KEY)
    assert served.status == 200


async def test_vectors_have_no_words_to_reserve(counted: Gateway) -> None:
    counted.answers(b'{"data":[{"embedding":[0.5],"index":0}],"usage":{"prompt_tokens":7,"total_tokens":7}}')
    body = orjson.dumps({"model": "local/tiny", "input": "word " * 600})  # with an answer it would not fit
    told = await ask(counted, body, "/v1/embeddings", WITH_KEY)
    assert (told.status, await used(counted)) == (200, 7)
    assert not exchanges(counted)[0].served.estimated


@pytest.mark.parametrize("word", ["null", "0.5"])
async def test_a_bound_is_told_once(counted: Gateway, word: str) -> None:
    counted.answers(CHAT_ANSWER)
    body = chat("local/tiny")[:-1] + f',"max_tokens":{word}}}'.encode()
    await ask(counted, body, headers=WITH_KEY)
    sent = counted.transport.asked[0].body
    assert (orjson.loads(sent)["max_tokens"], sent.count(b"max_tokens")) == (100, 1)


async def test_what_cannot_be_counted_is_not_lent_a_key(counted: Gateway) -> None:
    headers = (*WITH_KEY, (b"content-length", b"2"), (b"x-drawbridge-provider", b"openai"))
    client = await ask(counted, b"{}", "/v1/batches", headers)
    assert (client.status, counted.transport.asked) == (403, [])
    client = await ask(counted, b"{}", "/openai/v1/fine_tuning/jobs", (*WITH_KEY, (b"content-length", b"2")))
    assert (client.status, counted.transport.asked) == (403, [])


async def test_who_leaves_before_there_is_an_answer_has_had_a_prompt_read(counted: Gateway) -> None:
    gate = asyncio.Event()
    counted.answers(gate)
    client = FakeClient(chat("local/tiny", "word " * 40))
    exchange = counted.spawn(
        b"", client, path="/v1/chat/completions", host="127.0.0.1:1", tier=Tier.BASE_URL, headers=WITH_KEY
    )
    await until(lambda: bool(counted.transport.asked))
    exchange.cancel()
    await asyncio.wait([exchange])
    assert 50 <= await used(counted) <= 100
    assert counted.audit.exchanges[0].outcome is Outcome.CLIENT_CLOSED
    assert counted.audit.exchanges[0].served.estimated


async def test_a_client_that_leaves_while_its_record_is_made_takes_nothing_with_it(counted: Gateway) -> None:
    counted.audit.gate = asyncio.Event()
    counted.answers(CHAT_ANSWER)
    client = FakeClient(chat("local/tiny"))
    exchange = counted.spawn(
        b"", client, path="/v1/chat/completions", host="127.0.0.1:1", tier=Tier.BASE_URL, headers=WITH_KEY
    )
    await until(lambda: bool(counted.transport.asked))
    await asyncio.sleep(0.05)  # the account is being settled, or the trail is slow
    exchange.cancel()
    await asyncio.sleep(0)
    counted.audit.gate.set()
    await asyncio.wait([exchange])
    [entry] = exchanges(counted)
    assert entry.served.cost_nano_usd is None or entry.served.cost_nano_usd > 0
    assert await used(counted) == 9


async def test_an_empty_answer_that_is_handed_on_after_all_is_paid(counted: Gateway) -> None:
    counted.answers(END, USAGE, DONE, headers=SSE)
    counted.answers(b'{"error":{"message":"broken"}}', status=500)
    await ask(counted, chat("local/tiny", stream=True, fallbacks=["openai/gpt-5-nano"]), headers=WITH_KEY)
    [entry] = exchanges(counted)
    assert (entry.served.provider, entry.status, len(counted.transport.asked)) == ("local", 200, 2)
    assert await used(counted) == 9


async def test_of_a_bare_name_the_keys_own_providers_serve(counted: Gateway) -> None:
    counted.answers(CHAT_ANSWER)
    await ask(counted, chat("gpt-5-nano"), headers=WITH_KEY)
    assert counted.transport.asked[0].target.host == "api.openai.com"


OTHER = new_key()
TWO_KEYS = f"""
schema_version: 1
id: names
{PROVIDERS}
accounts:
  virtual_keys:
    - {{id: one, hash: "sha256:{hashlib.sha256(KEY.encode()).hexdigest()}"}}
    - {{id: two, hash: "sha256:{hashlib.sha256(OTHER.encode()).hexdigest()}"}}
guardrails: [{{id: names, detect: [custom/name], action: pseudonymize}}]
detectors: [{{id: name, keywords: [Ada Lovelace]}}]
"""


@pytest.fixture
def two_keys_rules() -> RuleBook:
    return rule_book(TWO_KEYS)


@pytest.mark.parametrize(("second", "told"), [(KEY, True), (OTHER, False)], ids=["the-same", "another"])
async def test_what_one_key_hides_is_not_put_back_for_another(
    two_keys_rules: RuleBook, tmp_path: Path, second: str, *, told: bool
) -> None:
    accounts = Accounts(two_keys_rules.policy.accounts, store=LocalStore(tmp_path / "a.db"))
    await accounts.open()
    gateway = Gateway(two_keys_rules, accounts=accounts, harness=Harness(session_headers=("x-session",)))
    named = (*POST_JSON, (b"x-session", b"ours"))
    gateway.answers(CHAT_ANSWER)
    await ask(gateway, chat("local/tiny", "Ada Lovelace"), headers=(*named, (b"x-api-key", KEY.encode())))
    standin = orjson.loads(gateway.transport.asked[0].body)["messages"][0]["content"]
    gateway.answers(CHAT_ANSWER.replace(b"Hello.", standin.encode()))
    client = await ask(
        gateway,
        chat("local/tiny", "who?"),
        headers=(*named, (b"x-api-key", second.encode())),
    )
    assert (b"Ada Lovelace" in client.body) is told
    gateway.scans.close()
    await accounts.close()


CENTRAL = """
upstream:
  route: central
  central: {base_url: 'https://hub.example', virtual_key: 'env:HUB_KEY', when_away: providers}
"""


@pytest.fixture
def central_rules() -> RuleBook:
    return rule_book(toy_policy(PROVIDERS + ACCOUNTS + CENTRAL))


@pytest.mark.parametrize("away", [False, True])
async def test_a_central_gateway_is_asked_on_the_account_of_who_is_meant(
    central_rules: RuleBook, tmp_path: Path, *, away: bool
) -> None:
    accounts = Accounts(central_rules.policy.accounts, store=LocalStore(tmp_path / "a.db"))
    await accounts.open()
    gateway = Gateway(central_rules, accounts=accounts)
    if away:
        gateway.transport.answers.append(TransportError(FailureKind.CONNECT, "refused", sent=False))
    gateway.answers(CHAT_ANSWER)
    client = await ask(gateway, chat("local/tiny"), headers=WITH_KEY)
    assert (client.status, client.body) == (200, CHAT_ANSWER)
    hosts = ["hub.example", "127.0.0.1"] if away else ["hub.example"]
    assert [each.target.host for each in gateway.transport.asked] == hosts
    assert KEY.encode() not in repr(gateway.transport.asked).encode()
    assert gateway.event.served.provider == "local"
    refused = await ask(gateway, chat("local/large"), headers=WITH_KEY)
    assert (refused.status, len(gateway.transport.asked)) == (403, len(hosts))
    report = await accounts.quota("ci", time.time())
    assert report is not None
    assert [reading.used for _, reading in report.meters] == [9]
    gateway.scans.close()
    await accounts.close()


async def test_a_body_that_cannot_be_read_is_refused_for_that(own: Gateway) -> None:
    client = await ask(own, b"no json")
    assert client.status == 400
    assert "not a JSON document" in orjson.loads(client.body)["error"]["message"]


# The cache of answers


@pytest.fixture
def caching_rules() -> RuleBook:
    return rule_book(toy_policy(PROVIDERS + "cache: {enabled: true}"))


@pytest.fixture
async def caching(caching_rules: RuleBook, tmp_path: Path) -> AsyncIterator[Gateway]:
    store = SqliteStore(tmp_path / "answers.db", max_entries=100, max_bytes=10**6)
    cache = AnswerCache(store, b"s" * 32)
    await cache.open()
    made = Gateway(caching_rules, cache=cache)
    yield made
    made.scans.close()
    await made.tasks.cancel()
    await cache.close()


async def stored(gateway: Gateway, count: int = 1) -> None:
    cache = gateway.recall.cache
    assert cache is not None
    await until(lambda: cache.tally["stored"] >= count)


async def test_what_was_answered_before_is_answered_again(caching: Gateway) -> None:
    caching.answers(CHAT_ANSWER)
    first = await ask(caching, chat("local/tiny"))
    await stored(caching)
    again = await ask(caching, chat("local/tiny"))
    assert (first.header(b"x-drawbridge-cache"), again.body) == (b"miss", CHAT_ANSWER)
    assert (again.header(b"x-drawbridge-cache") or b"").startswith(b"hit-exact")
    assert len(caching.transport.asked) == 1
    assert exchanges(caching)[-1].served.cache is CacheUse.EXACT
    assert exchanges(caching)[-1].served.cost_nano_usd == 0


async def test_a_streamed_answer_serves_who_wants_it_whole(caching: Gateway) -> None:
    caching.answers(piece("Hello."), END, USAGE, DONE, headers=SSE)
    await ask(caching, chat("local/tiny", stream=True))
    await stored(caching)
    again = await ask(caching, chat("local/tiny", stream=True))
    whole = await ask(caching, chat("local/tiny"))
    assert b"Hello." in again.body
    assert b'"usage"' not in again.body
    assert orjson.loads(whole.body)["choices"][0]["message"]["content"] == "Hello."
    assert len(caching.transport.asked) == 1


async def test_what_a_rule_changed_is_not_kept(caching: Gateway) -> None:
    caching.answers(CHAT_ANSWER)
    caching.answers(CHAT_ANSWER)
    for _ in range(2):
        await ask(caching, chat("local/tiny", f"the key {TOY}"))
    assert len(caching.transport.asked) == 2


async def test_a_fallbacks_answer_is_not_kept_under_the_firsts_name(caching: Gateway) -> None:
    for _ in range(2):
        caching.transport.answers.append(TransportError(FailureKind.CONNECT, "refused", sent=False))
        caching.answers(CHAT_ANSWER)
        await ask(caching, chat("local/tiny", fallbacks=["openai/gpt-5-nano"]))
    assert len(caching.transport.asked) == 4


async def test_a_client_may_want_no_new_answer(caching: Gateway) -> None:
    headers = (*POST_JSON, (b"x-drawbridge-cache", b"only-if-cached"))
    client = await ask(caching, chat("local/tiny"), headers=headers)
    assert (client.status, caching.transport.asked) == (504, [])


async def test_a_control_that_nobody_understands_is_refused(caching: Gateway) -> None:
    client = await ask(caching, chat("local/tiny"), headers=(*POST_JSON, (b"x-drawbridge-cache", b"maybe")))
    assert client.status == 400
