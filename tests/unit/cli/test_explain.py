"""Somebody who was held back learns why, and how to go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.audit.ocsf import OcsfMapper
from agent.audit.retention import Limits
from agent.audit.store import open_for_writing
from agent.audit.writer import Writer
from agent.cli.explain import MAX_REASON
from agent.gateway.policy_file import PolicyFile
from agent.host.justifications import JustificationFile
from agent.host.paths import StatePaths
from agent.host.records import read_records
from agent.model.decision import Action, Decision, Hit, Severity
from agent.model.ids import short_ref
from agent.model.record import AuditEvent, Exchange, Outcome
from tests.fakes.audit import DEVICE, HIT, NOW, decided, make_block, make_exchange, make_incident
from tests.fakes.command_line import Drawbridge

ASKED = replace(
    HIT, action=Action.ASK, guardrail="names", severity=Severity.MEDIUM, fingerprints=("ab", "cd")
)
TRIAL = replace(HIT, action=Action.BLOCK, guardrail="trial", type="jwt", shadow=True, severity=Severity.HIGH)

type Store = Callable[[AuditEvent], str]


def asking(*hits: Hit) -> Exchange:
    return make_block(decision=Decision(action=Action.ASK, hits=hits or (ASKED, TRIAL), rule_ids=("names",)))


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths.under(tmp_path / "state")


@pytest.fixture
def store(paths: StatePaths, policy: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Puts an event into the trail, under the policy in force; returns its reference."""
    monkeypatch.setenv("DRAWBRIDGE_POLICY", str(policy))
    policy.write_text(policy.read_text() + "ask: {terminal: false}\n")  # no test has one
    digest = PolicyFile(policy).rules.policy.digest

    def put(event: AuditEvent) -> str:
        paths.prepare()
        if isinstance(event, Exchange) and event.policy_hash == "ab" * 32:
            event = replace(event, policy_hash=digest)
        with open_for_writing(paths, device_id=DEVICE.id) as spool:
            writer = Writer(spool, OcsfMapper(DEVICE, {}), paths, Limits(), lambda: NOW)
            writer.write((event,))
            writer.sync_head()
        return short_ref(event.id)

    return put


def test_what_was_found_who_decided_and_how_to_go_on_is_told(drawbridge: Drawbridge, store: Store) -> None:
    ref = store(asking())
    told = " ".join(drawbridge("explain", ref).stdout.split())
    assert "2 × secret/github_token in the prompt: ask, severity medium, guardrail names" in told
    assert (
        "2 × secret/jwt in the prompt: block, severity high, guardrail trial (on trial, not applied)" in told
    )
    assert "Decided by guardrail 'names': it blocks custom in prompt, tool_result, answer." in told
    assert f'drawbridge explain {ref} --justify "reason"' in told
    assert f'drawbridge explain {ref} --false-positive "what it is"' in told


def test_the_same_is_told_to_programs(drawbridge: Drawbridge, store: Store) -> None:
    facts = json.loads(drawbridge("explain", store(asking()), "--json").stdout)
    assert (facts["decision"], facts["decided_by"], facts["can_be_justified"]) == ("ask", ["names"], True)
    assert (facts["found"][1]["shadow"], facts["policy_changed"]) == (True, False)
    assert "fingerprints" not in json.dumps(facts)


def test_a_policy_that_has_changed_since_is_said(drawbridge: Drawbridge, store: Store) -> None:
    ref = store(make_block(policy_hash="cd" * 32))
    assert "another policy" in drawbridge("explain", ref).stdout


def test_an_access_rule_that_decided_is_named(drawbridge: Drawbridge, store: Store, policy: Path) -> None:
    policy.write_text(policy.read_text() + "access: [{id: no, hosts: [api.openai.com], action: block}]\n")
    ref = store(make_block(decision=Decision(action=Action.BLOCK, rule_ids=("no",), reason="no such host")))
    told = drawbridge("explain", ref).stdout
    assert "Decided by access rule 'no'. See: drawbridge policy explain --host api.openai.com" in told
    assert "no such host" in told


