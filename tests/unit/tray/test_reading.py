"""From the control API's documents to what the tray knows."""

from __future__ import annotations

from agent.tray.reading import decisions_of, seen_of
from agent.tray.seen import SignIn, SignInState, State
from tests.fakes.tray import FakeAgent, blocked, line


def test_only_ones_own_exchanges_with_which_something_was_done_are_told() -> None:
    lines = [line(1), blocked(2), blocked(3, user="bob"), line(4, action="redact"), blocked(5, user="")]
    assert [each.number for each in decisions_of(lines, ("ann", ""))] == [2, 4, 5]
    assert [each.number for each in decisions_of(lines, None)] == [2, 3, 4, 5]


def test_a_refusal_without_a_rule_of_content_is_a_block_too() -> None:
    [told] = decisions_of([line(1, outcome="blocked", reason="codex may not ask models")], None)
    assert (told.action, told.stopped, told.reason) == ("block", True, "codex may not ask models")


def test_without_a_reason_the_kinds_of_findings_are_told_never_their_text() -> None:
    [told] = decisions_of([line(1, action="redact", findings=[["secret/openai_api_key", 2]])], None)
    assert told.reason == "openai api key"


def test_names_from_outside_become_one_short_printable_line() -> None:
    [told] = decisions_of([blocked(1, app="a\nb\x1b[31m" + "c" * 999)], None)
    assert told.app.startswith("a b [31mccc")
    assert len(told.app) == 200


def test_the_state_the_pause_and_what_is_wrong_are_read() -> None:
    agent = FakeAgent()
    wrong = {
        "code": "disk_low",
        "title": "The disk is nearly full",
        "severity": "high",
        "text": "",
        "remedy": "x",
    }
    agent.status |= {
        "state": "paused",
        "pause": {"user": "ann", "reason": "hotel", "ends_at": 99.6},
        "health": [{"code": "paused", "title": "Interception is paused"}, wrong],
    }
    seen = seen_of(agent.status, agent.me)
    assert (seen.state, seen.paused_until, seen.pause_reason) == (State.PAUSED, 100.0, "hotel")
    assert [each.code for each in seen.troubles] == ["disk_low"]
    assert (seen.policy, seen.user, seen.pausing.max_minutes) == ("house, revision 3", "ann", 30)


def test_an_older_agent_and_a_later_word_are_no_error() -> None:
    assert seen_of({"state": "guarding"}, {}).pausing.forbidden
    assert seen_of({"state": "sleeping"}, {}).state is State.DEGRADED


def test_a_sign_in_is_read_and_words_of_later_agents_are_left_alone() -> None:
    standing = {"state": "signed_in", "name": "ada\nx", "renew_at": 5, "issuer": "https://id.example"}
    found = seen_of({"state": "guarding"}, {"sign_in": standing}).sign_in
    assert found == SignIn(state=SignInState.SIGNED_IN, name="ada x", renew_at=5.0)
    for other in ({}, {"state": "asleep"}):
        assert seen_of({"state": "guarding"}, {"sign_in": other}).sign_in == SignIn()
    assert seen_of(
        {"state": "guarding"}, {"sign_in": {"state": "signed_out", "why": "refused"}}
    ).sign_in.refused
