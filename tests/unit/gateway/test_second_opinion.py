"""Checks beside the local rules, through whole exchanges: what they are asked, and what comes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import RequestHead
from agent.gateway.scans import ScanPool
from agent.gateway.second_opinion import SecondOpinion
from agent.inspection import inspect_request
from agent.inspection.outside import Located, Report, Segment
from agent.model.content import Edit, Where
from agent.model.decision import Action
from agent.model.findings import Family, Finding
from agent.model.record import Outcome
from agent.policy import Subject
from agent.policy.checks import Check
from tests.fakes.rulebooks import BOMB, TOY, rule_book
from tests.fakes.upstream import SSE, FakeClient
from tests.unit.gateway.conftest import POST_JSON, Gateway

POLICY = r"""
schema_version: 1
id: p
on_error: {on_error}
mode: {mode}
capture: {capture}
checks:
  - {{id: cloud, kind: webhook, url: 'https://cloud.example'}}
guardrails:
  - {{id: toys, detect: [custom/toy], action: redact}}
  - {{id: bombs, detect: [custom/bomb], action: block}}
  - {{id: clouds, detect: [check/cloud], action: {action}}}
detectors:
  - {{id: toy, pattern: 'TOY-[0-9]{{6}}'}}
  - {{id: bomb, pattern: 'BOMB-[0-9]{{4}}'}}
