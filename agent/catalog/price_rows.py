"""Reads the catalog's table of prices (prices.txt, made by build/prices.py) into integers.

Money is counted in pico-USD for a token: 1 USD for a million tokens is 1,000,000 of them, and the smallest price in the
table is still a whole number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from agent.errors import ConfigError

PICO = 1_000_000  # pico-USD for a token, where a million tokens cost 1 USD
_EPOCH = date(1970, 1, 1).toordinal()
_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a token costs, in pico-USD, and a request beside its tokens, in nano-USD."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    reasoning: int
    request: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Rates by the length of the prompt, and when they hold: from a day on (days since 1970), or between two times of
    day (seconds, UTC)."""

    steps: tuple[
        tuple[int, Rates], ...
    ]  # for prompts of more than so many tokens; ascending, the first from 0
    from_day: int | None = None
    hours: tuple[int, int] | None = None

    def holds(self, day: int, second: int) -> bool:
        """Whether it does at that day and second of the day."""
        if self.from_day is not None:
            return day >= self.from_day
        if self.hours is None:
            return True
        start, end = self.hours
        return start <= second < end if start <= end else second >= start or second < end

    def rates(self, prompt: int) -> Rates:
        """Those for a prompt of so many tokens: crossing a step changes the price of all of them."""
        found = self.steps[0][1]
        for above, rates in self.steps[1:]:
            if prompt > above:
                found = rates
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedModel:
    """One model of one provider. Without `offers` nothing is known of its price."""

    id: str
    window: int | None = None
    offers: tuple[Offer, ...] = ()
    patterns: tuple[str, ...] = ()
    deprecated: bool = False


def rates(
    *,
    input: int,  # noqa: A002  what everybody calls it
    output: int,
    cache_read: int | None = None,
    cache_write: int | None = None,
    cache_write_1h: int | None = None,
    reasoning: int | None = None,
    request: int = 0,
) -> Rates:
    """Rates, in which what is not given is as its neighbour: cached tokens as fresh ones, thoughts as output."""
    write = input if cache_write is None else cache_write
    return Rates(
        input=input,
        output=output,
        cache_read=input if cache_read is None else cache_read,
        cache_write=write,
        cache_write_1h=write if cache_write_1h is None else cache_write_1h,
        reasoning=output if reasoning is None else reasoning,
        request=request,
    )


def split_sections(text: str) -> dict[str, tuple[tuple[str, ...], list[str]]]:
    """By provider: those whose models it serves too, and the lines of its own."""
    sections: dict[str, tuple[tuple[str, ...], list[str]]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("["):
            name, *others = line[1:-1].split()
            lines = []
            sections[name] = (tuple(others), lines)
        elif line and not line.startswith("#"):
            lines.append(line)
    return sections


def read_model(line: str) -> PricedModel:
    """The model of a line. Raises ConfigError."""
    name, window, prices, patterns = (*line.split("\t"), "", "", "")[:4]
    model = name.removeprefix("~")
    try:
        return PricedModel(
            id=model,
            window=int(window) if window else None,
            offers=tuple(_offer(each) for each in prices.split(";")) if prices else (),
            patterns=tuple(patterns.split(" ")) if patterns else (model.lower(),),
            deprecated=name != model,
        )
    except ValueError as error:
        raise ConfigError(f"the table of prices has a line that cannot be read: {model}: {error}") from error


def _offer(text: str) -> Offer:
    from_day, hours = None, None
    if text.startswith("@"):
        mark, _, text = text.removeprefix("@").partition(" ")
        if ":" in mark:
            start, _, end = mark.partition("-")
            hours = (_second(start), _second(end))
        else:
            from_day = date.fromisoformat(mark).toordinal() - _EPOCH
    steps: list[tuple[int, Rates]] = []
    above = 0
    for word in text.split(" "):
        if word.startswith(">"):
            above = int(word[1:])
        else:
            steps.append((above, _rates(word)))
    return Offer(steps=tuple(steps), from_day=from_day, hours=hours)


def _rates(text: str) -> Rates:
    values = [_picos(each) for each in text.split("/")]
    first, second, read, write, write_1h, reasoning, request = (*values, None, None, None, None, None)[:7]
    return rates(
        input=first or 0,
        output=second or 0,
        cache_read=read,
        cache_write=write,
        cache_write_1h=write_1h,
        reasoning=reasoning,
        request=request or 0,  # USD for 1000 requests: as pico-USD for a token, it is nano-USD for a request
    )


def _picos(text: str) -> int | None:
    """A decimal number of USD for a million, exactly."""
    if not text:
        return None
    whole, _, rest = text.partition(".")
    if len(rest) > _DECIMALS:
        raise ValueError(f"{text} has more decimals than are counted")
    return int(whole) * PICO + int(rest.ljust(_DECIMALS, "0"))


def _second(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 3600 + int(minute) * 60