@pytest.mark.parametrize("event", [make_exchange(), make_incident()], ids=["allowed", "incident"])
def test_where_nothing_was_decided_that_is_said(
    drawbridge: Drawbridge, store: Store, event: AuditEvent
) -> None:
    assert "No rule of the policy decided anything here." in drawbridge("explain", store(event)).stdout


def test_why_a_request_was_refused_that_no_rule_touched_is_said(drawbridge: Drawbridge, store: Store) -> None:
    ref = store(make_exchange(outcome=Outcome.REFUSED, error="the model 'smrt' is not served"))
    assert "the model 'smrt' is not served" in drawbridge("explain", ref).stdout


def test_a_reason_covers_what_was_asked_about_and_nothing_else(
    drawbridge: Drawbridge, store: Store, paths: StatePaths
) -> None:
    result = drawbridge("explain", store(asking()), "--justify", "  a   rehearsal ")
    assert result.exit_code == 0
    assert "may be sent for 60 minutes" in result.stdout
    [record] = read_records(paths.justifications)
    assert record["reason"] == "a rehearsal"
    at = float(str(record["at"]))
    reasons = JustificationFile(paths.justifications, b"k").reasons(now=at, minutes=1, terminal=False)
    assert reasons == {("names", "ab"): "a rehearsal", ("names", "cd"): "a rehearsal"}


def test_without_a_terminal_no_reason_is_taken_unless_the_policy_says_so(
    drawbridge: Drawbridge, store: Store, paths: StatePaths, policy: Path
) -> None:
    ref = store(asking())
    policy.write_text(policy.read_text().replace("terminal: false", "terminal: true"))
    result = drawbridge("explain", ref, "--justify", "an agent says so")
    assert result.exit_code == 1
    assert "given at a terminal" in result.stderr
    assert not paths.justifications.exists()


def test_what_was_blocked_cannot_be_justified(
    drawbridge: Drawbridge, store: Store, paths: StatePaths
) -> None:
    result = drawbridge("explain", store(make_block()), "--justify", "please")
    assert result.exit_code == 1
    assert "asks for no reason" in result.stderr
    assert not paths.justifications.exists()


@pytest.mark.parametrize("reason", ["", "  ", "x" * (MAX_REASON + 1)])
def test_a_reason_must_say_something_short(drawbridge: Drawbridge, store: Store, reason: str) -> None:
    assert drawbridge("explain", store(asking()), "--justify", reason).exit_code == 2


def test_a_complaint_is_put_on_record_and_shows_how_to_mend_the_policy(
    drawbridge: Drawbridge, store: Store, paths: StatePaths
) -> None:
    result = drawbridge("explain", store(make_block()), "--false-positive", "a test token")
    assert result.exit_code == 0
    assert "# before the guardrail 'credentials'" in result.stdout
    assert "- id: allow-github_token-codex-cli" in result.stdout
    assert "detect: [secret/github_token]" in result.stdout
    [record] = read_records(paths.feedback)
    assert record["note"] == "a test token"
    assert record["findings"] == [
        {"type": "secret/github_token", "rule": "github-pat", "guardrail": "credentials", "where": "prompt"}
    ]


def test_there_is_nothing_to_complain_about_where_nothing_was_found(
    drawbridge: Drawbridge, store: Store
) -> None:
    result = drawbridge("explain", store(make_exchange()), "--false-positive", "what?")
    assert result.exit_code == 1
    assert "nothing was found" in result.stderr


def test_an_alert_that_only_a_reason_allowed_says_so(drawbridge: Drawbridge, store: Store) -> None:
    excused = replace(ASKED, action=Action.ALERT, fingerprints=(), justification="a rehearsal")
    event = make_exchange(decision=replace(decided(Action.ALERT), hits=(excused,)))
    assert "(because: a rehearsal)" in " ".join(drawbridge("explain", store(event)).stdout.split())
