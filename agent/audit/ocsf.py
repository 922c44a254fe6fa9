"""Audit events as OCSF 1.8.0, the one place that knows that schema and the GenAI attribute names. Pure.

An exchange is an API Activity (6003) with the profiles host, datetime, security_control and ai_operation; the agent's
own life is Application Lifecycle (6002); what a guard saw outside of an exchange is a Detection Finding (2004). What
OCSF has no attribute for stands under `unmapped`: OpenTelemetry's `gen_ai.*` (names of its Development conventions of
November 2026) and our own facts under `drawbridge`. Durations of ours are microseconds: the chain knows no floats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from agent import __version__
from agent.audit.chain import Json
from agent.audit.documents import MAX_LIST, Document, clipped
from agent.audit.unmapped import unmapped
from agent.audit.who import Introductions, actor_of, connection_facts
from agent.model.decision import Action
from agent.model.device import Device
from agent.model.direct import direct
from agent.model.record import AuditEvent, Exchange, Incident, IncidentKind, Outcome

VERSION = "1.8.0"


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What the store adds to an event: its number in the chain and when it was stored (Unix milliseconds)."""

    sequence: int
    logged_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Class:
    uid: int
    name: str
    activity: int
    activity_name: str

    def fields(self) -> Document:
        """The attributes that say which class and activity it is."""
        category = self.uid // 1000
        return {
            "activity_id": self.activity,
            "activity_name": self.activity_name,
            "category_uid": category,
            "class_uid": self.uid,
            "class_name": self.name,
            "type_uid": self.uid * 100 + self.activity,
        }


def _lifecycle(activity: int, name: str) -> _Class:
    return _Class(uid=6002, name="Application Lifecycle", activity=activity, activity_name=name)


_API = _Class(uid=6003, name="API Activity", activity=1, activity_name="Create")
_FINDING = _Class(uid=2004, name="Detection Finding", activity=1, activity_name="Create")
_OTHER = _lifecycle(99, "Other")
_INCIDENTS: Mapping[IncidentKind, _Class] = {
    IncidentKind.AGENT_STARTED: _lifecycle(3, "Start"),
    IncidentKind.AGENT_STOPPED: _lifecycle(4, "Stop"),
    IncidentKind.POLICY_ACTIVATED: _lifecycle(8, "Update"),
    IncidentKind.POLICY_REFUSED: _lifecycle(8, "Update"),
    IncidentKind.CA_REISSUED: _lifecycle(8, "Update"),
    IncidentKind.PAUSED: _lifecycle(7, "Disable"),
    IncidentKind.RESUMED: _lifecycle(6, "Enable"),
    IncidentKind.CONTROL: _OTHER,
    IncidentKind.SIGNED_IN: _OTHER,
    IncidentKind.SIGNED_OUT: _OTHER,
}
_REFUSING = frozenset({IncidentKind.MISDIRECTED, IncidentKind.UPGRADE_REFUSED, IncidentKind.APP_DENIED})

# action_id and disposition_id of a decision that is carried out
_ALLOWED, _DENIED, _OBSERVED, _MODIFIED = 1, 2, 3, 4
_CONTROL: Mapping[Action, tuple[int, int]] = {
    Action.ALLOW: (_ALLOWED, 1),
    Action.ALERT: (_ALLOWED, 19),
    Action.PSEUDONYMIZE: (_MODIFIED, 11),
    Action.MASK: (_MODIFIED, 11),
    Action.REDACT: (_MODIFIED, 11),
    Action.ASK: (_DENIED, 2),
    Action.BLOCK: (_DENIED, 2),
}
_DETECTED = 15
_ERROR = 27
_BLOCKED = 2
_LOGGED = 17
_STATUS = {Outcome.COMPLETED: 1, Outcome.CLIENT_CLOSED: 99}  # every other outcome is a failure, 2
_OS_TYPES = {"windows": 100, "linux": 200, "macos": 300}


