"""The section `cache`: which answers are kept, for whom, for how long, and where. Off unless a policy says so."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from enum import StrEnum
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import orjson
from pydantic import AfterValidator, Field, model_validator

from agent.policy import fields
from agent.policy.section import MANY, Scope, Section
from agent.policy.source import Problem, Tree

LOCAL = "sqlite"
DEFAULT_THRESHOLD = 0.92
"""See docs/caching.md for what was measured at which threshold."""

_MODEL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@")


def _folder(text: str) -> str:
    if not (PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()):
        raise ValueError("must be the absolute path of a folder")
    return text


def _model(text: str) -> str:
    provider, slash, model = text.partition("/")
    if not (provider and slash and model) or set(text) - _MODEL:
        raise ValueError("must be provider/model, such as openai/text-embedding-3-small")
    return text


def _store(text: str) -> str:
    if text == LOCAL:
        return text
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is neither 'sqlite' nor a URL such as rediss://cache.example.com:6379/0") from None
    if parts.scheme not in ("redis", "rediss") or not host or parts.query or parts.fragment:
        raise ValueError("must be 'sqlite' or a URL such as rediss://cache.example.com:6379/0")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a password: give 'username' and a reference as 'password'")
    if parts.path.strip("/") and not parts.path.strip("/").isdecimal():
        raise ValueError("must end with the number of a database, such as /0, or with none")
    if parts.scheme == "redis" and not _is_loopback(host):
        raise ValueError("must start with rediss:// (redis:// is for this machine only)")
    return text


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class PartitionBy(StrEnum):
    """What tells askers apart: an answer is given only to who agrees in all of a policy's."""

    VIRTUAL_KEY = "virtual_key"
    APP = "app"
    USER = "user"
    TEAM = "team"
    CUSTOMER = "customer"
    POLICY = "policy"  # a changed policy begins with an empty cache; else kept answers are inspected anew


class Reach(StrEnum):
    """How far a rule lets the cache go."""

    OFF = "off"
    EXACT = "exact"
    SEMANTIC = "semantic"  # and exact


class EmbedderSource(Section):
    """Who turns prompts into vectors: a provider's model, which then reads them, or a model on this machine."""

    provider: Annotated[str, Field(max_length=200), AfterValidator(_model)] | None = Field(
        default=None, description="provider/model, such as openai/text-embedding-3-small."
    )
    local: Annotated[str, Field(max_length=1024), AfterValidator(_folder)] | None = Field(
        default=None,
        description="Absolute path of a folder with model.onnx, tokenizer.json and manifest.json.",
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.provider is None) == (self.local is None):
            raise ValueError("needs either 'provider' or 'local', one of them")
        return self

    @property
    def name(self) -> str:
        """What tells it from others: vectors of two models cannot be compared."""
        return f"provider:{self.provider}" if self.provider is not None else f"local:{self.local}"


class Semantic(Section):
    """Answers to questions that mean the same. Needs an embedder."""

    enabled: bool = False
    embedder: EmbedderSource | None = Field(default=None, description="Required where enabled.")
    threshold: float = Field(
        default=DEFAULT_THRESHOLD,
        ge=0.5,
        le=1,
        description="Cosine similarity from which two prompts may mean the same.",
    )
    dimensions: int | None = Field(
        default=None,
        ge=8,
        le=4096,
        description="Length of the vectors, where the model lets one choose; shorter is faster.",
    )
    max_prompt_chars: int = Field(
        default=1000,
        ge=10,
        le=8000,
        description="Longer prompts are only cached exactly: embedding models do not read to their end.",
    )
    max_history: int = Field(
        default=3,
        ge=0,
        le=50,
        description="Earlier turns, system prompts not counted; longer conversations are only cached exactly.",
    )
    ignore_system_prompt: bool = Field(
        default=False, description="Let requests share answers whose system prompts differ."
    )
    timeout_ms: int = Field(
        default=500,
        ge=10,
        le=10_000,
        description="How long a request waits for its vector, in milliseconds; then it is a miss.",
    )

    @model_validator(mode="after")
    def _has_an_embedder(self) -> Self:
        if self.enabled and self.embedder is None:
            raise ValueError("'embedder' is required where semantic is enabled: give provider or local")
        return self


class CacheRule(Scope):
    """What is cached of the exchanges it applies to. The first rule that fits decides; none: the section does."""

    id: fields.Slug
    use: Reach = Field(description="off, exact, or semantic (which is exact, too).")
    ttl_seconds: int | None = Field(
        default=None, ge=1, le=30 * 86400, description="Instead of the section's."
    )
    threshold: float | None = Field(default=None, ge=0.5, le=1, description="Instead of the section's.")


