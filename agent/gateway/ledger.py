"""Keeps the book of one exchange while it runs, and closes it into the record that the audit trail gets."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from itertools import takewhile
from typing import Any, Self

from agent.dialects.base import ParsedRequest, Voice
from agent.gateway.logins import recorded
from agent.gateway.routing import Route
from agent.inspection import RuleBook, Scope
from agent.inspection.tool_calls import Call
from agent.model.app import UNKNOWN_ASKER
from agent.model.content import NO_USAGE, Path, Role, Slot, Usage, outermost
from agent.model.decision import CLEAN, Decision
from agent.model.ids import uuid7
from agent.model.login import NO_LOGIN
from agent.model.record import (
    CaptureMode,
    Exchange,
    Incident,
    IncidentKind,
    Outcome,
    Served,
    Standing,
    Timing,
)
from agent.model.tool import NO_TOOLS
from agent.model.traffic import Connection, Tier

log = logging.getLogger(__name__)

MAX_CAPTURED = 64 * 1024  # characters of prompt and of answer that an event may hold
_ASKING = (Role.USER, Role.TOOL_RESULT)


class Ledger:
    """Facts about one exchange as they become known. `spent` adds up our own work; waiting is not in it."""

    def __init__(
        self, rules: RuleBook, connection: Connection, *, method: str, capture_key: bytes = b""
    ) -> None:
        """`capture_key` makes the marks that stand for what the record must not say."""
        self._capture_key = capture_key
        self.started_at = time.time()
        self.id = uuid7(self.started_at)
        self.rules = rules
        self.capture = rules.policy.capture
        self.login = NO_LOGIN
        self.standing = Standing()
        self.tools = NO_TOOLS
        self.connection = connection
        self.method = method
        self.host = ""
        self.path = ""
        self.surface = "unknown"
        self.operation = ""
        self.dialect = ""
        self.voice: Voice | None = None  # that says no to the client, where it is not the dialect's
        self.upstream = ""
        self.request = ParsedRequest()
        self.decision = CLEAN
        self.status: int | None = None
        self.outcome = Outcome.FAILED
        self.error = ""
        self.asker = UNKNOWN_ASKER
        self.usage: Usage = NO_USAGE
        self.model = ""
        self.finish_reason = ""
        self._served: dict[str, Any] = {}
        self.request_id = ""
        self.trace = ""
        self.characters = 0  # of the answer, as far as it came
        self.chunks = 0
        self.request_bytes = 0
        self.response_bytes = 0
        self.prompt = ""
        self.answer = ""
        self._begun = time.perf_counter()
        self._spent = self._entered = 0.0
        self._sent: float | None = None
        self._received: float | None = None
        self._first_byte: float | None = None

    def routed(self, route: Route) -> None:
        """Note where the request is bound for."""
        self.host = route.host
        self.path = route.path
        self.surface = route.surface.id
        self.upstream = route.upstream
        if route.endpoint is not None:
            self.dialect = route.endpoint.dialect
            self.operation = route.endpoint.operation

    def approved(self, scope: Scope, *, refused: bool) -> None:
        """Note what the policy says of the program, and what may be kept of the content."""
        given = scope.approval
        self.standing = Standing(
            state=given.state.value, rule=given.deciding or given.rule_id, refused=refused
        )
        self.capture = scope.capture

    def called(self, scope: Scope, calls: Iterable[Call]) -> None:
        """Note what the answer asks of tools. Never raises: a report that fails costs nobody the answer."""
        report = scope.rules.report
        if report is None:
            return
        try:
            told = report.told(
                calls, scope.rules, app=scope.subject.app, names_only=scope.approval.metadata_only
            )
        except Exception:
            log.exception("the tool calls of exchange %s cannot be told", self.id)
            return
        self.tools = replace(told, results=self.tools.results)

    def told_as(self, status: int) -> int:
        """The HTTP status with which a refusal of ours is told: 400 where clients of the service would take `status`
        for the service's own word, such as a login that ended. A base URL's clients know whom they ask."""
        row = self.rules.catalog.row(self.surface)
        if row is None or self.connection.tier is Tier.BASE_URL:
            return status
        return 400 if status in row.misread else status

    def on_lane(self, dialect: str, operation: str) -> None:
        """Note the format that is spoken on a way that is open already, and what is done there if it is not the
        endpoint's own operation."""
        self.dialect = dialect
        self.operation = operation or self.operation

    def served_by(self, **facts: Any) -> None:
        """Note what is known of who answered: fields of `Served`."""
        self._served.update(facts)

    @property
    def served(self) -> Served:
        """What is known of it."""
        return Served(**self._served)

    def served_fact(self, name: str) -> Any:
        """One field of `served`, None where it was not noted."""
        return self._served.get(name)

    def decided(self, decision: Decision) -> None:
        """Add a decision: the request's, then the answer's. The graver one names the action."""
        self.decision = self.decision.joined(decision)

    def working(self) -> Self:
        """A context: time spent inside is our overhead. Not to be nested."""
        return self

    def __enter__(self) -> Self:
        self._entered = time.perf_counter()
        return self

    def __exit__(self, *exc: object) -> None:
        self._spent += time.perf_counter() - self._entered

    def add_work(self, seconds: float) -> None:
        """The same for hot loops that keep their own clock."""
        self._spent += seconds

    def sent(self) -> None:
        """The upstream request begins."""
        self._sent = time.perf_counter()

    @property
    def was_sent(self) -> bool:
        """Whether an upstream was asked."""
        return self._sent is not None

    def first_byte(self) -> None:
        """The answer's first byte goes to the client."""
        if self._first_byte is None:
            self._first_byte = time.perf_counter()

    def received(self) -> None:
        """The upstream's answer is complete, or given up."""
        self._received = time.perf_counter()

    def _since_begin(self, moment: float | None) -> float | None:
        return None if moment is None else (moment - self._begun) * 1e3

    def misdirection(self, message: str) -> Incident:
        """What the trail is told where CONNECT, SNI and Host disagree."""
        return Incident(
            id=uuid7(self.started_at),
            at=self.started_at,
            kind=IncidentKind.MISDIRECTED,
            message=message,
            connection=self.connection,
        )

    def close(self) -> Exchange:
        """The record of the exchange."""
        now = time.perf_counter()
        upstream = None if self._sent is None else ((self._received or now) - self._sent) * 1e3
        policy = self.rules.policy
        return Exchange(
            id=self.id,
            started_at=self.started_at,
            connection=self.connection,
            method=self.method,
            host=self.host,
            path=self.path,
            surface=self.surface,
            operation=self.operation,
            dialect=self.dialect,
            model=self.request.model or self.model,
            stream=self.request.stream,
            conversation=self.request.conversation,
            upstream=self.upstream,
            status=self.status,
            outcome=self.outcome,
            error=self.error,
            asker=self.asker,
            login=recorded(self.login, self.capture, self._capture_key),
            policy_id=policy.id,
            policy_hash=self.rules.digest,
            decision=self.decision,
            usage=self.usage,
            attachments=self.request.attachments,
            request_bytes=self.request_bytes,
            response_bytes=self.response_bytes,
            finish_reason=self.finish_reason,
            served=self.served,
            request_id=self.request_id,
            trace=self.trace,
            answer_model=self.model,
            timing=Timing(
                total_ms=(now - self._begun) * 1e3,
                overhead_ms=self._spent * 1e3,
                upstream_ms=upstream,
                first_byte_ms=self._since_begin(self._first_byte),
                last_byte_ms=self._since_begin(self._received) if self.chunks else None,
                chunks=self.chunks,
            ),
            capture=self.capture,
            standing=self.standing,
            tools=self.tools,
            prompt=self.prompt,
            answer=self.answer,
        )


