"""What is counted against what: a meter for every budget and limit of an owner, made from the policy. Pure.

A meter's id says owner, name and window, and nothing of the limit: a policy that changes a limit goes on with what was
used, one that changes the window counts anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from agent.accounts.denials import Denial, Kind, Tier, budget_exceeded, limited, request_too_large
from agent.accounts.windows import Rolling, Window, window
from agent.policy.accounts import Budget, Limits, Per

NANO = 1_000_000_000


class Unit(StrEnum):
    """What a meter counts."""

    NANO_USD = "nano_usd"
    TOKENS = "tokens"
    REQUESTS = "requests"
    CONCURRENT = "concurrent"  # requests under way; has no window


class Amounts(NamedTuple):
    """What one request takes, in every unit. A tuple, as all that is made for every request: `Meter.column` says which
    of it a meter counts."""

    nano_usd: int = 0
    tokens: int = 0
    requests: int = 1


NOTHING = Amounts(requests=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """One budget or limit of one owner."""

    id: str
    unit: Unit
    limit: int
    tier: Tier
    owner: str
    name: str
    window: Window | None  # None: of what is under way
    budget: bool  # a budget is money, or tokens in place of money: devices set some aside for when they are offline
    column: int = field(init=False)  # its place in `Amounts`
    lasting: bool = field(init=False)
    """Whether what it counted outlives the process. A limit for a minute need not: a start takes as long."""

    def __post_init__(self) -> None:
        column = {Unit.NANO_USD: 0, Unit.TOKENS: 1}.get(self.unit, 2)
        object.__setattr__(self, "column", column)
        long = isinstance(self.window, Rolling) and self.window.width > 1
        object.__setattr__(self, "lasting", self.window is not None and (self.budget or long))

    def denial(self, wanted: int, retry_after: int | None) -> Denial:
        """The refusal, where `wanted` finds no room."""
        if self.budget:
            return budget_exceeded(self.tier, self.owner, self.name, retry_after)
        match self.unit:
            case Unit.CONCURRENT:
                kind = Kind.CONCURRENCY_LIMITED
            case Unit.REQUESTS:
                kind = Kind.RATE_LIMITED
            case _ if wanted > self.limit:  # will not fit tomorrow either
                return request_too_large(self.tier, self.owner, self.name, wanted, self.limit)
            case _:
                kind = Kind.TOKEN_LIMITED
        return limited(kind, self.tier, self.owner, self.name, retry_after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """The largest request that an owner allows, in tokens."""

    limit: int
    tier: Tier
    owner: str


def meters(tier: Tier, owner: str, budgets: tuple[Budget, ...], limits: Limits) -> Iterator[Meter]:
    """The meters of one owner, in the order in which they are asked: budgets, requests, tokens, concurrency."""
    for budget in budgets:
        unit = Unit.NANO_USD if budget.usd is not None else Unit.TOKENS
        limit = round(budget.usd * NANO) if budget.usd is not None else (budget.tokens or 0)
        frame = window(budget.per, budget.window, budget.time_zone)
        yield Meter(
            id=f"{tier}/{owner}/{budget.label}@{unit}-{frame.name}",
            unit=unit,
            limit=limit,
            tier=tier,
            owner=owner,
            name=budget.label,
            window=frame,
            budget=True,
        )
    for name, unit, per, limit in _limits(limits):
        frame_or_none = None if per is None else window(per)
        yield Meter(
            id=f"{tier}/{owner}/{name}",
            unit=unit,
            limit=limit,
            tier=tier,
            owner=owner,
            name=name,
            window=frame_or_none,
            budget=False,
        )


def _limits(limits: Limits) -> Iterator[tuple[str, Unit, Per | None, int]]:
    for name, unit, per in (
        ("requests_per_minute", Unit.REQUESTS, Per.MINUTE),
        ("requests_per_hour", Unit.REQUESTS, Per.HOUR),
        ("requests_per_day", Unit.REQUESTS, Per.DAY),
        ("tokens_per_minute", Unit.TOKENS, Per.MINUTE),
        ("tokens_per_hour", Unit.TOKENS, Per.HOUR),
        ("tokens_per_day", Unit.TOKENS, Per.DAY),
        ("concurrency", Unit.CONCURRENT, None),
    ):
        limit = getattr(limits, name)
        if limit is not None:
            yield name, unit, per, limit
