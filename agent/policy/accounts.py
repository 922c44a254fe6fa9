"""The policy's `accounts`: virtual keys, who owns them, what owners may spend. Says what is allowed, counts nothing.

The policy holds hashes of keys, never a key. Every owner (customer, team, user, virtual key, and a provider of a key)
takes `budgets` and `limits`; what they mean together is in docs/accounts.md.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import re2
from pydantic import AfterValidator, Field, model_validator

from agent.policy import fields
from agent.policy.history import History
from agent.policy.section import MANY, Globs, Section

_HEX = frozenset("0123456789abcdef")
_DIGEST_LENGTH = 64
_MAX_TOKENS = 10**15
_MAX_USD = (
    9_000_000  # in nano-dollars the largest whole number that Lua, in a shared store, still counts exactly
)
_REGEX = "re2:"
_MAX_PATTERN_MEMORY = 1 << 20  # bytes of one compiled pattern


def _hash(text: str) -> str:
    kind, _, digest = text.partition(":")
    if kind != "sha256" or len(digest) != _DIGEST_LENGTH or set(digest) - _HEX:
        # not repeated: somebody may have pasted the key itself
        raise ValueError(
            "must be sha256: and 64 hexadecimal digits in lower case, as `drawbridge keys create` prints it: "
            "a key itself must not stand in a policy (if this is a real key, replace it now)"
        )
    return text


def _time_zone(name: str) -> str:
    if name == "UTC":
        return name
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            "must be UTC or the name of a time zone that this machine knows, such as Europe/Berlin"
        ) from None
    return name


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a moment as RFC 3339 writes it, such as 2027-01-31T00:00:00Z") from None
    if moment.tzinfo is None or "T" not in text.upper():
        raise ValueError("must say its day, time and offset, such as 2027-01-31T00:00:00Z")
    return text


def _model(text: str) -> str:
    if not text.startswith(_REGEX):
        return text.lower()
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_PATTERN_MEMORY
    try:
        re2.compile(text.removeprefix(_REGEX), options)
    except re2.error:
        raise ValueError("is not a regular expression RE2 accepts") from None
    return text


def _fallback(text: str) -> str:
    provider, slash, model = text.partition("/")
    if not provider or (slash and not model):
        raise ValueError("must be a provider's id, or provider/model")
    return text


def _store_url(text: str) -> str:
    if text == "sqlite":
        return text
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("redis", "rediss") or not host:
        raise ValueError("must be sqlite, or redis://host:port/0 or rediss://host:port/0")
    if parts.password is not None:
        raise ValueError(
            "must not hold a password: give it by reference in 'password' "
            "(if this is a real password, replace it now)"
        )
    if parts.query or parts.fragment or parts.path.strip("/").strip("0123456789"):
        raise ValueError("must end with the host, or with the number of a database: redis://host:port/0")
    return text


Hash = Annotated[str, Field(max_length=128), AfterValidator(_hash)]
"""SHA-256 of a virtual key."""

TimeZone = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_time_zone)]
Moment = Annotated[str, Field(max_length=40), AfterValidator(_moment)]
ModelPattern = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_model)]
"""A model's name, a glob, or `re2:` and a regular expression that must fit the whole name; case does not matter."""

Fallback = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_fallback)]
StoreUrl = Annotated[str, Field(max_length=512), AfterValidator(_store_url)]
Models = Annotated[tuple[ModelPattern, ...], Field(max_length=MANY)]
Count = Annotated[int, Field(ge=0, le=_MAX_TOKENS)]


