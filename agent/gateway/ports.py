"""What the gateway needs from outside, as Protocols: the audit trail, the policy in force, open ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from agent.dialects.base import Dialect
from agent.gateway.routing import Route
from agent.gateway.transport.base import UpstreamResponse
from agent.gateway.unified.routebook import RouteBook
from agent.inspection import RuleBook
from agent.inspection.outside import Report, Segment
from agent.model.record import AuditEvent
from agent.model.traffic import Connection
from agent.policy.checks import Check


class AuditSink(Protocol):
    """Takes events; `append` returns when the event is durable."""

    async def append(self, event: AuditEvent) -> None:
        """Raises AuditError where the event cannot be kept."""
        ...


class PolicyInForce(Protocol):
    """The rule book that new exchanges start with; replaced as a whole, never changed."""

    @property
    def rules(self) -> RuleBook:
        """The current one."""
        ...

    @property
    def book(self) -> RouteBook:
        """What the same policy says about providers."""
        ...


class JustificationSource(Protocol):
    """The reasons that people gave for findings they were asked about."""

    @property
    def key(self) -> bytes:
        """What the fingerprints of findings are made with."""
        ...

    def reasons(self, *, now: float, minutes: int, terminal: bool) -> Mapping[tuple[str, str], str]:
        """Those given in the last `minutes`, by guardrail and fingerprint; with `terminal` only those given at one.
        Blocks. Raises HostError."""
        ...


class SecretSource(Protocol):
    """Resolves secret references (`env:`, `file:`, `keyring:`, `exec:`)."""

    def __call__(self, reference: str) -> str:
        """The secret. May block briefly. Raises ConfigError without naming it."""
        ...


class Identities(Protocol):
    """Knows which programs are behind connections."""

    async def identified(self, connection: Connection, server: tuple[str, int]) -> Connection:
        """The connection to our end `server` with its program and app, as far as they are known in time."""
        ...

    def latest(self, connection: Connection) -> Connection:
        """The connection with all that is known of it by now. Never waits."""
        ...


class CheckRunner(Protocol):
    """Asks the checks that a policy names beside the local rules."""

    async def run(self, wanted: tuple[tuple[Check, tuple[Segment, ...]], ...]) -> tuple[Report, ...]:
        """A report for each check on its segments, each under its own deadline. Never raises."""
        ...


class Lane(Protocol):
    """A way to the upstream that is open already and speaks a form of its own: one turn of a WebSocket. An exchange on
    it is judged, paid for and recorded as every other; how its request goes out and its answer comes in are the
    lane's."""

    @property
    def dialect(self) -> Dialect:
        """How its messages are read, and how no is said in them."""
        ...

    @property
    def operation(self) -> str:
        """What is done on it, where that is not the endpoint's own operation; else empty."""
        ...

    @property
    def conversation(self) -> str:
        """Names the conversation of all that is said on the same connection."""
        ...

    def admit(self, route: Route) -> Route:
        """The one of `route` and the way that policy gives instead which is open. Raises Refused where neither is."""
        ...

    async def send(self, body: bytes | None) -> UpstreamResponse:
        """Send the judged request, as it came where `body` is None. Raises UpstreamError."""
        ...