"""
MAIL = "ann@" + "corp-mail.dev"
GONE = "[REDACTED:cloud]"


def policy_text(
    action: str, *, on_error: str = "block", mode: str = "enforce", capture: str = "metadata"
) -> str:
    return POLICY.format(action=action, on_error=on_error, mode=mode, capture=capture)


NO_CHECKS = "schema_version: 1\nid: p\n"
OBSERVED = policy_text("block", mode="observe")
CAPTURED = policy_text("redact", capture="redacted")
LENIENT = policy_text("block", on_error="allow")


class FakeRunner:
    """Implements `CheckRunner`: finds every `bad`."""

    def __init__(self) -> None:
        self.asked: list[tuple[Segment, ...]] = []
        self.failure = ""
        self.crash: Exception | None = None
        self.before: Callable[[], object] = lambda: None

    async def run(self, wanted: tuple[tuple[Check, tuple[Segment, ...]], ...]) -> tuple[Report, ...]:
        self.before()
        await asyncio.sleep(0)
        if self.crash is not None:
            raise self.crash
        return tuple(self._report(check, segments) for check, segments in wanted)

    def _report(self, check: Check, segments: tuple[Segment, ...]) -> Report:
        self.asked.append(segments)
        found = tuple(
            Located(
                segment=segment.id,
                finding=Finding(start=at, end=at + 3, family=Family.CHECK, type=check.id, rule="BAD"),
            )
            for segment in segments
            if (at := segment.slot.text.find("bad")) >= 0
        )
        return Report(check=check.id, findings=found, failure=self.failure)

    @property
    def sent(self) -> list[str]:
        """What strangers would have been sent."""
        return [segment.veiled.text for segments in self.asked for segment in segments]


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def gateways(runner: FakeRunner) -> Iterator[Callable[..., Gateway]]:
    pools: list[ScanPool] = []

    def make(
        action: str = "block",
        *,
        on_error: str = "block",
        mode: str = "enforce",
        capture: str = "metadata",
        running: bool = True,
    ) -> Gateway:
        text = policy_text(action, on_error=on_error, mode=mode, capture=capture)
        gateway = Gateway(rule_book(text), checks=runner if running else None)
        pools.append(gateway.scans)
        return gateway

    for made in (NO_CHECKS, *map(policy_text, ("block", "redact", "alert")), OBSERVED, CAPTURED, LENIENT):
        rule_book(made)  # compiling is not for the loop
    yield make
    for pool in pools:
        pool.close()


def chat(*contents: str, system: str = "") -> bytes:
    """A conversation: the user's words, the assistant's, and so on."""
    messages = [
        {"role": "user" if place % 2 == 0 else "assistant", "content": content}
        for place, content in enumerate(contents)
    ]
    head = [{"role": "system", "content": system}] if system else []
    return json.dumps({"model": "m", "messages": [*head, *messages]}).encode()


def answer(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps(
        {"id": "c", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    ).encode()


def events(*texts: str) -> bytes:
    parts = [
        {"id": "c", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
        for text in texts
    ]
    return b"".join(b"data: " + orjson.dumps(part) + b"\n\n" for part in parts) + b"data: [DONE]\n\n"


type Gateways = Callable[..., Gateway]


# Requests


async def test_what_a_check_finds_can_block_a_request(gateways: Gateways, runner: FakeRunner) -> None:
    gateway = gateways("block")
    client = await gateway.ask(chat("something bad"))
    assert gateway.transport.asked == []
    assert gateway.event.outcome is Outcome.BLOCKED
    assert gateway.event.decision.rule_ids == ("clouds",)
    assert [(hit.family, hit.type, hit.rule, hit.where) for hit in gateway.event.decision.hits] == [
        (Family.CHECK, "cloud", "BAD", Where.PROMPT)
    ]
    assert b"cloud in the prompt" in client.body


async def test_what_a_check_finds_can_be_redacted_together_with_what_we_find(
    gateways: Gateways, runner: FakeRunner
) -> None:
    gateway = gateways("redact")
    gateway.answers(answer("ok"))
    await gateway.ask(chat(f"a bad {TOY} day"))
    (asked,) = gateway.transport.asked
    assert orjson.loads(asked.body)["messages"][0]["content"] == f"a {GONE} [REDACTED:toy] day"
    assert asked.request.content_length == len(asked.body)
    assert [hit.type for hit in gateway.event.decision.hits] == ["toy", "cloud"]
    assert gateway.event.decision.action is Action.REDACT


async def test_checks_see_what_would_be_forwarded_without_personal_data(
    gateways: Gateways, runner: FakeRunner
) -> None:
    gateway = gateways("alert")
    gateway.answers(answer("ok"))
    await gateway.ask(chat(f"my {TOY} and {MAIL}", system="be nice"))
    assert runner.sent[0] == "my [REDACTED:toy] and [REDACTED:email]"
    assert MAIL.encode() in gateway.transport.asked[0].body  # the policy does not redact it


async def test_only_the_newest_turn_is_new(gateways: Gateways, runner: FakeRunner) -> None:
    gateway = gateways("alert")
    gateway.answers(answer("ok"))
    await gateway.ask(chat("first", "said", "second"))
    assert [(each.slot.text, each.fresh) for each in runner.asked[0]] == [("first", False), ("second", True)]


async def test_what_the_local_rules_block_is_told_nobody(gateways: Gateways, runner: FakeRunner) -> None:
    gateway = gateways("block")
    await gateway.ask(chat(f"{BOMB} bad"))
    assert runner.asked == []
    assert gateway.event.decision.rule_ids == ("bombs",)


async def test_a_body_that_follows_no_format_is_checked_as_text(
    gateways: Gateways, runner: FakeRunner
) -> None:
    gateway = gateways("redact")
    gateway.answers(answer("ok"))
    await gateway.ask(f"plain bad {TOY}".encode())
    assert gateway.transport.asked[0].body == f"plain {GONE} [REDACTED:toy]".encode()


async def test_in_observe_mode_findings_are_recorded_and_nothing_changes(
    gateways: Gateways, runner: FakeRunner
) -> None:
    gateway = gateways("block", mode="observe")
    gateway.answers(answer("ok"))
    body = chat("something bad")
    await gateway.ask(body)
    assert gateway.transport.asked[0].body == body
    decision = gateway.event.decision
    assert (decision.action, decision.applied) == (Action.BLOCK, False)


async def test_the_record_keeps_the_prompt_as_it_was_sent(gateways: Gateways, runner: FakeRunner) -> None:
    gateway = gateways("redact", capture="redacted")
    gateway.answers(answer("ok"))
    await gateway.ask(chat("a bad day"))
    assert gateway.event.prompt == f"a {GONE} day"


async def test_a_redaction_after_which_the_body_is_none_any_more_is_refused(
    gateways: Gateways, runner: FakeRunner
) -> None:
    class Breaking(type(DIALECTS["openai-chat"])):  # type: ignore[misc]
        def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
            return b"{broken"

    rules = rule_book(policy_text("redact"))
    scope = rules.scope(Subject(host="api.openai.com"), ref="REF")
    head = RequestHead(method="POST", path="/v1/chat/completions")
    verdict = inspect_request(DIALECTS["openai-chat"], head, chat("bad"), scope)
    opinion = SecondOpinion(runner, gateways("redact").scans)
    ruled = await opinion.on_request(verdict, Breaking(), head, scope)
    assert ruled.blocked
    assert "did not hold" in ruled.decision.message


async def test_what_is_signed_is_blocked_where_a_check_would_change_it(
    gateways: Gateways, runner: FakeRunner
) -> None:
    gateway = gateways("redact")
    client = await gateway.ask(chat("a bad day"), host="chat.z.ai", path="/api/v2/chat/completions")
    assert gateway.transport.asked == []
    assert b"signs its requests" in client.body
    assert gateway.event.decision.rule_ids[-1] == "sealed"


async def test_a_prompt_that_stands_in_json_in_a_form_is_asked_about(
    gateways: Gateways, runner: FakeRunner
) -> None:
    gateway = gateways("alert")
    gateway.answers(b"{}")
    body = (
        b"fb_api_req_friendly_name=useAbraSendMessageMutation&variables="
        + quote('{"message":{"sensitive_string_value":"hello"}}').encode()
    )
    form = ((b"content-type", b"application/x-www-form-urlencoded"),)
    await gateway.ask(body, host="www.meta.ai", path="/api/graphql/", headers=form)
    assert runner.sent == ["hello"]


@pytest.mark.parametrize("on_error", ["allow", "block"])
async def test_a_check_that_cannot_be_made_follows_on_error(
    gateways: Gateways, runner: FakeRunner, on_error: str
) -> None:
    gateway = gateways("block", on_error=on_error)
    runner.failure = "timeout"
    gateway.answers(answer("ok"))
    client = await gateway.ask(chat("hello"))
    assert len(gateway.transport.asked) == (on_error == "allow")
    assert (b"the check cloud could not be made (timeout)" in client.body) is (on_error == "block")
    hits = [(hit.rule, hit.action) for hit in gateway.event.decision.hits if hit.where is Where.PROMPT]
    assert hits == ([("failed:timeout", Action.ALLOW)] if on_error == "allow" else [])


@pytest.mark.parametrize("on_error", ["allow", "block"])
async def test_a_crash_of_ours_follows_on_error_too(
    gateways: Gateways, runner: FakeRunner, on_error: str
) -> None:
    gateway = gateways("block", on_error=on_error)
    runner.crash = RuntimeError("ours")
    gateway.answers(answer("ok"))
    await gateway.ask(chat("hello"))
    assert len(gateway.transport.asked) == (on_error == "allow")


async def test_checks_that_nobody_runs_have_failed(gateways: Gateways) -> None:
    gateway = gateways("block", running=False)
    client = await gateway.ask(chat("hello"))
    assert gateway.transport.asked == []
    assert b"not running" in client.body


async def test_a_client_that_leaves_while_a_check_is_asked_ends_the_exchange(
    gateways: Gateways, runner: FakeRunner
) -> None:
    gateway = gateways("block")
    runner.crash = asyncio.CancelledError()  # type: ignore[assignment]
    await gateway.ask(chat("hello"))
    assert gateway.event.outcome is Outcome.CLIENT_CLOSED
    assert gateway.transport.asked == []


async def test_without_checks_in_the_policy_nobody_is_asked(runner: FakeRunner) -> None:
    gateway = Gateway(rule_book(NO_CHECKS), checks=runner)
    gateway.answers(answer("bad"))
    await gateway.ask(chat("bad"))
    assert runner.asked == []
    gateway.scans.close()


# Answers


async def test_what_a_check_finds_can_block_an_answer(gateways: Gateways, runner: FakeRunner) -> None:
    gateway = gateways("block")
    gateway.answers(answer("something bad"))
    client = await gateway.ask(chat("hello"))
    assert gateway.event.outcome is Outcome.BLOCKED
    assert b"something bad" not in client.body
    assert b"cloud in the answer" in client.body


async def test_what_a_check_finds_can_be_redacted_in_an_answer(
    gateways: Gateways, runner: FakeRunner
) -> None:
    gateway = gateways("redact")
    gateway.answers(answer(f"a bad {TOY}"))
    client = await gateway.ask(chat("hello"))
    assert orjson.loads(client.body)["choices"][0]["message"]["content"] == f"a {GONE} [REDACTED:toy]"
    assert runner.sent[-1] == "a bad [REDACTED:toy]"


async def test_an_answer_that_streams_is_only_recorded(gateways: Gateways, runner: FakeRunner) -> None:
    gateway = gateways("block")
    gateway.answers(events("something", " bad ", TOY), headers=SSE)
    client = FakeClient(chat("hello"))
    ended_before: list[bool] = []
    runner.before = lambda: ended_before.append(client.finished)
    await gateway.ask(client=client)
    assert b"bad" in client.body
    assert client.finished
    assert ended_before == [False, False]  # the record is whole before the stream ends
    assert runner.sent[-1] == "something bad [REDACTED:toy]"
    event = gateway.event
    assert event.outcome is Outcome.COMPLETED
    assert [(hit.type, hit.action) for hit in event.decision.hits] == [
        ("toy", Action.REDACT),
        ("cloud", Action.ALERT),
    ]
    assert event.answer == ""  # text that was kept for the checks is not kept in the record


async def test_a_failed_check_of_a_stream_is_recorded_and_breaks_nothing(
    gateways: Gateways, runner: FakeRunner
) -> None:
    gateway = gateways("block", on_error="allow")
    runner.failure = "status"
    gateway.answers(events("fine"), headers=SSE)
    client = await gateway.ask(chat("hello"))
    assert client.finished
    assert [(hit.where, hit.rule) for hit in gateway.event.decision.hits] == [
        (Where.PROMPT, "failed:status"),
        (Where.ANSWER, "failed:status"),
    ]


async def test_an_answer_that_is_no_json_is_left_to_the_local_rules(
    gateways: Gateways, runner: FakeRunner
) -> None:
    gateway = gateways("block")
    gateway.answers(b"bad gateway", status=502, headers=POST_JSON)
    client = await gateway.ask(chat("hello"))
    assert (client.status, client.body) == (502, b"bad gateway")


# What is known of an exchange, and what is hidden in it


FOR_MODELS = """
schema_version: 1
id: p
checks:
  - {id: cloud, kind: webhook, url: 'https://cloud.example'}