class Per(StrEnum):
    """The length of a window."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class WindowKind(StrEnum):
    """How a window moves."""

    ROLLING = "rolling"  # the last so many seconds
    CALENDAR = "calendar"  # since the day, week, month … began


class Unpriced(StrEnum):
    """What happens to a request whose price nobody knows."""

    ALLOW = "allow"  # it costs no money; its tokens and the request itself still count
    REFUSE = "refuse"


class Budget(Section):
    """What may be spent in a window: money or tokens."""

    name: fields.Slug | None = Field(
        default=None, description="Shown where it stops something; by default such as usd-month."
    )
    usd: float | None = Field(
        default=None, ge=0, le=_MAX_USD, allow_inf_nan=False, description="US dollars in a window."
    )
    tokens: Count | None = Field(
        default=None, description="Tokens in a window, of prompts and answers together."
    )
    per: Per
    window: WindowKind = Field(
        default=WindowKind.ROLLING,
        description="rolling: the last minute, hour, … (a month is 30 days, a quarter 91, a year 365); calendar: "
        "since it began.",
    )
    time_zone: TimeZone | None = Field(
        default=None, description="Where a calendar window begins at midnight; UTC by default."
    )

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.usd is None) == (self.tokens is None):
            raise ValueError("needs either 'usd' or 'tokens', one of them (make two budgets for both)")
        if self.time_zone is not None and self.window is WindowKind.ROLLING:
            raise ValueError("'time_zone' is for calendar windows: a rolling one is the same everywhere")
        return self

    @property
    def label(self) -> str:
        """Its name, given or made."""
        return self.name or f"{'usd' if self.usd is not None else 'tokens'}-{self.per.value}"


class Limits(Section):
    """How fast and how much at once. Windows are rolling. Zero stops everything."""

    requests_per_minute: Count | None = None
    requests_per_hour: Count | None = None
    requests_per_day: Count | None = None
    tokens_per_minute: Count | None = Field(
        default=None, description="Of prompts and answers; before a call with its largest possible answer."
    )
    tokens_per_hour: Count | None = None
    tokens_per_day: Count | None = None
    concurrency: Count | None = Field(default=None, description="Requests under way at the same time.")
    max_tokens_per_request: Count | None = Field(
        default=None, description="Prompt and largest possible answer of one request."
    )


class _Owner(Section):
    budgets: Annotated[tuple[Budget, ...], Field(max_length=20)] = Field(
        default=(), description="All of them must have room."
    )
    limits: Limits = Limits()


class Customer(_Owner):
    """The highest owner: a company, a department, a cost centre."""

    id: fields.Slug
    description: fields.Text = ""


class Team(_Owner):
    """Owns virtual keys, and may belong to a customer."""

    id: fields.Slug
    customer: fields.Slug | None = Field(default=None, description="Its budgets and limits hold, too.")
    description: fields.Text = ""


class User(_Owner):
    """People by their accounts. Each account has counters of its own. The first row that fits counts."""

    id: fields.Slug
    accounts: Globs = Field(default=(), description="Names of accounts; by default the id alone.")
    description: fields.Text = ""


class KeyProvider(_Owner):
    """A provider that a virtual key may use."""

    provider: fields.Slug
    models: Models | None = Field(
        default=None, description="Names, globs, or re2: and an expression; none given: all, []: none."
    )
    deny_models: Models = Field(default=(), description="Wins over 'models'.")
    weight: float = Field(
        default=1.0, ge=0, le=1000, allow_inf_nan=False, description="Its share where several could serve."
    )
    keys: Annotated[tuple[fields.Slug, ...], Field(max_length=MANY)] | None = Field(
        default=None, description="Names of the provider's keys that may be used; none given: all."
    )
    fallbacks: Annotated[tuple[Fallback, ...], Field(max_length=20)] = Field(
        default=(), description="Where a failed call is tried next: provider, or provider/model."
    )


class VirtualKey(_Owner):
    """A key that clients present instead of a provider's."""

    id: fields.Slug
    hash: Hash | None = Field(
        default=None,
        description="sha256: of the key, as `drawbridge keys create` prints it; none for one that only bindings use.",
    )
    description: fields.Text = ""
    active: bool = True
    expires: Moment | None = Field(default=None, description="RFC 3339; from then on it is refused.")
    team: fields.Slug | None = None
    customer: fields.Slug | None = Field(default=None, description="Only without a team.")
    providers: Annotated[tuple[KeyProvider, ...], Field(max_length=100)] | None = Field(
        default=None, description="What it may use; none given: everything, []: nothing."
    )
    mcp_tools: Globs | None = Field(
        default=None, description="Tools it may call, as server/tool; none given: all, []: none."
    )

    @model_validator(mode="after")
    def _has_one_owner(self) -> Self:
        if self.team is not None and self.customer is not None:
            raise ValueError("either 'team' or 'customer', not both: a team may have a customer itself")
        return self

    @property
    def expires_at(self) -> float | None:
        """Unix seconds."""
        return None if self.expires is None else datetime.fromisoformat(self.expires).timestamp()


class Binding(Section):
    """Gives traffic a virtual key that brings none. Several lists must all fit; an empty one fits everything."""

    key: fields.Slug = Field(description="Id of a virtual key.")
    users: Globs = Field(default=(), description="Accounts that run the client.")
    groups: Globs = ()
    devices: Globs = Field(default=(), description="Names or ids of machines.")
    apps: Globs = Field(default=(), description="Catalog ids of client programs.")


class Store(Section):
    """Where usage is counted."""

    url: StoreUrl = Field(
        default="sqlite", description="sqlite: on this machine; redis:// or rediss:// for a fleet."
    )
    password: fields.SecretReference | None = Field(default=None, description="Of the redis user.")
    lease_seconds: int = Field(
        default=60, ge=5, le=3600, description="How often a device renews what it may spend without contact."
    )
    offline_seconds: int = Field(
        default=900,
        ge=0,
        le=86_400,
        description="How long it may spend that when the store cannot be reached; 0: not at all.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        given = {"password", "lease_seconds", "offline_seconds"} & self.model_fields_set
        if self.url == "sqlite" and given:
            raise ValueError(f"'{min(given)}' is for a redis:// store")
        return self

    @property
    def shared(self) -> bool:
        """Whether a fleet counts together."""
        return self.url != "sqlite"


class Accounts(Section):
    """Who may use models, and how much."""

    require_key: bool | None = Field(
        default=None,
        description="Clients of the base URL must present a virtual key; by default if one has a hash.",
    )
    unpriced: Unpriced = Field(
        default=Unpriced.ALLOW, description="Models without a known price; allow: their tokens still count."
    )
    assumed_output_tokens: int = Field(
        default=4096,
        ge=1,
        le=10_000_000,
        description="The largest answer, where neither the client nor the model's documentation says it.",
    )
    customers: Annotated[tuple[Customer, ...], Field(max_length=MANY)] = ()
    teams: Annotated[tuple[Team, ...], Field(max_length=MANY)] = ()
    users: Annotated[tuple[User, ...], Field(max_length=MANY)] = ()
    virtual_keys: Annotated[tuple[VirtualKey, ...], Field(max_length=MANY)] = ()
    bindings: Annotated[tuple[Binding, ...], Field(max_length=MANY)] = Field(
        default=(), description="The first that fits gives its key."
    )
    store: Store = Store()
    history: History | None = Field(
        default=None, description="Keep usage by day in PostgreSQL as well; needs the extra 'central'."
    )

    @property
    def key_required(self) -> bool:
        """Whether a client of the base URL must present a key."""
        if self.require_key is not None:
            return self.require_key
        return any(key.hash is not None for key in self.virtual_keys)