class CacheStore(Section):
    """Where answers are kept, always encrypted."""

    url: Annotated[str, Field(max_length=1024), AfterValidator(_store)] = Field(
        default=LOCAL, description="'sqlite' for a file of this machine, or redis(s)://host:port/database."
    )
    username: Annotated[str, Field(max_length=200)] | None = None
    password: fields.SecretReference | None = Field(
        default=None, description="Reference to the server's password."
    )
    secret: fields.SecretReference | None = Field(
        default=None,
        description="Reference to the secret that entries are encrypted with: at least 32 random characters, the same "
        "for all who share a store. A local store makes its own.",
    )

    @property
    def shared(self) -> bool:
        """Whether it is a server that others use, too."""
        return self.url != LOCAL

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.shared and self.secret is None:
            raise ValueError("'secret' is required for a store on a server: entries are encrypted with it")
        if not self.shared and (self.username is not None or self.password is not None):
            raise ValueError("'username' and 'password' are for a store on a server")
        return self


class Caching(Section):
    """Answers that are given again to who asks the same."""

    enabled: bool = False
    exact: bool = Field(default=True, description="Answer requests that are equal in all that matters.")
    semantic: Semantic = Semantic()
    ttl_seconds: int = Field(
        default=3600,
        ge=1,
        le=30 * 86400,
        description="How long an answer is given; clients may ask for less.",
    )
    wait_seconds: int = Field(
        default=20,
        ge=0,
        le=300,
        description="How long a request waits for the answer to the same one, where that is being asked already. "
        "0: each is asked.",
    )
    max_entries: int = Field(default=5000, ge=1, le=100_000)
    max_bytes: int = Field(
        default=256 * 1024 * 1024,
        ge=1024 * 1024,
        le=16 * 1024**3,
        description="Of the local store; a server's memory is bounded by its own maxmemory.",
    )
    max_entry_bytes: int = Field(
        default=1024 * 1024, ge=1024, le=16 * 1024 * 1024, description="Larger answers are not kept."
    )
    partition: Annotated[tuple[PartitionBy, ...], Field(max_length=len(PartitionBy))] | None = Field(
        default=None, description="What tells askers apart; default: virtual_key and user."
    )
    share_across_users: bool = Field(
        default=False, description="One user may get an answer that another one paid for, and learn from it."
    )
    max_temperature: float | None = Field(
        default=None,
        ge=0,
        le=2,
        description="Requests with a higher temperature (1 where they give none) are not cached; default: all are.",
    )
    safe_tools: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=128)], ...], Field(max_length=MANY)
    ] = Field(
        default=(),
        description="Tools without side effects: answers that call no others are cached. Also types of a provider's "
        "own tools, such as web_search.",
    )
    rules: Annotated[tuple[CacheRule, ...], Field(max_length=MANY)] = ()
    store: CacheStore = CacheStore()

    @property
    def parts(self) -> tuple[PartitionBy, ...]:
        """What tells askers apart, in one order."""
        if self.partition is not None:
            return tuple(sorted(set(self.partition)))
        if self.share_across_users:
            return (PartitionBy.VIRTUAL_KEY,)
        return (PartitionBy.USER, PartitionBy.VIRTUAL_KEY)

    @model_validator(mode="after")
    def _keeps_users_apart(self) -> Self:
        if self.partition is None:
            return self
        if PartitionBy.USER in self.partition and self.share_across_users:
            raise ValueError("'share_across_users' is true, but 'partition' tells users apart: choose one")
        if PartitionBy.USER not in self.partition and not self.share_across_users:
            raise ValueError(
                "'partition' does not tell users apart: add user, or say share_across_users: true"
            )
        return self

    @model_validator(mode="after")
    def _rules_ask_for_what_is_there(self) -> Self:
        for rule in self.rules:
            if rule.use is Reach.SEMANTIC and self.semantic.embedder is None:
                raise ValueError(f"rule '{rule.id}' uses the semantic cache, which has no 'embedder'")
        names = [rule.id for rule in self.rules]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two rules have the id '{name}': ids must be unique")
        return self

    def digest(self) -> bytes:
        """Of what decides which questions count as the same: stands in every key, so that a change begins anew."""
        meaning: dict[str, list[str] | bool | Literal[1]] = {
            "version": 1,
            "partition": [part.value for part in self.parts],
            "ignore_system_prompt": self.semantic.ignore_system_prompt,
        }
        return orjson.dumps(meaning, option=orjson.OPT_SORT_KEYS)


def surface_problems(tree: dict[str, Tree], surfaces: frozenset[str]) -> Iterator[Problem]:
    """Rules of a policy's raw `tree` that name a surface that is not among `surfaces`."""
    section = tree.get("cache")
    rules = section.get("rules") if isinstance(section, dict) else None
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        named = rule.get("surfaces") if isinstance(rule, dict) else None
        for place, name in enumerate(named if isinstance(named, list) else ()):
            if isinstance(name, str) and name not in surfaces:
                location = ("cache", "rules", index, "surfaces", place)
                yield Problem(location=location, text=f"'{name}' is no surface of the catalog")
