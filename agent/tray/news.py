"""What is worth a notification, and how often. Pure: times are the caller's.

One kind of news is told once in a while, and all of them together not more often than people can bear; what was left
out is counted in what comes next. No content of prompts is in here: there is none in what the tray knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from agent.tray.menu import Clock, headline, time_of_day
from agent.tray.seen import Decision, Seen, State
from agent.tray.watch import Look

QUIET_SECONDS = 300.0  # in which the same is not told again
TROUBLE_SECONDS = 3600.0  # the same for what is wrong with the agent
BURST = 3  # notifications at once …
REFILL_SECONDS = 30.0  # … and one more in so many seconds
_MISSES = 2  # looks in a row without an agent: a restart is no news
_REFERENCE = 8  # characters of an event's id, as `drawbridge explain` takes them
_MOST_KNOWN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin:
    """One notification. What has the same `key` is the same news."""

    key: str
    title: str
    text: str
    urgent: bool = False
    quiet: float = QUIET_SECONDS
    counts: bool = False  # whether it is counted where it is left out


class News:
    """What one person was told."""

    def __init__(self, clock: Clock = time_of_day) -> None:
        self._clock = clock
        self._last: Seen | None = None  # what was seen when an agent answered
        self._misses = 0
        self._told: dict[str, float] = {}
        self._left_out = 0
        self._room = float(BURST)
        self._filled = 0.0

    def of(self, look: Look, now: float) -> tuple[Bulletin, ...]:
        """What to tell after this look; `now` is monotonic."""
        stops = (_stop(each) for each in look.fresh if each.stopped and each.applied)
        found = [*self._changes(look.seen), *stops]
        return tuple(told for each in found if (told := self._admitted(each, now)) is not None)

    def _changes(self, seen: Seen) -> Iterator[Bulletin]:
        """What became of the agent."""
        if seen.state is State.OFF:
            self._misses += 1
            if self._misses == _MISSES and self._last is not None:
                why = seen.problem or "AI traffic is not guarded by this agent."
                yield Bulletin(key="off", title="Drawbridge is not running", text=why, urgent=True)
            return
        was_off, self._misses = self._misses >= _MISSES, 0
        last, self._last = self._last, seen
        if last is not None and (was_off or (last.state is State.PAUSED and seen.state is not State.PAUSED)):
            yield Bulletin(
                key=f"on/{seen.state}",
                title=f"Drawbridge: {headline(seen, self._clock)}",
                text="It runs again." if was_off else "The pause is over.",
                quiet=0,
            )
        known = {each.code for each in last.troubles} if last is not None else set()
        for each in seen.troubles:
            if each.grave and each.code not in known:
                yield Bulletin(
                    key=f"trouble/{each.code}",
                    title=f"Drawbridge: {each.title}",
                    text="\n".join(filter(None, (each.text, each.remedy))),
                    urgent=True,
                    quiet=TROUBLE_SECONDS,
                )

    def _admitted(self, bulletin: Bulletin, now: float) -> Bulletin | None:
        told = self._told.get(bulletin.key)
        if told is not None and now - told < bulletin.quiet:
            self._left_out += bulletin.counts
            return None
        self._room = min(self._room + (now - self._filled) / REFILL_SECONDS, float(BURST))
        self._filled = now
        if self._room < 1 and not bulletin.urgent:
            self._left_out += bulletin.counts
            return None
        self._room = max(self._room - 1, 0.0)
        self._told.pop(bulletin.key, None)
        self._told[bulletin.key] = now
        if len(self._told) > _MOST_KNOWN:
            del self._told[next(iter(self._told))]
        if not bulletin.counts or not self._left_out:
            return bulletin
        left_out, self._left_out = self._left_out, 0
        return replace(bulletin, text=f"{bulletin.text}\n{left_out} more before this one.")


def _stop(one: Decision) -> Bulletin:
    to = f" to {one.service}" if one.service else ""
    word = "held back" if one.action == "ask" else "blocked"
    why = one.reason or ", ".join(one.rules) or "The policy says so."
    return Bulletin(
        key="/".join((one.action, one.app, *one.rules)),
        title=f"A request of {one.app}{to} was {word}",
        text=f"{why[:1].upper()}{why[1:]}\nWhy, and how to object: drawbridge explain {one.id[-_REFERENCE:]}",
        counts=True,
    )
