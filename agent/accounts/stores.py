"""Which store a policy asks for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from agent.accounts.journal import Clock
from agent.accounts.local import LocalStore
from agent.accounts.store import AccountStore
from agent.policy.accounts import Accounts, Store

FILE = Path("accounts", "accounts.db")
"""Where the local store is, below the state directory."""


def store_for(
    section: Accounts | None, *, state: Path, secret: Callable[[str], str], clock: Clock = time.time
) -> AccountStore:
    """The store of a policy's `accounts`, not opened. `secret` resolves references, and may block; `clock` says what is
    too old to keep. Raises ConfigError."""
    counters = _counters(section.store if section is not None else Store(), state, secret, clock)
    if section is None or section.history is None:
        return counters
    from agent.accounts.history import History, HistoryStore
    from agent.accounts.postgres import postgres_usage

    return HistoryStore(counters, History(postgres_usage(section.history, secret)))


def _counters(chosen: Store, state: Path, secret: Callable[[str], str], clock: Clock) -> AccountStore:
    if not chosen.shared:
        return LocalStore(state / FILE, clock=clock)
    # these take 100 ms to load, and few machines need them
    from agent.accounts.connection import connect
    from agent.accounts.fleet import FleetStore

    return FleetStore(
        connect(chosen.url, secret(chosen.password) if chosen.password is not None else None),
        lease_seconds=chosen.lease_seconds,
        offline_seconds=chosen.offline_seconds,
    )