guardrails:
  - {id: clouds, detect: [check/cloud], models: ['m*'], when: 'size > 5', action: block}
"""
ASKING = """
schema_version: 1
id: p
checks:
  - {id: cloud, kind: webhook, url: 'https://cloud.example', where: [prompt]}
guardrails:
  - {id: toys, detect: [custom/toy], action: ask}
  - {id: clouds, detect: [check/cloud], action: %s}
detectors:
  - {id: toy, pattern: 'TOY-[0-9]{6}'}
"""
NAMES = """
schema_version: 1
id: p
capture: redacted
checks:
  - {id: cloud, kind: webhook, url: 'https://cloud.example'}
guardrails:
  - {id: names, detect: [custom/name], action: pseudonymize}
  - {id: clouds, detect: [check/cloud], action: redact}
detectors:
  - {id: name, keywords: [Ada Lovelace]}
"""
for _text in (FOR_MODELS, ASKING % "redact", ASKING % "ask", NAMES):
    rule_book(_text)  # compiling is not for the loop


async def test_a_guardrail_for_some_models_has_its_check_asked(runner: FakeRunner) -> None:
    gateway = Gateway(rule_book(FOR_MODELS), checks=runner)
    await gateway.ask(chat("something bad"))
    assert gateway.transport.asked == []
    gateway.scans.close()


@pytest.mark.parametrize("action", ["redact", "ask"])
async def test_what_somebody_gave_a_reason_for_passes_beside_a_check(runner: FakeRunner, action: str) -> None:
    gateway = Gateway(rule_book(ASKING % action), checks=runner)
    await gateway.ask(chat(f"a bad {TOY}"))
    gateway.reasons.given = {
        (hit.guardrail, each): "mine" for hit in gateway.event.decision.hits for each in hit.fingerprints
    }
    gateway.audit.events.clear()
    if action == "ask":  # only the toy was asked about until now: what is blocked is told to no check
        await gateway.ask(chat(f"a bad {TOY}"))
        assert gateway.transport.asked == []
        gateway.reasons.given |= {
            (hit.guardrail, each): "mine" for hit in gateway.event.decision.hits for each in hit.fingerprints
        }
        gateway.audit.events.clear()
    gateway.answers(answer("ok"))
    await gateway.ask(chat(f"a bad {TOY}"))
    (asked,) = gateway.transport.asked
    text = "a bad " if action == "ask" else f"a {GONE} "
    assert orjson.loads(asked.body)["messages"][0]["content"] == text + TOY
    gateway.scans.close()


async def test_values_put_back_in_an_answer_are_told_no_check_and_not_kept(runner: FakeRunner) -> None:
    gateway = Gateway(rule_book(NAMES), checks=runner)

    def echo() -> None:
        said = orjson.loads(gateway.transport.asked[0].body)["messages"][0]["content"]
        gateway.answers(answer("bad " + said))

    gateway.transport.before_answer = echo
    client = await gateway.ask(chat("Ada Lovelace"))
    assert f"{GONE} Ada Lovelace".encode() in client.body
    assert all("Ada" not in segment.slot.text for asked in runner.asked for segment in asked)
    assert gateway.event.answer.startswith(f"{GONE} ALIAS_NAME_")
    gateway.scans.close()
