"""Looks at the agent again and again, and asks no more than is new. Blocks while it asks; times are the caller's."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from agent.control.client import NotRunningError
from agent.errors import ConfigError, DrawbridgeError
from agent.tray.reading import decisions_of, seen_of
from agent.tray.seen import Decision, Seen

EVERY = 5.0  # seconds between two looks
LONGEST = 60.0  # where no agent answers
_FRESH_SECONDS = 60.0  # after which sums are asked for again though nothing happened: budgets begin anew
_KEPT = 20  # decisions
_LINES = 500


class Agent(Protocol):
    """The control API (`agent.control.client.Control`)."""

    def ask(self, verb: str, arguments: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Raises NotRunningError, ConfigError, HostError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen, and the decisions that came since the look before, oldest first."""

    seen: Seen
    fresh: tuple[Decision, ...] = ()


class Watch:
    """The looks of one tray. `user` is the account that it runs as, `now` gives Unix seconds."""

    def __init__(self, agent: Agent, *, user: str, now: Callable[[], float] = time.time) -> None:
        self._agent = agent
        self._user = user
        self._now = now
        self._latest: int | None = (
            None  # number of the newest exchange known; None: the next look knows none as new
        )
        self._decisions: tuple[Decision, ...] = ()
        self._me: Mapping[str, Any] = {}
        self._asked = 0.0
        self._mark: object = None
        self._misses = 0

    @property
    def pause(self) -> float:
        """Seconds to the next look."""
        return min(EVERY * float(1 << min(max(self._misses - 1, 0), 10)), LONGEST)

    def look(self) -> Look:
        """One look. Never raises: an agent that does not answer is seen as off."""
        problem = ""
        try:
            look = self._look()
        except NotRunningError:
            pass
        except DrawbridgeError as error:
            problem = str(error)
        except (KeyError, TypeError, ValueError):
            problem = "the agent is of another version: start the tray anew"
        else:
            self._misses = 0
            return look
        self._misses += 1
        if self._latest is not None:
            self._latest = 0  # an agent that starts anew counts from 1
        self._decisions, self._me, self._mark = (), {}, None
        return Look(seen=Seen(problem=problem))

    def _look(self) -> Look:
        status = self._agent.ask("status")
        known = self._latest
        view = self._live(known or 0)
        if view["latest"] < (known or 0):  # another agent than before
            known = 0
            view = self._live(0)
        self._refresh(status, view["latest"])
        accounts = self._me.get("accounts")
        found = decisions_of(view["exchanges"], accounts)
        self._latest = view["latest"]
        self._decisions = (*reversed(found), *self._decisions)[:_KEPT]
        me = self._me if accounts is not None else {**self._me, "user": self._user}
        return Look(seen=seen_of(status, me, self._decisions), fresh=() if known is None else found)

    def _live(self, since: int) -> dict[str, Any]:
        return self._agent.ask("live", {"since": since, "limit": _LINES})

    def _refresh(self, status: Mapping[str, Any], latest: int) -> None:
        """Ask about this person where there is reason to think that something changed."""
        now = self._now()
        today = datetime.fromtimestamp(now).astimezone().date()
        mark = (latest, status.get("policy"), status.get("sign_in"), today)
        if mark == self._mark and now - self._asked < _FRESH_SECONDS:
            return
        try:
            self._me = self._agent.ask("me")
        except ConfigError:  # one that has no such verb, or cannot read its trail: the rest is worth showing
            self._me = {}
        self._mark, self._asked = mark, now
