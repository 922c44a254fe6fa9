"""The book of one exchange."""

from __future__ import annotations

import hashlib
import hmac
import time

from agent.dialects import DIALECTS
from agent.dialects.base import ParsedRequest, RequestHead
from agent.gateway.ledger import MAX_CAPTURED, Ledger, captured, newest_turn
from agent.gateway.routing import Route, route_intercepted
from agent.model.content import Role, Slot, Where
from agent.model.decision import Action, Decision, Hit
from agent.model.findings import Family
from agent.model.record import CaptureMode, Outcome
from agent.model.traffic import Connection, Tier
from tests.fakes.rulebooks import rule_book, toy_policy

CONNECTION = Connection(id="c", tier=Tier.RELAY, sni="api.openai.com")
KEY = b"k" * 32


def ledger() -> Ledger:
    return Ledger(rule_book(toy_policy()), CONNECTION, method="POST")


def slot(role: Role, text: str, *path: str | int) -> Slot:
    return Slot(address=(path or ("messages", 0),), role=role, text=text)


def decision(action: Action, rule: str, *, applied: bool = True) -> Decision:
    hit = Hit(family=Family.CUSTOM, type=rule, rule=rule, guardrail=rule, where=Where.PROMPT, action=action)
    return Decision(action=action, reason=f"because {rule}", rule_ids=(rule,), hits=(hit,), applied=applied)


def test_a_new_book_says_nothing_but_when_and_who() -> None:
    made = ledger()
    record = made.close()
    assert record.id == made.id
    assert abs(record.started_at - time.time()) < 5
    assert (record.connection, record.method, record.surface) == (CONNECTION, "POST", "unknown")
    assert (record.outcome, record.status) == (Outcome.FAILED, None)
    assert record.policy_hash == made.rules.policy.digest
    assert record.capture is CaptureMode.METADATA


def test_a_route_is_noted() -> None:
    made = ledger()
    route = route_intercepted(
        made.rules, CONNECTION, ((b"host", b"api.openai.com"),), b"/v1/chat/completions?secret=1"
    )
    assert isinstance(route, Route)
    made.routed(route)
    record = made.close()
    assert (record.host, record.path, record.surface) == ("api.openai.com", "/v1/chat/completions", "openai")
    assert (record.dialect, record.operation, record.upstream) == ("openai-chat", "chat", "native")


def test_the_graver_of_two_decisions_gives_its_reason_and_both_their_hits() -> None:
    made = ledger()
    made.decided(decision(Action.REDACT, "one"))
    made.decided(decision(Action.ALERT, "two"))
    kept = made.close().decision
    assert (kept.action, kept.reason) == (Action.REDACT, "because one")
    assert kept.rule_ids == ("one", "two")
    assert [hit.rule for hit in kept.hits] == ["one", "two"]


def test_a_later_block_is_a_block() -> None:
    made = ledger()
    made.decided(decision(Action.REDACT, "one"))
    made.decided(decision(Action.BLOCK, "two"))
    assert made.close().decision.reason == "because two"


def test_what_was_only_observed_is_not_called_applied() -> None:
    made = ledger()
    made.decided(decision(Action.BLOCK, "one", applied=False))
    made.decided(Decision())
    assert not made.close().decision.applied


def test_the_model_is_that_of_the_request_or_else_of_the_answer() -> None:
    made = ledger()
    made.model = "answered"
    assert made.close().model == "answered"
    made.request = ParsedRequest(model="asked", stream=True)
    assert (made.close().model, made.close().stream) == ("asked", True)


def test_waiting_is_no_work() -> None:
    made = ledger()
    with made.working():
        time.sleep(0.01)
    made.add_work(0.005)
    made.sent()
    time.sleep(0.02)
    made.first_byte()
    made.received()
    timing = made.close().timing
    assert 14 <= timing.overhead_ms < 30
    assert timing.upstream_ms is not None
    assert timing.upstream_ms >= 19
    assert timing.first_byte_ms is not None
    assert timing.total_ms >= timing.first_byte_ms >= 29


def test_where_nothing_was_forwarded_the_upstream_took_no_time() -> None:
    timing = ledger().close().timing
    assert (timing.upstream_ms, timing.first_byte_ms) == (None, None)


ORIGINAL = (slot(Role.USER, "my key is K"), slot(Role.USER, "thanks"))
REDACTED = (slot(Role.USER, "my key is [REDACTED:k]"), slot(Role.USER, "thanks"))


def test_content_is_kept_only_as_the_capture_mode_allows() -> None:
    kept = {mode: captured(mode, REDACTED, ORIGINAL, KEY) for mode in CaptureMode}
    assert kept == {
        CaptureMode.METADATA: "",
        CaptureMode.HASH: hmac.new(KEY, b"my key is K\nthanks", hashlib.sha256).hexdigest(),
        CaptureMode.REDACTED: "my key is [REDACTED:k]\nthanks",
        CaptureMode.FULL: "my key is K\nthanks",
    }


def test_what_is_kept_is_bounded() -> None:
    long = (slot(Role.USER, "x" * (MAX_CAPTURED + 1)),)
    assert len(captured(CaptureMode.FULL, long, long, KEY)) == MAX_CAPTURED


def test_a_lone_surrogate_can_be_hashed() -> None:
    assert captured(CaptureMode.HASH, (), (slot(Role.USER, "\ud83d"),), KEY)


def newest(*messages: tuple[Role, str]) -> list[str]:
    slots = [slot(role, text, "messages", place, "content") for place, (role, text) in enumerate(messages)]
    return [each.text for each in newest_turn(tuple(slots))]


def test_the_newest_turn_is_what_was_said_since_the_model_spoke() -> None:
    assert newest(
        (Role.SYSTEM, "be good"), (Role.USER, "one"), (Role.ASSISTANT, "two"), (Role.USER, "three")
    ) == ["three"]
    assert newest((Role.SYSTEM, "be good"), (Role.USER, "one")) == ["one"]
    assert newest((Role.USER, "one"), (Role.TOOL_CALL, "{}"), (Role.TOOL_RESULT, "out")) == ["out"]
    assert newest((Role.USER, "one"), (Role.ASSISTANT, "two")) == []
    assert newest() == []


def test_texts_inside_texts_are_not_said_twice() -> None:
    outer = slot(Role.USER, '{"a":"b"}', "messages", 0, "content")
    inner = Slot(address=(*outer.address, ("a",)), role=Role.USER, text="b")
    assert newest_turn((outer, inner)) == (outer,)


def test_definitions_of_tools_are_no_turn_wherever_they_stand() -> None:
    tool = b'"tools":[{"type":"function","function":{"name":"f","description":"does things"}}]'
    talk = b'"messages":[{"role":"user","content":"one"}]'
    for body in (b"{" + tool + b"," + talk + b"}", b"{" + talk + b"," + tool + b"}"):
        parsed = DIALECTS["openai-chat"].parse_request(RequestHead(method="POST", path="/"), body)
        assert {each.role for each in parsed.slots} == {Role.USER, Role.TOOL_CALL}
        assert [each.text for each in newest_turn(parsed.slots)] == ["one"]
