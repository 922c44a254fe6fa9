"""What the cache is asked and what it answers. Values."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.caching.canonical import key_of
from agent.caching.control import OWN, PLAIN, Control
from agent.caching.entry import Entry, Form
from agent.caching.prompts import Prompt
from agent.caching.terms import Terms
from agent.caching.vectors import Vector
from agent.model.conversation import Conversation, Reply
from agent.model.decision import Decision
from agent.model.record import CacheUse
from agent.policy.caching import Caching, PartitionBy
from agent.policy.scope import Subject

VARIANTS = frozenset({"anthropic-version", "anthropic-beta", "openai-beta"})
"""Headers of requests that change what is answered: part of the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, as the gateway knows it: never as the client says."""

    virtual_key: str = ""  # id, not the value
    app: str = ""
    user: str = ""
    team: str = ""
    customer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request that was inspected and may go out. `body` is what would be sent, in the client's dialect; `model` is
    the one that is meant, aliases resolved; `rulebook` the digest of the rules that inspected it."""

    dialect: str
    model: str
    body: bytes = field(repr=False)
    subject: Subject
    asker: Asker = Asker()
    conversation: Conversation | None = field(default=None, repr=False)  # None: only exact
    control: Control = PLAIN
    decision: Decision = field(default_factory=Decision)
    rulebook: str = ""
    variant: tuple[tuple[str, str], ...] = ()  # headers among `VARIANTS`
    operation: str = "chat"

    def partition(self, settings: Caching) -> bytes:
        """Whose answers may be given, in bytes that no other asker has."""
        parts: list[bytes] = []
        for part in settings.parts:
            value = self.rulebook if part is PartitionBy.POLICY else getattr(self.asker, part.value)
            # names of accounts need not be text: the system's bytes come as surrogates
            parts.append(f"{part.value}={len(value)}:{value}".encode(errors="surrogatepass"))
        return b"\0".join(parts)

    def key(self, secret: bytes, settings: Caching, canonical: bytes) -> bytes:
        """The name of this very question."""
        return key_of(secret, b"exact", *self._common(settings), self.dialect.encode(), canonical)

    def bucket(self, secret: bytes, settings: Caching, embedder: str, rest: bytes) -> bytes:
        """The name of all questions that differ in nothing but their last words, in whatever dialect."""
        return key_of(secret, b"bucket", *self._common(settings), embedder.encode(), rest)

    def _common(self, settings: Caching) -> tuple[bytes, ...]:
        variant = "\n".join(f"{name}: {value}" for name, value in sorted(self.variant))
        return (
            settings.digest(),
            self.partition(settings),
            self.model.encode(),
            self.operation.encode(),
            variant.encode(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered to a miss. `body` is what the client got, whole, in its dialect; `complete` is False where the
    answer broke off; `decision` is about the answer."""

    form: Form
    body: bytes = field(repr=False)
    content_type: str
    reply: Reply | None = field(repr=False)
    status: int = 200
    complete: bool = True
    decision: Decision = field(default_factory=Decision)
    provider: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An answer that was given before. Where `reinspect` is set, other rules than today's inspected it: inspect it
    before it goes out, and `forget` it where it may not.

    Served as it is, `entry.body`, where the client wants `entry.form`; else from `entry.reply`."""

    use: CacheUse
    entry: Entry
    key: bytes
    age_seconds: int
    similarity: float = 1.0
    reinspect: bool = False

    def body_for(self, form: Form) -> bytes | None:
        """The answer as it was, where that is the form that is wanted."""
        return self.entry.body if self.entry.form == form else None

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What the client is told."""
        told = f"hit-{self.use.value}; age={self.age_seconds}"
        if self.use is CacheUse.SEMANTIC:
            told += f"; similarity={self.similarity:.4f}"
        told += f"; id={self.key[:8].hex()}"
        return ((OWN.encode(), told.encode()), (b"age", str(self.age_seconds).encode()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """No answer yet; give this back with the answer to have it kept. `refused`: the client wants no new one (504)."""

    settings: Caching = field(repr=False)
    terms: Terms
    key: bytes
    ttl_seconds: int
    rulebook: str = ""
    owner: str = ""
    bucket: bytes = b""
    prompt: Prompt | None = field(default=None, repr=False)
    vector: Vector | None = field(default=None, repr=False)
    keep: bool = True
    refused: bool = False
    reason: str = ""  # why nothing was looked for, in a word

    use = CacheUse.MISS

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What the client is told."""
        return ((OWN.encode(), b"miss"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bypass:
    """The cache has nothing to do with the request. `refused` as in `Miss`."""

    reason: str
    refused: bool = False

    use = CacheUse.NONE
    headers: tuple[tuple[bytes, bytes], ...] = ()


type Found = Hit | Miss | Bypass
