"""Chat pages whose formats are shapes, through a running agent: TLS, a fake service, a page that only policy knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlencode

import pytest

from agent.dialects.webshape.envelopes import envelope, envelopes
from tests.fakes.raw_provider import RawProvider, raw_answer
from tests.fakes.tls import Authority
from tests.integration.agent_process import AgentProcess
from tests.integration.http2_line import Http2Line
from tests.integration.prompts import made_up_key
from tests.integration.stage import Dial, Switch, dialling

META, GROK, YOU, KIMI, OWN = (
    "www.meta.ai",
    "grok.com",
    "you.com",
    "www.kimi.com",
    "chat.company.example",
)
CODENAME = "Project Nightjar"
GONE = "[REDACTED:openai_api_key]"
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
CONNECT = (("Content-Type", "application/connect+json"),)
KIMI_CHAT = "/apiv2/kimi.gateway.chat.v1.ChatService/Chat"
POLICY = f"""\
schema_version: 1
id: pages
message: "Not here, please: {{reason}}."
shapes: [own.toml]
catalog:
  - id: own-chat
    name: Our chat
    provider: own
    hosts: [{OWN}]
    http2: true
    endpoints: [{{path: /ask, dialect: own-chat}}]
detectors: [{{id: codename, keywords: ["{CODENAME}"]}}]
guardrails:
  - {{id: secrets, detect: [secret], action: redact}}
  - {{id: codenames, detect: [custom/codename], action: block}}
"""
SHAPE = """
[[shape]]
name = "own-chat"
[shape.request]
user = ["/ask/words"]
[shape.answer]
framing = "prefixed"
types = ["text/x-ours"]
appends = { answer = ["<t>"] }
[shape.block]
events = [{ event = "t", data = '"{message}"' }, { event = "end", data = '{}' }]
[[shape.example]]
request = '{"ask":{"words":"hello"}}'
reads = ["hello"]
"""


@pytest.fixture(scope="module")
def switch() -> Switch:
    """What the service does."""
    return Switch()


@pytest.fixture(scope="module")
def service(switch: Switch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawProvider]:
    """The service behind all of the pages."""
    directory = tmp_path_factory.mktemp("service")
    hosts = (META, GROK, YOU, KIMI, OWN)
    with RawProvider(directory, switch, hosts=hosts, authority=Authority(directory)) as service:
        yield service


@pytest.fixture(scope="module")
def agent(service: RawProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent that redacts secrets and blocks a code name."""
    directory = tmp_path_factory.mktemp("agent")
    (directory / "own.toml").write_text(SHAPE)
    policy = directory / "policy.yaml"
    policy.write_text(POLICY)
    upstreams = dict.fromkeys((META, GROK, YOU, KIMI, OWN), service.port)
    with AgentProcess(directory, upstreams=upstreams, ca_file=service.ca_file, policy=policy) as agent:
        yield agent


@pytest.fixture
def dial(agent: AgentProcess) -> Iterator[Dial]:
    """Opens lines to the agent."""
    with dialling(agent) as dial:
        yield dial


