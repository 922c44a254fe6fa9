"""What is about the person who asks: who that is, what he may do, and what became of his requests today."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.audit.daily import Asked, asked_since
from agent.control.caller import Caller
from agent.control.reading import Sources
from agent.control.signing_in import account_of
from agent.control.verbs import Nothing, Role
from agent.host.paths import StatePaths
from agent.policy.pausing import PauseAllow

_TOP = 5  # apps and models that are told
_MOST_NAMES = 200  # that are counted one by one, of an account
_MOST_ACCOUNTS = 200
_MOST_KEYS = 3
_CHANGED = frozenset({"pseudonymize", "mask", "redact"})
_STOPPED = frozenset({"ask", "block"})

type Read = Callable[[float, int], tuple[Asked, ...]]
"""The exchanges since a moment whose number is above another. Blocks."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """Sums of a day. `keys` are virtual keys, the one used last at the end."""

    requests: int = 0
    blocked: int = 0
    redacted: int = 0
    observed: int = 0  # would have been blocked or changed, had the policy not only observed
    apps: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    keys: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def add(self, one: Asked) -> None:
        """Count one exchange."""
        self.requests += 1
        stopped = one.outcome == "blocked"
        self.blocked += stopped
        self.redacted += one.applied and one.decision in _CHANGED and not stopped
        self.observed += not one.applied and one.decision in _CHANGED | _STOPPED
        _count(self.apps, one.app)
        _count(self.models, one.model)
        if one.virtual_key:
            self.keys[one.virtual_key] = None
            self.keys.move_to_end(one.virtual_key)
            if len(self.keys) > _MOST_KEYS:
                self.keys.popitem(last=False)


class Day:
    """The sums of today, for each account. The trail is read once, then only what is new in it. For one thread at a
    time; `add_new` blocks."""

    def __init__(self, read: Read, now: Callable[[], float] = time.time) -> None:
        self._read = read
        self._now = now
        self._midnight = 0.0
        self._last = 0
        self._accounts: dict[str, Tally] = {}

    def add_new(self) -> None:
        """Count what came since. Raises AuditError."""
        midnight = _midnight(self._now())
        if midnight != self._midnight:
            self._midnight, self._last, self._accounts = midnight, 0, {}
        new = self._read(midnight, self._last)
        for one in reversed(new):
            if one.user in self._accounts or len(self._accounts) < _MOST_ACCOUNTS:
                self._accounts.setdefault(one.user, Tally()).add(one)
        if new:
            self._last = new[0].seq

    def of(self, users: Iterable[str]) -> Tally:
        """The sums of those accounts together."""
        whole = Tally()
        for user in users:
            if (one := self._accounts.get(user)) is None:
                continue
            whole.requests += one.requests
            whole.blocked += one.blocked
            whole.redacted += one.redacted
            whole.observed += one.observed
            whole.apps += one.apps
            whole.models += one.models
            whole.keys |= one.keys
        return whole


class Personal:
    """Answers the verb `me`. For one event loop."""

    def __init__(self, sources: Sources, *, read: Read | None = None) -> None:
        self._from = sources
        self._day = Day(read or _reader(sources.paths))
        self._adding = asyncio.Lock()

    async def me(self, caller: Caller, wish: Nothing) -> dict[str, object]:
        """Who asks, as whom he has signed in, whether he may pause, and his own requests of today: also an
        administrator's own only. Requests of which nobody knows whose they are count as an administrator's. Raises
        AuditError."""
        del wish
        async with self._adding:
            await asyncio.to_thread(self._day.add_new)
            whose = self._whose(caller)
            whole = self._day.of(whose)
        rules = self._from.rules().policy.pause
        operator = caller.role >= Role.OPERATOR
        return {
            "user": caller.name,
            "operator": operator,
            "accounts": whose,
            "dashboard": self._from.settings.dashboard,
            "pause": {
                "allow": rules.allow.value,
                "max_minutes": rules.max_minutes,
                "may": operator and rules.allow is not PauseAllow.NEVER,
            },
            "today": {
                "requests": whole.requests,
                "blocked": whole.blocked,
                "redacted": whole.redacted,
                "observed": whole.observed,
                "apps": whole.apps.most_common(_TOP),
                "models": whole.models.most_common(_TOP),
            },
            "keys": self._keys(reversed(whole.keys)),
            "sign_in": self._from.people.standing(await account_of(caller)),
        }

    @staticmethod
    def _whose(caller: Caller) -> tuple[str, ...]:
        """The accounts whose requests are his."""
        return (caller.name, "") if caller.role >= Role.OPERATOR else (caller.name,)

    def _keys(self, ids: Iterable[str]) -> list[dict[str, object]]:
        """His virtual keys, the one used last first, each with what is used of its budgets."""
        observatory = self._from.observatory
        found = observatory.view(observatory.latest, limit=1)["budgets"]
        budgets: list[Mapping[str, object]] = found if isinstance(found, list) else []
        return [
            {"id": id_, "budgets": [each for each in budgets if each["owner"] == f"key/{id_}"]} for id_ in ids
        ]


def _reader(paths: StatePaths) -> Read:
    return lambda moment, after: asked_since(paths, moment, after=after)


def _count(counter: Counter[str], name: str) -> None:
    if name and (name in counter or len(counter) < _MOST_NAMES):
        counter[name] += 1


def _midnight(now: float) -> float:
    today = datetime.fromtimestamp(now).astimezone().date()
    return datetime.combine(today, datetime.min.time()).astimezone().timestamp()
