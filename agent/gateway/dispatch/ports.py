"""What a dispatch is given: the request in a form that can be made ready for any candidate, and the credentials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.gateway.transport.base import Headers
from agent.model.direct import direct
from agent.model.traffic import Target
from agent.routing.plan import Candidate, KeyRef, Plan
from agent.translation.base import Promise, StreamSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """How to come by an answer that is only promised at first. `read` tells how far it is, `hosts` are globs of hosts
    where it may go on, `stream` says whether its stream is wanted, and `source` makes a reader for that."""

    read: Callable[[bytes], Promise]
    source: Callable[[], StreamSource]
    hosts: tuple[str, ...]
    stream: bool


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request as a candidate wants it, but for its credentials.

    `path` is without `target.base_path`, `query` without `?`. `headers` need no `host`. `source` reads the stream that
    is to come, afresh for each preparation; None where the answer comes whole, or is none of a model. `silence` is how
    many seconds the provider may say nothing, before the answer and within it; None leaves that to the transport.
    `follow` is set where the first answer may be only the promise of one.
    """

    target: Target
    path: bytes
    body: bytes
    method: bytes = b"POST"
    query: bytes = b""
    headers: Headers = ()
    dialect: str = ""
    source: StreamSource | None = None
    silence: float | None = None
    follow: Follow | None = None

    @property
    def wire_target(self) -> bytes:
        """Path and query as sent."""
        path = self.target.base_path.encode("latin-1") + self.path
        return path + b"?" + self.query if self.query else path

    @property
    def authority(self) -> bytes:
        """The value of `host`."""
        target = self.target
        usual = target.port == (443 if target.tls else 80)
        return (target.host if usual else f"{target.host}:{target.port}").encode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAdmitted:
    """A candidate may not serve: its budget is spent, or its limit reached. `status` is 402 or 429."""

    status: int
    message: str
    retry_after: float | None = None


class Order(Protocol):
    """One request to be dispatched."""

    @property
    def plan(self) -> Plan:
        """Whom to ask, in order."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether it does no harm to send it twice: true of questions to models, false of jobs, batches and files."""
        ...

    @property
    def tokens(self) -> int:
        """Of input, estimated; 0 where not known. Long prompts may take longer."""
        ...

    def prepare(self, candidate: Candidate) -> Prepared:
        """The request for that candidate, anew for each try. Raises ContentError (Untranslatable) where the candidate
        cannot be asked this; it is then passed over."""
        ...

    async def admit(self, candidate: Candidate) -> NotAdmitted | None:
        """Reserve the call with the accounts, in place of the try before it; None where they let that candidate serve.
        Asked before each try."""
        ...


class Credentials(Protocol):
    """Signs requests."""

    async def headers(self, candidate: Candidate, key: KeyRef, prepared: Prepared) -> Headers:
        """The fields that let the request in, in place of fields of the same names. Raises ConfigError where the key
        cannot be read, without naming it."""
        ...

    def refused(self, key: KeyRef) -> None:
        """The provider refused the key: it may have been replaced, and is to be read anew."""
        ...