class OcsfMapper:
    """Maps events of one machine. `providers` gives the GenAI provider name of a surface id."""

    def __init__(self, device: Device, providers: Mapping[str, str]) -> None:
        self._providers = providers
        self._product: Document = {"name": "Drawbridge", "vendor_name": "Drawbridge", "version": __version__}
        hostname = clipped(device.hostname)
        self._introductions = Introductions(hostname)
        self._device: Document = {
            "type_id": 0,
            "uid": device.id,
            "hostname": hostname,
            "os": {
                "name": device.os_name,
                "version": device.os_version,
                "type_id": _OS_TYPES.get(device.os_name.lower(), 99),
            },
        }

    def document(self, event: AuditEvent, stamp: Stamp) -> Document:
        """The event as OCSF, ready to be hashed."""
        match event:
            case Exchange():
                return self._exchange(event, stamp)
            case Incident():
                return self._incident(event, stamp)

    def notice(self, kind: str, event_id: str, message: str, facts: Document, stamp: Stamp) -> Document:
        """An event of the audit trail about itself, such as `audit.dropped`."""
        return {
            **_OTHER.fields(),
            **self._base(event_id, stamp.logged_ms, stamp, ["host", "datetime"]),
            "severity_id": 2,
            "message": message,
            "app": self._product,
            "unmapped": {"drawbridge": {"kind": kind, **facts}},
        }

    def _base(self, event_id: str, time_ms: int, stamp: Stamp, profiles: list[Json]) -> Document:
        return {
            "time": time_ms,
            "time_dt": _rfc3339(time_ms),
            "metadata": {
                "version": VERSION,
                "uid": event_id,
                "sequence": stamp.sequence,
                "logged_time": stamp.logged_ms,
                "product": self._product,
                "profiles": profiles,
            },
            "device": self._device,
        }

    def _exchange(self, event: Exchange, stamp: Stamp) -> Document:
        decision = event.decision
        who = self._introductions.of(event.connection, event.asker, event.login)
        served = event.served.provider or event.surface
        provider = self._providers.get(served, served)
        time_ms = int(event.started_at * 1000)
        duration = int(event.timing.total_ms)
        asks_a_model = bool(event.operation or event.model)
        profiles: list[Json] = ["host", "datetime", "security_control"]
        document: Document = {
            **_API.fields(),
            **self._base(event.id, time_ms, stamp, [*profiles, "ai_operation"] if asks_a_model else profiles),
            **_control(event),
            "start_time": time_ms,
            "end_time": time_ms + duration,
            "duration": duration,
            "status_id": _STATUS.get(event.outcome, 2),
            "status_detail": event.outcome,
            "actor": who.actor,
            "api": {
                "operation": event.operation or clipped(event.method),
                "service": {"name": event.surface},
            },
            "src_endpoint": who.source,
            "dst_endpoint": {"hostname": clipped(event.host), "port": event.connection.connect_port or 443},
            "http_request": {
                "http_method": clipped(event.method),
                "length": event.request_bytes,
                "url": {"hostname": clipped(event.host), "path": clipped(event.path)},
            },
            "policy": {
                "name": event.policy_id,
                "uid": event.policy_hash,
                "is_applied": decision.applied and decision.action is not Action.ALLOW,
            },
            "unmapped": unmapped(event, provider, who),
        }
        document.update(self._correlated(document, event))
        if event.status is not None:
            document["status_code"] = str(event.status)
            document["http_response"] = {"code": event.status, "length": event.response_bytes}
        if decision.reason:
            document["message"] = clipped(decision.reason)
        if asks_a_model:
            document["message_context"] = _message_context(event)
            document["ai_model"] = {"ai_provider": provider, "name": clipped(event.model) or "unknown"}
        return document

    def _correlated(self, document: Document, event: Exchange) -> Document:
        """The attributes by which other logs are joined: the request's id and the trace's."""
        changed: Document = {}
        if event.request_id:
            request = document["http_request"]
            assert isinstance(request, dict)
            changed["http_request"] = {**request, "uid": clipped(event.request_id)}
        if event.trace:
            metadata = document["metadata"]
            assert isinstance(metadata, dict)
            changed["metadata"] = {**metadata, "correlation_uid": clipped(event.trace.split("-")[1])}
        return changed

    def _incident(self, event: Incident, stamp: Stamp) -> Document:
        kind = _INCIDENTS.get(event.kind, _FINDING)
        profiles: list[Json] = ["host", "datetime"]
        facts: Document = {
            "kind": event.kind,
            "detail": [
                {"name": clipped(name), "value": clipped(value)} for name, value in event.detail[:MAX_LIST]
            ],
        }
        document: Document = {
            **kind.fields(),
            **self._base(
                event.id,
                int(event.at * 1000),
                stamp,
                [*profiles, "security_control"] if kind is _FINDING else profiles,
            ),
            "severity_id": 1,
            "status_id": 2 if event.kind is IncidentKind.POLICY_REFUSED else 1,
            "message": clipped(event.message),
            "unmapped": {"drawbridge": facts},
        }
        if kind is _FINDING:
            refuses = event.kind in _REFUSING
            document["severity_id"] = 3 if refuses else 2
            document["action_id"] = _DENIED if refuses else _OBSERVED
            document["disposition_id"] = _BLOCKED if refuses else _LOGGED
            document["finding_info"] = {"uid": event.id, "title": event.kind, "types": [event.kind]}
        else:
            document["app"] = self._product
        if event.connection is not None:
            document["actor"] = actor_of(event.connection)
            facts["connection"] = connection_facts(event.connection)
        return document


def _control(event: Exchange) -> Document:
    """The attributes of the security_control profile, and the severity."""
    decision = event.decision
    action, disposition = _CONTROL[decision.action]
    if not decision.applied and decision.action is not Action.ALLOW:
        action, disposition = _OBSERVED, _DETECTED
    match event.outcome:
        case Outcome.REFUSED:
            action, disposition = _DENIED, _BLOCKED
        case Outcome.FAILED | Outcome.UPSTREAM_FAILED if action == _ALLOWED:
            disposition = _ERROR
    return {
        "action_id": action,
        "disposition_id": disposition,
        "is_alert": decision.action is not Action.ALLOW,
        "severity_id": int(decision.severity),
    }


def _message_context(event: Exchange) -> Document:
    usage = event.usage
    context: Document = {"uid": event.id, "ai_role_id": 2, "service": {"name": event.surface}}
    if usage.input_tokens is not None:
        context["prompt_tokens"] = usage.input_tokens
    if usage.output_tokens is not None:
        context["completion_tokens"] = usage.output_tokens
    if usage.input_tokens is not None and usage.output_tokens is not None:
        context["total_tokens"] = usage.input_tokens + usage.output_tokens
    return context


def _rfc3339(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
