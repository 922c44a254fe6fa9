"""What the audit trail is told: one record per exchange, and incidents that belong to no exchange."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from agent.model.app import UNKNOWN_ASKER, Asker
from agent.model.content import NO_USAGE, Attachment, Usage
from agent.model.decision import Decision
from agent.model.direct import direct
from agent.model.login import NO_LOGIN, Login
from agent.model.tool import NO_TOOLS, ToolUse
from agent.model.traffic import Connection


class Outcome(StrEnum):
    """How an exchange ended."""

    COMPLETED = "completed"
    BLOCKED = "blocked"  # by policy, before or while answering
    REFUSED = "refused"  # by us, for a reason that is not policy: malformed, too large, misdirected
    CLIENT_CLOSED = "client_closed"
    UPSTREAM_FAILED = "upstream_failed"
    FAILED = "failed"  # an error of our own


class CaptureMode(StrEnum):
    """How much of the content the audit trail keeps."""

    METADATA = "metadata"
    HASH = "hash"
    REDACTED = "redacted"
    FULL = "full"


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Where the time went, in milliseconds. `overhead_ms` is ours (parse, scan, rewrite), without waiting."""

    total_ms: float
    overhead_ms: float
    upstream_ms: float | None = None  # from the upstream request's first byte to its answer's last
    first_byte_ms: float | None = None  # from the request's arrival to the answer's first byte
    last_byte_ms: float | None = None  # the same to its last, of a stream
    chunks: int = 0  # pieces of a streamed answer


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to have a request answered: where it went and how it ended. Never holds a provider's own words."""

    provider: str
    model: str
    key: str = ""  # the name of the key in the policy
    status: int = 0  # HTTP status, 0 where there was none
    failure: str = ""  # empty: it was answered; else a class of failure: rate_limited, timeout, connect, …
    ms: float = 0.0  # until it failed or the answer was committed to
    at_ms: float | None = None  # from the request's arrival to its start; None: right after the one before


class CacheUse(StrEnum):
    """What the cache of answers did for an exchange."""

    NONE = ""  # it was not asked
    MISS = "miss"
    EXACT = "exact"
    SEMANTIC = "semantic"


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the gateway did to have an exchange answered, where it chose the way itself."""

    provider: str = ""  # id of the provider that answered
    model: str = ""  # as that provider was asked for it
    key: str = ""
    attempts: tuple[Attempt, ...] = ()
    cache: CacheUse = CacheUse.NONE
    dropped: tuple[str, ...] = ()  # fields that translation left out, as policy allows
    virtual_key: str = ""  # id, never the value
    customer: str = ""
    team: str = ""
    cost_nano_usd: int | None = None  # 10^-9 US dollars; None where there is no price
    estimated: bool = False  # tokens or cost were counted here, since the provider did not say
    rule: str = ""  # the routing rule that chose


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the policy says of the program that asked."""

    state: str = ""  # approved, pending or denied; empty where it was not asked
    rule: str = ""  # of the policy's `apps`, that decided
    refused: bool = False  # the exchange ended there


APPROVED = Standing(state="approved")
"""By a policy that has nothing against any program."""


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, without content beyond what the policy's capture mode allows."""

    id: str  # UUIDv7
    started_at: float  # Unix seconds
    connection: Connection
    method: str
    host: str
    path: str  # without query
    surface: str  # catalog row id, or "unknown"
    operation: str = ""  # GenAI operation name: chat, embeddings, … ; empty for pass-through
    dialect: str = ""
    model: str = ""
    stream: bool = False
    conversation: str = ""  # the service's own id, where question or answer names it
    upstream: str = ""  # native, central, provider, or empty where nothing was forwarded
    status: int | None = None
    outcome: Outcome
    error: str = ""
    asker: Asker = UNKNOWN_ASKER
    login: Login = NO_LOGIN  # its subject as `capture` allows
    policy_id: str = ""
    policy_hash: str = ""
    decision: Decision = field(default_factory=Decision)
    usage: Usage = NO_USAGE
    attachments: tuple[Attachment, ...] = ()
    request_bytes: int = 0
    response_bytes: int = 0
    finish_reason: str = ""
    served: Served = field(default_factory=Served)
    request_id: str = ""  # `x-request-id`, the client's or ours
    trace: str = ""  # W3C `traceparent` of the client, empty where it sent none
    answer_model: str = ""  # the model as the answer names it, empty where it names none
    timing: Timing
    capture: CaptureMode = CaptureMode.METADATA
    prompt: str = ""  # as `capture` allows: empty, a keyed hash, redacted text, or the text
    answer: str = ""
    standing: Standing = field(default_factory=Standing)
    tools: ToolUse = NO_TOOLS  # as the policy's `tool_calls` says


class IncidentKind(StrEnum):
    """Things the audit trail records that are no exchange."""

    AGENT_STARTED = "agent_started"
    AGENT_STOPPED = "agent_stopped"
    POLICY_ACTIVATED = "policy_activated"
    POLICY_REFUSED = "policy_refused"
    CA_REISSUED = "ca_reissued"
    CA_WARNING = "ca_warning"  # the authority expires, or cannot sign for hosts of the catalog
    CLIENT_DISTRUST = "client_distrust"  # a client refused our certificate
    BYPASS = "bypass"  # a catalogued host was tunnelled unseen, as policy allows
    PAUSED = "paused"  # interception was paused
    RESUMED = "resumed"  # a pause is over
    CONTROL = "control"  # somebody gave the agent an order, or tried to
    ACCOUNTS_LOST = "accounts_lost"  # what was used could not be read any more: counted from zero
    SIGNED_IN = "signed_in"  # a person signed in with the company's identity provider
    SIGNED_OUT = "signed_out"  # and is no longer
    MISDIRECTED = "misdirected"  # CONNECT host, SNI and Host disagree
    UPGRADE_REFUSED = "upgrade_refused"  # a WebSocket on an inference path
    APP_FIRST_SEEN = "app_first_seen"  # a program, surface and user that were not seen together before
    APP_DENIED = "app_denied"  # a program was refused; said now and then, for people to be told
    UNKNOWN_SURFACE = "unknown_surface"  # a model is asked at a path that the catalog does not list
    UNKNOWN_HOST = "unknown_host"  # an AI app talks to a host that is not in the catalog
    INVENTORY_FIRST_SEEN = "inventory_first_seen"  # AI software that was not on this machine before
    INVENTORY_GONE = "inventory_gone"  # AI software that was there is no longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An event without an exchange. `detail` holds short facts, never content."""

    id: str  # UUIDv7
    at: float  # Unix seconds
    kind: IncidentKind
    message: str
    connection: Connection | None = None
    detail: tuple[tuple[str, str], ...] = ()


type AuditEvent = Exchange | Incident

type NoteIncident = Callable[[IncidentKind, str, tuple[tuple[str, str], ...]], Awaitable[None]]
"""Records an event of the agent itself: its kind, what is said of it, and short facts."""
