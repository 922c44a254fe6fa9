"""What a request is to be tried with: providers, models and keys in order, and the limits of trying. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from agent.errors import ContentError, DrawbridgeError
from agent.model.direct import direct
from agent.model.provider import Provider
from agent.policy.glob import matches
from agent.policy.routes import Routing

MAX_FALLBACKS = 20


class NoRoute(DrawbridgeError):
    """Nobody may serve this request. `status` is what the client is told: 403 where policy says so, else 400."""

    def __init__(self, message: str, *, status: int = 400, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRef:
    """One key of a provider: its name in the policy and where the secret is kept, never the secret."""

    name: str
    reference: str = ""
    weight: float = 1.0  # its share; 0: only when the others cannot serve
    models: tuple[str, ...] = ("*",)  # globs; none: it serves no model
    concurrency: int | None = None  # requests at the same time; None sets no limit


KEYLESS = KeyRef(name="")
"""Stands for the key of a provider that needs none: a local server, or credentials that the machine itself has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A provider that could serve a request, with its own name for the model and the keys that may be used.

    A provider without keys has `(KEYLESS,)`; one whose keys are all forbidden has none, and never serves. `settings`
    is whatever the caller needs to prepare a request for it; nothing here looks at it.
    """

    provider: Provider
    model: str
    keys: tuple[KeyRef, ...] = (KEYLESS,)
    weight: float = 1.0
    private: bool = False  # what is sent there stays in the house
    settings: object = None

    @property
    def name(self) -> str:
        """`provider/model`."""
        return f"{self.provider.id}/{self.model}"

    def serving_keys(self) -> tuple[KeyRef, ...]:
        """The keys that may be used for the model."""
        keys = self.keys
        if all(key.models == ("*",) for key in keys):
            return keys
        return tuple(key for key in keys if any(matches(each, self.model) for each in key.models))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When trying ends. Times are seconds."""

    tries_each: int = 3  # with one candidate
    tries_total: int = 10
    budget: float = 300.0  # after it nothing is tried anew
    backoff_initial: float = 0.5
    backoff_max: float = 5.0
    first_token: float = 120.0
    stall: float = 180.0
    hedge_after: float | None = None

    @classmethod
    def of(cls, routing: Routing) -> Self:
        """As a policy says."""
        retries = routing.retries
        return cls(
            tries_each=1 + retries.each,
            tries_total=1 + retries.total,
            budget=routing.budget_seconds,
            backoff_initial=retries.backoff_initial_ms / 1000,
            backoff_max=retries.backoff_max_ms / 1000,
            first_token=routing.first_token_seconds,
            stall=routing.stall_seconds,
            hedge_after=None if routing.hedge_after_ms is None else routing.hedge_after_ms / 1000,
        )


DEFAULT_LIMITS = Limits()


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Candidates in the order in which they are tried, each with its keys in the order in which they are.

    `explicit` is the index of the first candidate that somebody named as a fallback; those before it are equals that
    were to share the load. A request that a model cannot serve (unknown there, too long for it) goes on only to named
    fallbacks.
    """

    candidates: tuple[Candidate, ...]
    explicit: int
    session: str = ""
    rule: str = ""  # the routing rule that chose
    limits: Limits = field(default=DEFAULT_LIMITS)

    def __post_init__(self) -> None:
        if not self.candidates or not all(each.keys for each in self.candidates):
            raise ValueError("a plan needs candidates, and each of them a key")


def split_name(name: str) -> tuple[str, str]:
    """Provider and model of `provider/model`; the model may hold slashes itself. Raises ContentError."""
    provider, slash, model = name.strip().partition("/")
    if not slash or not provider or not model:
        raise ContentError(
            f"'{name[:80]}' in fallbacks is no provider/model",
            hint="write the provider's id and its model, such as anthropic/claude-sonnet-4-5",
        )
    return provider, model


def named_fallbacks(field_value: object, header: str = "") -> tuple[str, ...]:
    """The fallbacks that a request names, in order: those of its body's `fallbacks` field, else those of the header
    `x-drawbridge-fallbacks` (separated by commas). Raises ContentError."""
    names: Sequence[object]
    if field_value is None:
        names = [each for each in header.split(",") if each.strip()]
    elif isinstance(field_value, list):
        names = field_value
    else:
        raise ContentError("'fallbacks' must be a list of provider/model")
    if len(names) > MAX_FALLBACKS:
        raise ContentError(f"'fallbacks' names {len(names)} models: at most {MAX_FALLBACKS} are tried")
    found = []
    for name in names:
        if not isinstance(name, str):
            raise ContentError("'fallbacks' must be a list of provider/model")
        found.append("/".join(split_name(name)))
    return tuple(dict.fromkeys(found))
