"""How a shared store's keys and values are laid out, and read back into counters. Pure; see `scripts` for the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from agent.accounts.counter import Counter, Slots
from agent.accounts.meters import Amounts, Meter
from agent.accounts.store import DAY_SECONDS, Use
from agent.accounts.tally import Reading, Refusal
from agent.accounts.windows import ALWAYS, Calendar, Rolling

type Argument = str | int | float


@dataclass(frozen=True, slots=True)
class Space:
    """The names of keys. The braces are the cluster's: what they hold decides the shard."""

    name: str

    def meter(self, meter: Meter) -> str:
        """Of a meter."""
        return f"drawbridge:{{{self.name}}}:{'m' if meter.window is not None else 'g'}:{meter.id}"

    def hold(self, hold: int) -> str:
        """Of a reservation."""
        return f"drawbridge:{{{self.name}}}:h:{hold}"

    def history(self, key: str, day: int) -> str:
        """Of what a virtual key used on a day."""
        return f"drawbridge:{{{self.name}}}:u:{key}:{day}"


def reserve_arguments(meter: Meter, amount: int | None, moment: float) -> list[Argument]:
    """Kind, a, b, limit, amount, and how long the meter's key is kept. No amount: an earlier hold is taken off."""
    frame: list[Argument]
    kept: int
    match meter.window:
        case None:
            frame, kept = ["g", 0, 0], DAY_SECONDS
        case Rolling(width=width, count=count):
            frame, kept = ["r", width, count], width * (2 * count + 4)
        case Calendar() as window:
            span = window.span(moment)
            frame, kept = ["c", span.since, span.until], ceil(window.kept_until(span.slot) - moment)
    return [*frame, meter.limit, "" if amount is None else amount, kept]


def settle_arguments(meter: Meter, used: Amounts) -> list[Argument]:
    """Kind, how many slots before the newest count, the amount used."""
    match meter.window:
        case None:
            return ["g", 0, 0]
        case Rolling(count=count):
            return ["r", count, used[meter.column]]
        case Calendar():
            return ["c", 0, used[meter.column]]


def refusal(meter: Meter, wanted: int, flat: Sequence[str], moment: float) -> Refusal:
    """The script's answer that a meter is full, with its state as names and values in turn."""
    if meter.window is None:
        wait = 1 if wanted <= meter.limit else None
    else:
        state = dict(zip(flat[::2], flat[1::2], strict=True))
        wait = counter(meter, state, moment).retry_after(moment, meter.limit, wanted)
    return Refusal(meter=meter, wanted=wanted, retry_after=wait)


def counter(meter: Meter, state: dict[str, str], moment: float) -> Counter:
    """A meter's state at a moment."""
    slots: Slots = {int(name): int(amount) for name, amount in state.items() if name not in ("at", "total")}
    found = Counter(meter.window or ALWAYS, slots)
    found.advance(moment)
    return found


def reading(meter: Meter, found: object, moment: float) -> Reading:
    """How a meter stands, from its hash, or from how many are under way."""
    if not isinstance(found, dict):
        return Reading(used=int(str(found)), resets_at=0)
    state = counter(meter, found, moment)
    return Reading(used=state.total, resets_at=state.until)


def uses(key: str, day: int, found: dict[str, str]) -> list[Use]:
    """A day of the history of a virtual key, from its hash."""
    rows: dict[str, dict[str, int]] = {}
    for name, amount in found.items():
        column, _, model = name.partition(":")
        rows.setdefault(model, {})[column] = int(amount)
    return [Use(key, day, model, **columns) for model, columns in sorted(rows.items())]