def captured(mode: CaptureMode, slots: tuple[Slot, ...], original: tuple[Slot, ...], key: bytes) -> str:
    """What the audit trail keeps of a text: as sent after redaction, as it was, a keyed hash of it, or nothing."""
    match mode:
        case CaptureMode.METADATA:
            return ""
        case CaptureMode.HASH:
            text = _joined(original)
            return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        case CaptureMode.REDACTED:
            return _joined(slots)[:MAX_CAPTURED]
        case CaptureMode.FULL:
            return _joined(original)[:MAX_CAPTURED]


def newest_turn(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """What was said since the model last spoke: clients resend the whole history with every request.

    Definitions of tools speak as tool calls do, but stand in a place of their own: they are no turn.
    """
    talk = {_place(slot) for slot in slots if slot.role in (*_ASKING, Role.ASSISTANT)}
    answering = (Role.ASSISTANT, Role.TOOL_CALL)
    last = max(
        (i for i, slot in enumerate(slots) if slot.role in answering and _place(slot) in talk), default=-1
    )
    return tuple(slot for slot in outermost(slots[last + 1 :]) if slot.role in _ASKING)


def _place(slot: Slot) -> Path:
    """The part of the document that a slot stands in: the keys before the first list."""
    return tuple(takewhile(lambda step: isinstance(step, str), slot.address[0]))


def _joined(slots: tuple[Slot, ...]) -> str:
    return "\n".join(slot.text for slot in slots)
