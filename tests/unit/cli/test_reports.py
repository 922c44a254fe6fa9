"""What an event says about its decision."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from agent.audit import StoredEvent
from agent.audit.index import columns, event_row
from agent.audit.ocsf import OcsfMapper, Stamp
from agent.cli.reports import Report, found_hits
from agent.model.decision import Action, Decision, Hit
from agent.model.traffic import Connection
from agent.policy import load
from tests.fakes.audit import CONNECTION, DEVICE, HIT, make_exchange

POLICY = "schema_version: 1\nid: p\n"


def report(*hits: Hit, connection: Connection = CONNECTION, action: Action = Action.BLOCK) -> Report:
    decision = Decision(action=action, hits=hits, rule_ids=tuple(hit.guardrail for hit in hits))
    event = make_exchange(decision=decision, connection=connection)
    document = OcsfMapper(DEVICE, {}).document(event, Stamp(sequence=1, logged_ms=0))
    stored = StoredEvent(row=event_row(columns(document)[:-1]), document=document)
    return Report(event=stored, policy=load(POLICY, source="p"), hits=tuple(found_hits(stored)))


def test_those_decided_whose_action_it_became() -> None:
    alert, block = (
        replace(HIT, action=Action.ALERT, guardrail="a"),
        replace(HIT, action=Action.BLOCK, guardrail="b"),
    )
    trial = replace(block, guardrail="t", shadow=True)
    assert report(alert, trial, block).deciding == ("b",)
    assert report(alert, trial, action=Action.ALERT).deciding == ("a",)


@pytest.mark.parametrize("app", ["codex-cli", "", "My App"])
def test_the_exception_is_a_guardrail_that_loads(app: str) -> None:
    found = report(HIT, replace(HIT, action=Action.ALLOW), connection=replace(CONNECTION, app=app))
    [rule] = load(POLICY + found.exception, source="p").guardrails
    assert (rule.detect, rule.where, rule.action) == (("secret/github_token",), ("prompt",), Action.ALLOW)
    assert rule.apps == (("codex-cli",) if app == "codex-cli" else rule.apps)
    assert yaml.safe_load(found.exception)["guardrails"][0]["id"].startswith("allow-github_token")


def test_an_event_of_an_older_version_is_read() -> None:
    found = report(HIT)
    document = dict(found.event.document)
    hit = {
        "family": "pii",
        "type": "email",
        "rule": "email",
        "guardrail": "g",
        "where": "answer",
        "action": "alert",
    }
    document["unmapped"] = {"drawbridge": {"decision": {"hits": [hit]}}}
    [read] = found_hits(replace(found.event, document=document))
    assert (read.what, read.count, read.severity, read.shadow, read.fingerprints) == (
        "pii/email",
        1,
        "",
        False,
        (),
    )
