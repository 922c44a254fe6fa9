"""How audit events are shown to people."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from agent.audit import StoredEvent
from agent.audit.index import columns, event_row
from agent.audit.ocsf import OcsfMapper, Stamp
from agent.cli.events import at, clock, details, listing, rules_of, what
from agent.model.app import Asker, Evidence
from agent.model.decision import Action, Decision, Severity
from agent.model.login import Login, LoginKind, Tenancy
from agent.model.record import (
    Attempt,
    AuditEvent,
    CacheUse,
    CaptureMode,
    IncidentKind,
    Outcome,
    Served,
)
from agent.model.traffic import Process, Signature
from tests.fakes.audit import CONNECTION, DEVICE, HIT, NOW, decided, make_block, make_exchange, make_incident


def stored(event: AuditEvent) -> StoredEvent:
    document = OcsfMapper(DEVICE, {}).document(event, Stamp(sequence=3, logged_ms=0))
    return StoredEvent(row=event_row(columns(document)[:-1]), document=document)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (make_exchange(), "allow"),
        (make_block(), "block"),
        (make_exchange(decision=decided(Action.REDACT)), "redact"),
        (make_exchange(outcome=Outcome.UPSTREAM_FAILED), "upstream failed"),
        (
            make_exchange(decision=decided(Action.REDACT), outcome=Outcome.CLIENT_CLOSED),
            "redact, client closed",
        ),
        (make_incident(IncidentKind.CLIENT_DISTRUST), "client_distrust"),
    ],
)
def test_an_event_is_a_word_or_two(event: AuditEvent, words: str) -> None:
    assert what(stored(event).row).plain == words


def test_stand_ins_that_an_answer_held_are_counted() -> None:
    decision = replace(decided(Action.PSEUDONYMIZE), restored=3, unrestored=1)
    shown = dict(details(stored(make_exchange(decision=decision))))
    assert shown["stand-ins"] == "3 made values again, 1 left where values must not go"
    assert "stand-ins" not in dict(details(stored(make_exchange())))


def test_today_is_told_by_the_clock_and_older_days_by_the_date() -> None:
    assert len(clock(NOW, now=NOW + 3600)) == len("12:00:00")
    assert len(clock(NOW, now=NOW + 90_000)) == len("11-21 12:00")
    assert clock(NOW, now=NOW + 400 * 86400).startswith("2026-")
    assert clock(NOW, now=NOW - 3600).startswith("2026-")  # a clock that was set back


def test_a_listing_fits_80_columns_and_keeps_references_and_times_whole() -> None:
    rows = [
        stored(
            make_exchange(host=f"{'a' * 90}.example.com", model="m" * 90, outcome=Outcome.UPSTREAM_FAILED)
        ).row,
        stored(make_incident(connection=CONNECTION)).row,
    ]
    console = Console(width=80, record=True, file=None)
    with console.capture() as captured:
        console.print(listing(rows, now=NOW + 60))
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split()[0] == rows[0].id[-8:].upper()
    assert len(lines) == 3


def test_details_tell_who_asked_whom_and_why_it_was_decided_so() -> None:
    told = dict(details(stored(make_block(capture=CaptureMode.REDACTED, prompt="my key [REDACTED:x]"))))
    assert told["process"] == "/usr/bin/codex (pid 4711)"
    assert told["request"] == "POST /v1/chat/completions"
    assert told["decision"] == "block, by credentials"
    assert told["found"].startswith("2 × secret/github_token in the prompt: block (detector github-pat")
    assert told["tokens"] == "10 in, 5 out"
    assert told["bytes"] == "1000 in the request, 2000 in the answer"
    assert told["time spent"] == "812.50 ms in all, 810.00 ms the provider, 0.75 ms inspection"
    assert told["prompt"] == "my key [REDACTED:x]"
    assert "answer" not in told


def test_a_decision_that_was_only_observed_says_so() -> None:
    told = dict(details(stored(make_exchange(decision=decided(Action.BLOCK, applied=False)))))
    assert told["decision"] == "block (only observed), by credentials"


def test_the_circumstances_of_a_hit_are_told() -> None:
    hits = (
        replace(HIT, action=Action.BLOCK, shadow=True, severity=Severity.HIGH, score=0.5),
        replace(HIT, action=Action.ALERT, justification="test data"),
        replace(HIT, action=Action.ASK, fingerprints=tuple(digit * 32 for digit in "0123")),
    )
    told = dict(details(stored(make_exchange(decision=Decision(action=Action.ALERT, hits=hits)))))
    trial, excused, asked = told["found"].splitlines()
    assert asked.endswith("severity low, fingerprints 00000000, 11111111, 22222222 and 1 more)")
    assert "severity high, score 0.5, on trial: nothing was done" in trial
    assert excused.endswith("severity low, allowed because: test data)")


def test_an_incident_has_only_what_it_knows() -> None:
    incident = make_incident(IncidentKind.POLICY_ACTIVATED, detail=(("policy", "strict"), ("hash", "ab")))
    told = dict(details(stored(incident)))
    assert told["message"] == "something happened"
    assert told["detail"] == "policy: strict\nhash: ab"
    assert not {"decision", "request", "tokens", "bytes", "time spent", "policy", "host"} & told.keys()


def test_rules_are_read_from_the_event() -> None:
    assert rules_of(stored(make_block())) == ("credentials",)
    assert rules_of(stored(make_incident())) == ()


def test_a_path_that_leads_nowhere_is_none() -> None:
    assert at({"a": {"b": 1}}, "a", "b") == 1
    assert at({"a": 1}, "a", "b") is None
    assert at([], "a") is None


def test_the_way_of_an_exchange_and_its_cost_are_told() -> None:
    served = Served(
        provider="bedrock-eu",
        model="claude",
        key="main",
        attempts=(
            Attempt(provider="openai", model="gpt-5", failure="rate_limited"),
            Attempt(provider="bedrock-eu", model="claude"),
        ),
        virtual_key="ci",
        cost_nano_usd=1_234_567,
        estimated=True,
    )
    shown = dict(details(stored(make_exchange(served=served, request_id="req-7"))))
    assert shown["served by"] == "bedrock-eu/claude (key main, virtual key ci)"
    assert shown["attempts"] == "openai/gpt-5: rate_limited\nbedrock-eu/claude: answered"
    assert shown["cost"] == "$0.001235 (estimated)"
    assert shown["request id"] == "req-7"
    plain = dict(details(stored(make_exchange())))
    assert not {"served by", "attempts", "cost", "request id", "trace"} & plain.keys()
    cached = dict(details(stored(make_exchange(served=Served(cache=CacheUse.EXACT)))))
    assert cached["served by"] == "cache exact"


def test_who_asked_and_with_which_account_is_told() -> None:
    process = replace(
        CONNECTION.process or Process(pid=1, name="x"),
        parents=("bash", "code"),
        signature=Signature(signer="dpkg:curl"),
    )
    event = make_exchange(
        connection=replace(CONNECTION, process=process),
        asker=Asker(
            app="curl",
            evidence=Evidence.SIGNED,
            seen="curl",
            claimed="claude-code",
            within=("warp", "vscode"),
        ),
        login=Login(
            kind=LoginKind.API_KEY,
            key_type="openai-project",
            tail="wxyz",
            organisation="org-1",
            tenancy=Tenancy.COMPANY,
        ),
    )
    told = dict(details(stored(event)))
    assert told["app"] == "curl in warp, in vscode (known by: signed; it says that it is claude-code)"
    assert told["started by"] == "bash ← code"
    assert told["signed by"] == "dpkg:curl"
    assert told["account"] == "company api key (openai-project …wxyz, organisation org-1)"


def test_what_is_not_known_of_who_asked_is_left_out() -> None:
    told = dict(details(stored(make_exchange())))
    assert told["app"] == "codex-cli"
    assert not {"started by", "signed by", "account"} & told.keys()
