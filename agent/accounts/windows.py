"""Windows of time: in which slot a moment lies, and which slots count. Pure.

A window counts in slots. A rolling one is cut into about sixty: what counts is the slot of the moment and as many
before it as the window has, so that nothing is forgotten before the window has gone by, and at most one slot later.
Such a sum never passes the limit in any stretch of that length. The usual GCRA lets twice the limit through after a
rest, and cannot tell what was used, nor take anything back; a request here is reserved, then corrected.

A calendar window is one slot: the day, week (from Monday), month, quarter or year in a time zone. Minutes and hours are
those of UTC, since zones with half hours are not worth the trouble.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from agent.policy.accounts import Per, WindowKind

_DAY = 86_400
_SLOTS = {
    # seconds of a slot, slots of a window
    Per.MINUTE: (1, 60),
    Per.HOUR: (60, 60),
    Per.DAY: (900, 96),
    Per.WEEK: (3 * 3600, 56),
    Per.MONTH: (_DAY // 2, 60),
    Per.QUARTER: (_DAY, 91),
    Per.YEAR: (5 * _DAY, 73),
}
_SHORT = {Per.MINUTE: 60, Per.HOUR: 3600}


class Span(NamedTuple):
    """The slot of a moment, and from when until when it is that (Unix seconds)."""

    slot: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Rolling:
    """The last `width * count` seconds."""

    width: int
    count: int

    @property
    def name(self) -> str:
        """For identifiers: windows of another name count apart."""
        return f"r{self.width * self.count}"

    def span(self, now: float) -> Span:
        """Where `now` lies."""
        slot = int(now // self.width)
        return Span(slot, slot * self.width, (slot + 1) * self.width)

    def first(self, slot: int) -> int:
        """The oldest slot that counts in `slot`."""
        return slot - self.count

    def kept(self, slot: int) -> int:
        """The oldest slot worth remembering in `slot`: the clock may be set back."""
        return slot - 2 * self.count - 4

    def forgotten_at(self, slot: int) -> int:
        """When `slot` counts no more."""
        return (slot + self.count + 1) * self.width

    def kept_until(self, slot: int) -> int:
        """When `slot` is worth remembering no more; see `kept`."""
        return (slot + 2 * self.count + 4) * self.width


@dataclass(frozen=True, slots=True)
class Calendar:
    """Since the period of `now` began in `zone`. A slot is the moment at which its period began."""

    per: Per
    zone: tzinfo
    zone_name: str = "UTC"

    @property
    def name(self) -> str:
        """For identifiers: windows of another name count apart."""
        return f"c-{self.per.value}-{self.zone_name}"

    def span(self, now: float) -> Span:
        """Where `now` lies."""
        if (seconds := _SHORT.get(self.per)) is not None:
            start = int(now // seconds) * seconds
            return Span(start, start, start + seconds)
        first = _period(self.per, datetime.fromtimestamp(now, self.zone).date())
        start, end = self._midnight(first), self._midnight(_following(self.per, first))
        return Span(start, start, end)

    def first(self, slot: int) -> int:
        """The oldest slot that counts in `slot`."""
        return slot

    def kept(self, slot: int) -> int:
        """The oldest slot worth remembering in `slot`: the clock may be set back."""
        return slot - 4 * _LONGEST[self.per]

    def forgotten_at(self, slot: int) -> int:
        """When `slot` counts no more."""
        return self.span(slot).until

    def kept_until(self, slot: int) -> int:
        """When `slot` is worth remembering no more; see `kept`."""
        return slot + 4 * _LONGEST[self.per]

    def _midnight(self, day: date) -> int:
        # where clocks leave midnight out, this is the moment at which they do: the day's first
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())


class Always:
    """One slot for ever: what is under way has no window."""

    name = "always"

    def span(self, now: float) -> Span:
        """Where `now` lies."""
        del now
        return Span(0, -(2**62), 2**62)

    def first(self, slot: int) -> int:
        """The oldest slot that counts in `slot`."""
        return slot

    def kept(self, slot: int) -> int:
        """The oldest slot worth remembering in `slot`."""
        return slot

    def forgotten_at(self, slot: int) -> int:
        """Nobody knows when a request ends: worth asking again soon."""
        return slot


ALWAYS = Always()

type Window = Rolling | Calendar

_LONGEST = {
    Per.MINUTE: 60,
    Per.HOUR: 3600,
    Per.DAY: 25 * 3600,
    Per.WEEK: 8 * _DAY,
    Per.MONTH: 31 * _DAY,
    Per.QUARTER: 92 * _DAY,
    Per.YEAR: 366 * _DAY,
}


def window(per: Per, kind: WindowKind = WindowKind.ROLLING, time_zone: str | None = None) -> Window:
    """The window that a policy describes."""
    if kind is WindowKind.ROLLING:
        return Rolling(*_SLOTS[per])
    name = time_zone or "UTC"
    return Calendar(per, UTC if name == "UTC" else ZoneInfo(name), name)


def _period(per: Per, day: date) -> date:
    match per:
        case Per.WEEK:
            return day - timedelta(days=day.weekday())
        case Per.MONTH:
            return day.replace(day=1)
        case Per.QUARTER:
            return date(day.year, day.month - (day.month - 1) % 3, 1)
        case Per.YEAR:
            return date(day.year, 1, 1)
        case _:
            return day


def _following(per: Per, first: date) -> date:
    match per:
        case Per.WEEK:
            return first + timedelta(days=7)
        case Per.MONTH:
            return _period(Per.MONTH, first + timedelta(days=31))
        case Per.QUARTER:
            return _period(Per.QUARTER, first + timedelta(days=92))
        case Per.YEAR:
            return date(first.year + 1, 1, 1)
        case _:
            return first + timedelta(days=1)
