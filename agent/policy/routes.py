"""The policy's `routing`: where requests go that name a model and no place, and what follows when that fails."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from agent.policy import fields
from agent.policy.conditions import MAX_LENGTH, Condition, check_routing_condition
from agent.policy.section import Globs, Scope, Section
from agent.policy.source import Problem, Source, Tree

_FEW = 20
_MANY_RULES = 200
_ID = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
_NOT_IN_NAMES = frozenset(" \t\r\n,")
_CREDENTIALS = frozenset({"authorization", "cookie", "x-api-key", "x-goog-api-key", "api-key"})
_SESSION_HEADERS = (
    "x-drawbridge-session",
    "x-session-id",
    "session_id",  # Codex
    "x-claude-code-session-id",
    "x-session-affinity",  # OpenCode
)


class Balance(StrEnum):
    """How requests are shared among providers and keys that could all serve them."""

    ADAPTIVE = "adaptive"  # by weight and by how each fares
    WEIGHTED = "weighted"  # by weight alone


class Untranslatable(StrEnum):
    """What happens to a request that uses what a provider's format cannot express."""

    REFUSE = "refuse"  # with the names of the fields
    DROP = "drop"  # they are left out, and named in the header x-drawbridge-dropped


def _named_model(text: str) -> str:
    provider, slash, model = text.partition("/")
    if not slash or not model or not provider or set(provider) - _ID or set(model) & _NOT_IN_NAMES:
        raise ValueError("must be provider/model, such as anthropic/claude-sonnet-4-5")
    return text


def _no_credential(name: str) -> str:
    if name in _CREDENTIALS:
        raise ValueError("must not be a header that carries a credential")
    return name


NamedModel = Annotated[str, Field(min_length=3, max_length=256), AfterValidator(_named_model)]
"""A provider's id and its name for a model, `provider/model`."""

RoutingCondition = Annotated[
    str, Field(min_length=1, max_length=MAX_LENGTH), AfterValidator(check_routing_condition)
]
SessionHeader = Annotated[fields.HeaderName, AfterValidator(_no_credential)]


class Retries(Section):
    """How often a request that failed is sent again."""

    each: int = Field(default=2, ge=0, le=10, description="Further tries with one provider.")
    total: int = Field(default=9, ge=0, le=50, description="Further tries with all providers together.")
    backoff_initial_ms: int = Field(
        default=500, ge=0, le=60_000, description="Before the first further try; doubles with each."
    )
    backoff_max_ms: int = Field(
        default=5000,
        ge=0,
        le=600_000,
        description="The longest pause. A provider that asks for a longer one is left for the next, if there is one.",
    )

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.backoff_max_ms < self.backoff_initial_ms:
            raise ValueError("'backoff_max_ms' must not be less than 'backoff_initial_ms'")
        return self


class Sticky(Section):
    """Keeps a session with one provider and key while they are well, so that their prompt caches are hit."""

    enabled: bool = True
    headers: Annotated[tuple[SessionHeader, ...], Field(max_length=_FEW)] = Field(
        default=_SESSION_HEADERS,
        description="Headers that may name the session; the first that is there counts.",
    )


class WeightedModel(Section):
    """One of several places a request may go to."""

    model: NamedModel = Field(description="provider/model.")
    weight: float = Field(
        default=1.0, ge=0, le=1000, description="Its share; 0: only when the others cannot serve."
    )


class RoutingRule(Scope):
    """Sends requests somewhere else than the client asked for, or nowhere. The first rule that fits decides."""

    id: fields.Slug
    virtual_keys: Globs = Field(default=(), description="Ids of virtual keys.")
    teams: Globs = Field(default=(), description="Teams of virtual keys.")
    when: RoutingCondition | None = Field(
        default=None,
        description="A condition in CEL, such as 'tokens > 100000 && tier == \"complex\"'; see docs/routing.md.",
    )
    candidates: Annotated[tuple[WeightedModel, ...], Field(max_length=_FEW)] = Field(
        default=(), description="Instead of what the client asked for; shared by weight."
    )
    fallbacks: Annotated[tuple[NamedModel, ...], Field(max_length=_FEW)] = Field(
        default=(), description="Tried in this order when the candidates fail; instead of the client's own."
    )
    require_private: bool = Field(
        default=False,
        description="Only providers that the policy calls private may serve, fallbacks included.",
    )
    refuse: fields.Text = Field(default="", description="Serve nothing, and tell the client this.")

    @cached_property
    def condition(self) -> Condition | None:
        """`when`, ready to be evaluated."""
        return None if self.when is None else Condition(self.when)

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.refuse and (self.candidates or self.fallbacks or self.require_private):
            raise ValueError("a rule that has 'refuse' serves nothing: leave out where to")
        if self.candidates and not any(each.weight for each in self.candidates):
            raise ValueError("one of the 'candidates' must have a weight above 0")
        return self


class Routing(Section):
    """Where requests of base-URL clients go, and what follows when that fails."""

    retries: Retries = Retries()
    budget_seconds: float = Field(
        default=300.0, ge=1, le=3600, description="After this nothing is tried anew; a try under way goes on."
    )
    first_token_seconds: float = Field(
        default=120.0,
        ge=1,
        le=3600,
        description="A stream that has given no content by then is left for the next provider, if there is one.",
    )
    stall_seconds: float = Field(
        default=180.0, ge=1, le=3600, description="A stream that has begun and is silent so long has failed."
    )
    hedge_after_ms: int | None = Field(
        default=None,
        ge=50,
        le=600_000,
        description="When there is no content by then, ask the next provider as well and take whoever is first. "
        "Both may charge.",
    )
    sticky: Sticky = Sticky()
    balance: Balance = Field(
        default=Balance.ADAPTIVE,
        description="adaptive: by weight and by how each fares; weighted: by weight.",
    )
    untranslatable: Untranslatable = Field(
        default=Untranslatable.REFUSE,
        description="Fields of a request that the provider's format cannot express: refuse, or drop and say so.",
    )
    rules: Annotated[tuple[RoutingRule, ...], Field(max_length=_MANY_RULES)] = ()


def check_ids(source: Source, tree: dict[str, Tree]) -> Iterator[Problem]:
    """Routing rules with the same id."""
    section = tree.get("routing")
    rules = section.get("rules") if isinstance(section, dict) else None
    first: dict[str, int] = {}
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        name = rule.get("id") if isinstance(rule, dict) else None
        if not isinstance(name, str):
            continue
        location = ("routing", "rules", index, "id")
        if name in first:
            text = f"'{name}' is already the id of the rule on line {first[name]}: ids must be unique"
            yield Problem(location=location, text=text)
        first.setdefault(name, source.line(location))
