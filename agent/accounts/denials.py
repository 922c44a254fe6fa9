"""Why an account may not: values, with words for people. Never holds a key, a prompt, or somebody else's figures.

The order in which reasons are looked for is in docs/accounts.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What stopped a request."""

    KEY_REQUIRED = "virtual_key_required"
    KEY_UNKNOWN = "virtual_key_unknown"
    KEY_EXPIRED = "virtual_key_expired"
    ACCESS_BLOCKED = "access_blocked"
    PROVIDER_BLOCKED = "provider_blocked"
    MODEL_BLOCKED = "model_blocked"
    TOOL_BLOCKED = "mcp_tool_blocked"
    REQUEST_TOO_LARGE = "request_too_large"
    BUDGET_EXCEEDED = "budget_exceeded"
    RATE_LIMITED = "rate_limited"
    TOKEN_LIMITED = "token_limited"  # noqa: S105 - no password
    CONCURRENCY_LIMITED = "concurrency_limited"
    UNAVAILABLE = "accounts_unavailable"  # the shared store cannot be reached, and nothing was set aside


class Tier(StrEnum):
    """Whose rule it was."""

    NONE = ""
    CUSTOMER = "customer"
    TEAM = "team"
    USER = "user"
    KEY = "key"
    PROVIDER = "provider"  # of a key


STATUS = {
    Kind.KEY_REQUIRED: 401,
    Kind.KEY_UNKNOWN: 401,
    Kind.KEY_EXPIRED: 401,
    Kind.ACCESS_BLOCKED: 403,
    Kind.PROVIDER_BLOCKED: 403,
    Kind.MODEL_BLOCKED: 403,
    Kind.TOOL_BLOCKED: 403,
    Kind.REQUEST_TOO_LARGE: 403,
    Kind.BUDGET_EXCEEDED: 402,
    Kind.RATE_LIMITED: 429,
    Kind.TOKEN_LIMITED: 429,
    Kind.CONCURRENCY_LIMITED: 429,
    Kind.UNAVAILABLE: 503,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A refusal. `owner` is the id of the tier's owner, `name` that of its budget or limit; `retry_after` is seconds,
    None where waiting does not help."""

    kind: Kind
    message: str
    tier: Tier = Tier.NONE
    owner: str = ""
    name: str = ""
    retry_after: int | None = None

    @property
    def status(self) -> int:
        """As an HTTP status."""
        return STATUS[self.kind]


KEY_REQUIRED = Denial(
    kind=Kind.KEY_REQUIRED,
    message="This gateway wants a virtual key: put one where the provider's key would stand.",
)
KEY_MISTYPED = Denial(
    kind=Kind.KEY_UNKNOWN,
    message="This is no whole virtual key: its check characters do not fit. Copy it again.",
)
KEY_UNKNOWN = Denial(
    kind=Kind.KEY_UNKNOWN, message="This virtual key is unknown here: it was withdrawn, or never added."
)
UNAVAILABLE = Denial(
    kind=Kind.UNAVAILABLE,
    message="Budgets are kept at a place that cannot be reached, and what was set aside for that is used up.",
    retry_after=5,
)


def key_expired(key: str) -> Denial:
    """The key's time is over."""
    return Denial(
        kind=Kind.KEY_EXPIRED, message=f"The virtual key '{key}' has expired.", tier=Tier.KEY, owner=key
    )


def key_inactive(key: str) -> Denial:
    """The key was switched off."""
    return Denial(
        kind=Kind.ACCESS_BLOCKED,
        message=f"The virtual key '{key}' is switched off.",
        tier=Tier.KEY,
        owner=key,
    )


def provider_blocked(key: str, provider: str) -> Denial:
    """The key may not use the provider at all."""
    return Denial(
        kind=Kind.PROVIDER_BLOCKED,
        message=f"The virtual key '{key}' may not use the provider '{provider}'.",
        tier=Tier.KEY,
        owner=key,
        name=provider,
    )


def model_blocked(key: str, provider: str) -> Denial:
    """The key may use the provider, but not this model."""
    return Denial(
        kind=Kind.MODEL_BLOCKED,
        message=f"The virtual key '{key}' may not use this model at '{provider}'.",
        tier=Tier.PROVIDER,
        owner=f"{key}/{provider}",
    )


def tool_blocked(key: str, tool: str) -> Denial:
    """The key may not use this tool of an MCP server."""
    server, _, name = tool.partition("/")
    what = f"tools of the MCP server '{server[:80]}'" if name == "*" else f"the MCP tool '{tool[:160]}'"
    return Denial(
        kind=Kind.TOOL_BLOCKED,
        message=f"The virtual key '{key}' may not use {what}: take it out of the request's tools.",
        tier=Tier.KEY,
        owner=key,
        name="mcp_tools",
    )


def uncounted(key: str) -> Denial:
    """What the request takes cannot be known, and the key has limits."""
    return Denial(
        kind=Kind.ACCESS_BLOCKED,
        message=f"What this request asks for cannot be counted, and the virtual key '{key}' has limits: "
        "ask models at the paths of the gateway's own API.",
        tier=Tier.KEY,
        owner=key,
    )


def unpriced(provider: str) -> Denial:
    """The policy refuses what has no price."""
    return Denial(
        kind=Kind.MODEL_BLOCKED,
        message=f"There is no known price for this model at '{provider}', and the policy refuses such models.",
        name="unpriced",
    )


def request_too_large(tier: Tier, owner: str, name: str, wanted: int, limit: int) -> Denial:
    """One request may not be so large."""
    return Denial(
        kind=Kind.REQUEST_TOO_LARGE,
        message=f"This request may take {wanted:,} tokens with its answer, and {_whose(tier, owner)} allows "
        f"{limit:,} ({name}): ask for a shorter answer, or send less.",
        tier=tier,
        owner=owner,
        name=name,
    )


def budget_exceeded(tier: Tier, owner: str, name: str, retry_after: int | None) -> Denial:
    """There is no room in a budget."""
    when = "" if retry_after is None else f" There is room again in {_duration(retry_after)}."
    return Denial(
        kind=Kind.BUDGET_EXCEEDED,
        message=f"The budget '{name}' of {_whose(tier, owner)} has no room for this request.{when}",
        tier=tier,
        owner=owner,
        name=name,
        retry_after=retry_after,
    )


def limited(kind: Kind, tier: Tier, owner: str, name: str, retry_after: int | None) -> Denial:
    """A limit on requests, tokens or concurrency is reached."""
    when = "" if retry_after is None else f" Try again in {_duration(retry_after)}."
    return Denial(
        kind=kind,
        message=f"The limit {name} of {_whose(tier, owner)} is reached.{when}",
        tier=tier,
        owner=owner,
        name=name,
        retry_after=retry_after,
    )


def _whose(tier: Tier, owner: str) -> str:
    match tier:
        case Tier.KEY:
            return f"the virtual key '{owner}'"
        case Tier.PROVIDER:
            key, _, provider = owner.partition("/")
            return f"the provider '{provider}' of the virtual key '{key}'"
        case _:
            return f"the {tier.value} '{owner}'"


def _duration(seconds: int) -> str:
    for size, noun in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{-(-seconds // size)} {noun}"
    return f"{seconds} s"