def streams(kind: str, *parts: bytes) -> tuple[bytes | float, ...]:
    """An answer that comes in these pieces."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode()
    return (head, *(each for part in parts for each in (part, 0.02)))


def received(service: RawProvider, before: int) -> tuple[str, bytes]:
    """The target and body of the next request to the service."""
    head, _, body = service.wait_for_requests(before + 1)[before].partition(b"\r\n\r\n")
    return head.split(b" ")[1].decode(), body


def meta(text: str, *, name: str = "useAbraSendMessageMutation") -> bytes:
    variables = json.dumps({"message": {"sensitive_string_value": text}, "externalConversationId": "e-1"})
    return urlencode({"fb_api_req_friendly_name": name, "variables": variables, "doc_id": "1"}).encode()


def snapshot(text: str, *, state: str = "STREAMING") -> bytes:
    said = {"streaming_state": state, "composed_text": {"content": [{"text": text}]}}
    return json.dumps({"data": {"node": {"bot_response_message": said}}}).encode() + b"\n"


def test_an_answer_told_again_as_it_grows_never_shows_the_beginning_of_a_secret(
    dial: Dial, switch: Switch, service: RawProvider
) -> None:
    secret, before = made_up_key(), len(service.requests)
    text = f"It is {secret}, keep it."
    cuts = (5, 12, 30, 50, len(text))
    switch.script = raw_answer(*streams("text/event-stream", *(snapshot(text[:cut]) for cut in cuts)))
    answer = dial(META).ask("POST", "/api/graphql/", meta(f"my {secret} please"), fields=FORM)
    shown = [
        json.loads(line)["data"]["node"]["bot_response_message"]["composed_text"]["content"][0]["text"]
        for line in answer.text.splitlines()
    ]
    assert answer.whole
    assert shown[-1] == f"It is {GONE}, keep it."
    assert all(shown[-1].startswith(each) for each in shown)
    _, body = received(service, before)
    sent = json.loads(parse_qs(body.decode())["variables"][0])
    assert sent == {
        "message": {"sensitive_string_value": f"my {GONE} please"},
        "externalConversationId": "e-1",
    }


def test_a_form_is_blocked_in_the_pages_lines_and_other_calls_pass(
    dial: Dial, switch: Switch, service: RawProvider
) -> None:
    before = len(service.requests)
    answer = dial(META).ask("POST", "/api/graphql/", meta(f"about {CODENAME}"), fields=FORM)
    said = json.loads(answer.text)["data"]["node"]["bot_response_message"]
    assert said["streaming_state"] == "OVERALL_DONE"
    assert said["snippet"] == "Not here, please: codename in the prompt."
    switch.script = raw_answer(*streams("application/json", b'{"data":1}'))
    other = meta(f"about {CODENAME}", name="useSettingsQuery")
    assert dial(META).ask("POST", "/api/graphql/", other, fields=FORM).body == b'{"data":1}'
    assert received(service, before)[1] == other


def token(text: str) -> bytes:
    return json.dumps({"result": {"response": {"token": text, "isThinking": False}}}).encode() + b"\n"


def test_lines_are_redacted_and_stopped_for_a_browser(
    dial: Dial, switch: Switch, service: RawProvider
) -> None:
    """Over HTTP/2, as browsers speak."""
    secret, before = made_up_key(), len(service.requests)
    parts = ("my ", secret[:9], secret[9:30], secret[30:], ". ", CODENAME[:9], CODENAME[9:], " more")
    switch.script = raw_answer(*streams("application/json", *map(token, parts)))
    line = Http2Line(dial(GROK, alpn=("h2", "http/1.1")))
    body = json.dumps({"message": f"use {secret}", "modelName": "grok-4", "disableSearch": False}).encode()
    answer = line.ask("POST", "/rest/app-chat/conversations/c-7/responses", body)
    lines = [json.loads(each)["result"]["response"] for each in answer.text.splitlines()]
    assert "".join(each.get("token", "") for each in lines) == (
        f"my {GONE}. Not here, please: codename in the answer."
    )
    assert lines[-1]["modelResponse"]["message"] == "Not here, please: codename in the answer."
    assert json.loads(received(service, before)[1])["message"] == f"use {GONE}"


def test_a_prompt_in_an_address_is_redacted_and_blocked(
    dial: Dial, switch: Switch, service: RawProvider
) -> None:
    secret, before = made_up_key(), len(service.requests)
    event = b'event: youChatToken\ndata: {"youChatToken":"fine"}\n\n'
    switch.script = raw_answer(*streams("text/event-stream", event, b"event: done\ndata: {}\n\n"))
    target = f"/api/streamingSearch?page=1&q={quote(f'use {secret}')}&selectedAiModel=gpt_5"
    answer = dial(YOU).ask("GET", target, fields=())
    assert (answer.status, answer.body) == (200, event + b"event: done\ndata: {}\n\n")
    asked, body = received(service, before)
    assert asked == f"/api/streamingSearch?page=1&q={quote(f'use {GONE}', safe='')}&selectedAiModel=gpt_5"
    assert body == b""
    refused = dial(YOU).ask("GET", f"/api/streamingSearch?q={quote(CODENAME)}", fields=())
    assert "event: youChatToken" in refused.text
    assert "Not here, please: codename in the prompt." in refused.text
    assert len(service.requests) == before + 1


def test_messages_in_envelopes_are_redacted_and_blocked(
    dial: Dial, switch: Switch, service: RawProvider
) -> None:
    secret, before = made_up_key(), len(service.requests)

    def said(text: str) -> bytes:
        return envelope(0, json.dumps({"op": "append", "block": {"text": {"content": text}}}).encode())

    end = envelope(2, b"{}")
    answer = b"".join(map(said, ("it is ", secret[:20], secret[20:], "!"))) + end
    switch.script = raw_answer(*streams("application/connect+json", answer[:50], answer[50:51], answer[51:]))
    prompt = json.dumps({"chat_id": "k", "message": {"blocks": [{"text": {"content": f"my {secret}"}}]}})
    got = dial(KIMI).ask("POST", KIMI_CHAT, envelope(0, prompt.encode()), fields=CONNECT)
    documents = [json.loads(got.body[a:b]) for _, a, b in envelopes(got.body)]
    assert "".join(each["block"]["text"]["content"] for each in documents[:-1]) == f"it is {GONE}!"
    _, body = received(service, before)
    ((_, start, stop),) = envelopes(body)
    assert json.loads(body[start:stop])["message"]["blocks"][0]["text"]["content"] == f"my {GONE}"
    assert stop == len(body)
    blocked = prompt.replace(secret, CODENAME).encode()
    got = dial(KIMI).ask("POST", KIMI_CHAT, envelope(0, blocked), fields=CONNECT)
    *shown, (flags, _, _) = envelopes(got.body)
    assert flags == 2
    assert json.loads(got.body[shown[0][1] : shown[0][2]])["block"]["text"]["content"].startswith("Not here")


def test_a_page_that_only_the_policy_knows_is_inspected(
    dial: Dial, switch: Switch, service: RawProvider
) -> None:
    secret, before = made_up_key(), len(service.requests)
    lines = (b't:"see ', secret[:20].encode(), secret[20:].encode() + b'"\n', b"end:{}\n")
    switch.script = raw_answer(*streams("text/x-ours", *lines))
    answer = dial(OWN).ask("POST", "/ask", json.dumps({"ask": {"words": secret}}).encode())
    assert answer.text == f't:"see {GONE}"\nend:{{}}\n'
    assert json.loads(received(service, before)[1]) == {"ask": {"words": GONE}}
    answer = dial(OWN).ask("POST", "/ask", json.dumps({"ask": {"words": CODENAME}}).encode())
    assert answer.text == 't:"Not here, please: codename in the prompt."\nend:{}\n'
