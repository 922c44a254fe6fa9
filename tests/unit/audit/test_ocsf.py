"""Events as OCSF 1.8.0."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audit.chain import canonical
from agent.audit.ocsf import OcsfMapper, Stamp
from agent.model.app import Asker, Evidence
from agent.model.content import Attachment, Usage
from agent.model.decision import Action, Decision, Hit, Severity
from agent.model.identity import Identity
from agent.model.login import Login, LoginKind
from agent.model.record import AuditEvent, CaptureMode, IncidentKind, Outcome, Timing
from agent.model.traffic import Process, Signature
from tests.fakes.audit import CONNECTION, DEVICE, HIT, NOW, decided, make_block, make_exchange, make_incident

MAPPER = OcsfMapper(DEVICE, {"gemini": "gcp.gemini"})
STAMP = Stamp(sequence=7, logged_ms=1_790_000_001_000)
BASE = {"activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time", "metadata"}
API_ACTIVITY = BASE | {"actor", "api", "src_endpoint"}


def ocsf(event: AuditEvent) -> Any:
    return orjson.loads(canonical(MAPPER.document(event, STAMP)))


def test_an_exchange_is_a_valid_api_activity() -> None:
    event = ocsf(make_exchange())
    assert event.keys() >= API_ACTIVITY
    assert (event["class_uid"], event["category_uid"], event["type_uid"]) == (6003, 6, 600301)
    assert event["metadata"].keys() >= {"version", "product", "uid", "sequence", "logged_time"}
    assert event["metadata"]["version"] == "1.8.0"
    assert event["metadata"]["sequence"] == 7
    assert set(event["metadata"]["profiles"]) == {"host", "datetime", "security_control", "ai_operation"}
    assert event["api"] == {"operation": "chat", "service": {"name": "openai"}}
    assert event["src_endpoint"]["ip"] == "127.0.0.1"
    assert (event["time"], event["time_dt"][:19]) == (int(NOW * 1000), "2026-09-21T14:13:20")


def test_who_did_what_where_is_told() -> None:
    event = ocsf(make_exchange())
    assert event["actor"]["user"]["name"] == "alice"
    assert event["actor"]["app_name"] == "codex-cli"
    assert event["actor"]["process"]["file"] == {"name": "codex", "path": "/usr/bin/codex", "type_id": 1}
    assert event["device"] == {
        "type_id": 0,
        "uid": DEVICE.id,
        "hostname": "laptop",
        "os": {"name": "Linux", "version": "Debian 12", "type_id": 200},
    }
    assert event["dst_endpoint"] == {"hostname": "api.openai.com", "port": 443}
    assert event["ai_model"] == {"ai_provider": "openai", "name": "gpt-4o"}


def test_tokens_are_told_in_both_vocabularies() -> None:
    usage = Usage(
        input_tokens=10, output_tokens=5, cache_read_tokens=3, cache_write_tokens=2, reasoning_tokens=1
    )
    event = ocsf(make_exchange(usage=usage))
    assert event["message_context"]["total_tokens"] == 15
    tokens = {name: count for name, count in event["unmapped"].items() if name.startswith("gen_ai.usage")}
    assert tokens == {
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.cache_creation.input_tokens": 2,
        "gen_ai.usage.reasoning.output_tokens": 1,
    }


def test_the_provider_is_looked_up_by_surface() -> None:
    event = ocsf(make_exchange(surface="gemini"))
    assert event["unmapped"]["gen_ai.provider.name"] == event["ai_model"]["ai_provider"] == "gcp.gemini"


def test_our_own_facts_stand_under_drawbridge() -> None:
    facts = ocsf(make_exchange(decision=decided(Action.REDACT)))["unmapped"]["drawbridge"]
    assert facts["connection"]["tier"] == "relay"
    assert facts["policy"] == {"id": "default", "hash": "ab" * 32}
    assert facts["timing"] == {
        "total_us": 812500,
        "overhead_us": 750,
        "upstream_us": 810000,
        "first_byte_us": 300250,
    }
    assert facts["decision"]["rule_ids"] == ["credentials"]
    assert facts["decision"]["hits"] == [
        {
            "family": "secret",
            "type": "github_token",
            "rule": "github-pat",
            "guardrail": "credentials",
            "where": "prompt",
            "action": "redact",
            "applied": True,
            "count": 2,
            "severity": "low",
            "score": 100,
        }
    ]


def hits(*found: Hit, action: Action = Action.ALLOW) -> list[dict[str, Any]]:
    decision = Decision(action=action, hits=found)
    told: list[dict[str, Any]] = ocsf(make_exchange(decision=decision))["unmapped"]["drawbridge"]["decision"][
        "hits"
    ]
    return told


def test_what_a_guardrail_on_trial_found_is_told_and_not_applied() -> None:
    [hit] = hits(replace(HIT, action=Action.BLOCK, shadow=True, severity=Severity.HIGH, score=0.5))
    assert (hit["action"], hit["applied"], hit["shadow"]) == ("block", False, True)
    assert (hit["severity"], hit["score"]) == ("high", 50)


def test_a_question_keeps_fingerprints_and_an_answer_to_it_its_reason() -> None:
    asked, excused = hits(
        replace(HIT, action=Action.ASK, fingerprints=("ab", "cd")),
        replace(HIT, action=Action.ALERT, justification="test data"),
    )
    assert asked["fingerprints"] == ["ab", "cd"]
    assert "fingerprints" not in excused
    assert excused["justification"] == "test data"


@pytest.mark.parametrize("severity", list(Severity))
def test_the_severity_of_a_guardrail_is_that_of_the_event(severity: Severity) -> None:
    decision = Decision(action=Action.ALERT, hits=(replace(HIT, action=Action.ALERT, severity=severity),))
    assert ocsf(make_exchange(decision=decision))["severity_id"] == severity


@pytest.mark.parametrize(
    ("action", "applied", "expected"),
    [
        (Action.ALLOW, True, (1, 1, False, False)),
        (Action.ALERT, True, (1, 19, True, True)),
        (Action.PSEUDONYMIZE, True, (4, 11, True, True)),
        (Action.MASK, True, (4, 11, True, True)),
        (Action.REDACT, True, (4, 11, True, True)),
        (Action.ASK, True, (2, 2, True, True)),
        (Action.BLOCK, True, (2, 2, True, True)),
        (Action.ALLOW, False, (1, 1, False, False)),
        (Action.BLOCK, False, (3, 15, True, False)),
    ],
)
def test_a_decision_is_action_disposition_alert_and_policy(
    action: Action, applied: bool, expected: tuple[int, int, bool, bool]
) -> None:
    event = ocsf(make_exchange(decision=decided(action, applied=applied)))
    found = (event["action_id"], event["disposition_id"], event["is_alert"], event["policy"]["is_applied"])
    assert found == expected


@pytest.mark.parametrize(
    ("outcome", "status", "action", "disposition"),
    [
        (Outcome.COMPLETED, 1, 1, 1),
        (Outcome.REFUSED, 2, 2, 2),
        (Outcome.UPSTREAM_FAILED, 2, 1, 27),
        (Outcome.FAILED, 2, 1, 27),
        (Outcome.CLIENT_CLOSED, 99, 1, 1),
    ],
)
def test_an_outcome_is_a_status(outcome: Outcome, status: int, action: int, disposition: int) -> None:
    event = ocsf(make_exchange(outcome=outcome))
    assert (event["status_id"], event["action_id"], event["disposition_id"]) == (status, action, disposition)
    assert event["status_detail"] == outcome
    assert event["unmapped"].get("error.type") == (None if outcome is Outcome.COMPLETED else outcome)


def test_traffic_that_asks_no_model_is_no_ai_operation() -> None:
    event = ocsf(make_exchange(operation="", model="", method="GET"))
    assert "ai_operation" not in event["metadata"]["profiles"]
    assert not event.keys() & {"ai_model", "message_context"}
    assert not [name for name in event["unmapped"] if name.startswith("gen_ai.")]
    assert event["api"]["operation"] == "GET"


def test_by_default_no_content_and_no_file_name_is_kept() -> None:
    attachment = Attachment(kind="document", media_type="application/pdf", size=9, name="salaries.pdf")
    event = make_exchange(prompt="the prompt", answer="the answer", attachments=(attachment,))
    stored = canonical(MAPPER.document(event, STAMP))
    assert not [word for word in (b"the prompt", b"the answer", b"salaries") if word in stored]
    assert b"application/pdf" in stored


def test_of_a_file_everything_is_told_but_what_it_says_and_is_called() -> None:
    attachment = Attachment(
        kind="file",
        name="salaries.of.ann.PDF",
        size=9,
        id="file-1",
        type="pdf",
        readable=False,
        problem="encrypted",
        characters=7,
        pages=2,
        pixels=(3, 4),
        findings=(("pii/email", 2),),
        uploaded_at=12.5,
        outcome="unreadable",
    )
    facts = ocsf(make_exchange(attachments=(attachment,)))["unmapped"]["drawbridge"]
    assert facts["attachments"] == [
        {
            "kind": "file",
            "media_type": "",
            "size": 9,
            "name": "",
            "extension": "pdf",
            "id": "file-1",
            "type": "pdf",
            "readable": False,
            "problem": "encrypted",
            "characters": 7,
            "pages": 2,
            "pixels": [3, 4],
            "findings": [{"what": "pii/email", "count": 2}],
            "uploaded_ms": 12500,
            "outcome": "unreadable",
        }
    ]


@pytest.mark.parametrize("name", ["salaries", ".secret", "plan.of the year", "a.verylongword"])
def test_what_may_be_a_name_is_no_extension(name: str) -> None:
    facts = ocsf(make_exchange(attachments=(Attachment(kind="file", name=name),)))["unmapped"]["drawbridge"]
    assert "extension" not in facts["attachments"][0]


def test_captured_content_is_kept_and_clipped() -> None:
    event = ocsf(make_exchange(capture=CaptureMode.FULL, prompt="p" * 10**6, answer="a"))
    content = event["unmapped"]["drawbridge"]["content"]
    assert content["capture"] == "full"
    assert len(content["prompt"]) == 256 * 1024 + 1
    assert content["answer"] == "a"


def test_an_unknown_client_still_makes_a_valid_event() -> None:
    connection = replace(CONNECTION, process=None, app="", client_address=None, connect_port=0)
    event = ocsf(make_exchange(connection=connection, status=None))
    assert event.keys() >= API_ACTIVITY
    assert event["src_endpoint"] == {"hostname": "laptop"}
    assert event["actor"] == {"app_name": "unknown"}
    assert "http_response" not in event


@pytest.mark.parametrize(
    ("kind", "class_uid", "activity"),
    [
        (IncidentKind.AGENT_STARTED, 6002, 3),
        (IncidentKind.AGENT_STOPPED, 6002, 4),
        (IncidentKind.POLICY_ACTIVATED, 6002, 8),
        (IncidentKind.POLICY_REFUSED, 6002, 8),
        (IncidentKind.CA_REISSUED, 6002, 8),
        (IncidentKind.SIGNED_IN, 6002, 99),
        (IncidentKind.SIGNED_OUT, 6002, 99),
        (IncidentKind.CLIENT_DISTRUST, 2004, 1),
        (IncidentKind.BYPASS, 2004, 1),
        (IncidentKind.MISDIRECTED, 2004, 1),
        (IncidentKind.UPGRADE_REFUSED, 2004, 1),
    ],
)
def test_incidents_are_of_the_class_that_fits(kind: IncidentKind, class_uid: int, activity: int) -> None:
    event = ocsf(make_incident(kind, detail=(("policy", "default"),), connection=CONNECTION))
    assert event.keys() >= BASE | ({"app"} if class_uid == 6002 else {"finding_info"})
    assert (event["class_uid"], event["activity_id"]) == (class_uid, activity)
    assert event["type_uid"] == class_uid * 100 + activity
    assert event["category_uid"] == class_uid // 1000
    assert event["unmapped"]["drawbridge"]["detail"] == [{"name": "policy", "value": "default"}]


def test_what_a_guard_refused_is_told_from_what_it_let_pass() -> None:
    refused, passed = ocsf(make_incident(IncidentKind.MISDIRECTED)), ocsf(make_incident(IncidentKind.BYPASS))
    assert (refused["action_id"], refused["disposition_id"]) == (2, 2)
    assert (passed["action_id"], passed["disposition_id"]) == (3, 17)


def floats(value: object) -> bool:
    match value:
        case dict():
            return any(not key.isascii() or floats(inner) for key, inner in value.items())
        case list():
            return any(map(floats, value))
        case _:
            return isinstance(value, float)


TEXTS = st.text(max_size=8) | st.just("\ud800") | st.just("x" * 5000)
TIMES = st.floats(0, 1e9)


@given(text=TEXTS, milliseconds=TIMES, at=st.floats(0, 4e9), count=st.integers(0, 2**40) | st.none())
def test_no_event_holds_a_float_or_a_key_beyond_ascii_or_a_text_without_bounds(
    text: str, milliseconds: float, at: float, count: int | None
) -> None:
    timing = Timing(total_ms=milliseconds, overhead_ms=milliseconds, upstream_ms=milliseconds)
    signature = Signature(signer=text, team=text, identifier=text, package=text)
    process = Process(
        pid=1,
        name=text,
        executable=text,
        user=text,
        parents=(text,),
        sandbox=text,
        started=at,
        signature=signature,
    )
    asker = Asker(app=text, evidence=Evidence.CLAIMED, seen=text, claimed=text, within=(text,))
    login = Login(
        key_type=text,
        tail=text,
        subject=text,
        organisation=text,
        domain=text,
        plan=text,
        kind=LoginKind.CLOUD,
    )
    connection = replace(CONNECTION, process=process, sni=text, connect_host=text, app=text)
    usage = Usage(input_tokens=count, output_tokens=count)
    exchange = make_exchange(
        started_at=at, timing=timing, connection=connection, path=text, model=text, host=text, error=text,
        method=text, usage=usage, finish_reason=text, decision=replace(decided(Action.BLOCK), reason=text),
        attachments=(Attachment(kind="file", media_type=text, name=text),), outcome=Outcome.FAILED,
        asker=asker, login=login,
    )  # fmt: skip
    incident = make_incident(at=at, message=text, detail=((text, text),), connection=connection)
    for event in (exchange, incident):
        document = MAPPER.document(event, STAMP)
        assert not floats(document)
        assert len(canonical(document)) < 50_000


def test_a_block_names_its_reason() -> None:
    event = ocsf(make_block())
    assert event["message"] == "github token in the prompt"
    assert event["severity_id"] == 3


def test_who_asked_is_told_with_what_started_it_who_vouches_and_the_account() -> None:
    process = Process(
        pid=7,
        name="claude",
        executable="/x/claude",
        user="ann",
        parents=("bash", "code"),
        signer="Anthropic PBC",
        started=1_700_000_000.5,
        sandbox="snap:code",
        signature=Signature(signer="Anthropic PBC", team="Q6L2SF6YDW", verified=True),
    )
    login = Login(
        kind=LoginKind.SUBSCRIPTION, key_type="claude-oauth", subject="u-1", organisation="org-1", plan="max"
    )
    asker = Asker(app="claude-code", evidence=Evidence.SIGNED, seen="claude-code", within=("vscode",))
    event = ocsf(make_exchange(connection=replace(CONNECTION, process=process), asker=asker, login=login))
    assert event["actor"] == {
        "app_name": "claude-code",
        "process": {
            "pid": 7,
            "name": "claude",
            "file": {
                "name": "claude",
                "path": "/x/claude",
                "type_id": 1,
                "company_name": "Anthropic PBC",
                "signature": {"algorithm_id": 0, "developer_uid": "Q6L2SF6YDW", "state_id": 1},
            },
            "created_time": 1_700_000_000_500,
            "parent_process": {"name": "bash"},
            "ancestry": [{"name": "bash"}, {"name": "code"}],
            "sandbox": "snap:code",
        },
        "user": {
            "name": "ann",
            "account": {"uid": "u-1", "type": "max", "type_id": 99},
            "org": {"uid": "org-1"},
        },
    }
    ours = event["unmapped"]["drawbridge"]
    assert ours["asker"] == {
        "app": "claude-code",
        "evidence": "signed",
        "seen": "claude-code",
        "within": ["vscode"],
    }
    assert ours["login"]["kind"] == "subscription"
    assert ours["login"]["organisation"] == "org-1"


def test_of_a_key_its_end_is_told_and_of_nobody_nothing() -> None:
    login = Login(kind=LoginKind.API_KEY, tail="wxyz")
    assert ocsf(make_exchange(login=login))["actor"]["session"] == {"credential_uid": "…wxyz"}
    plain = ocsf(make_exchange())
    assert "session" not in plain["actor"]
    assert not {"asker", "login"} & plain["unmapped"]["drawbridge"].keys()


def test_who_has_signed_in_stands_beside_the_account() -> None:
    assert CONNECTION.process is not None
    identity = Identity(
        issuer="https://id.example",
        subject="00u1",
        name="ada@example.com",
        full_name="Ada Lovelace",
        groups=tuple(f"g{n}" for n in range(60)),
    )

    def user(who: Identity) -> Any:
        assert CONNECTION.process is not None
        connection = replace(CONNECTION, process=replace(CONNECTION.process, identity=who))
        return ocsf(make_exchange(connection=connection))["actor"]["user"]

    found = user(identity)
    assert len(found.pop("groups")) == 50
    assert found == {
        "name": "alice",
        "uid": "00u1",
        "domain": "https://id.example",
        "email_addr": "ada@example.com",
        "full_name": "Ada Lovelace",
    }
    assert user(Identity(issuer="i", subject="1", name="ada"))["display_name"] == "ada"
    assert user(Identity(issuer="i", subject="1", name="1")) == {"name": "alice", "uid": "1", "domain": "i"}
    assert user(Identity(name="anybody")) == {"name": "alice"}
