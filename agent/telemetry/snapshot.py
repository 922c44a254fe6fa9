"""What metrics and the live view tell of the present moment, asked of other rooms when somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHealth:
    """A key of a provider. `state` is a word of the router's: healthy, cooling, disabled, …"""

    provider: str
    key: str  # its name in the policy
    state: str
    usable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetUse:
    """How much of a budget or limit is used up."""

    owner: str  # kind and id: virtual_key/ci, team/search, …
    unit: str  # usd, tokens, requests
    period: str  # minute, day, month, …
    used: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of the parts that count nothing themselves."""

    keys: tuple[KeyHealth, ...] = ()
    budgets: tuple[BudgetUse, ...] = ()
    spent_today_nano_usd: int | None = None  # None: what this process has seen itself
    audit_waiting: int = 0  # events that are not on the disk yet
    audit_events: int = 0


NOTHING = Snapshot()
type SnapshotSource = Callable[[], Snapshot]
