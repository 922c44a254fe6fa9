"""What requests cost and how much models take: the bundled table, and what a policy knows better.

Costs are nano-USD, whole numbers: budgets add up millions of them. A model that nobody knows costs None, not 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from agent.catalog.patterns import fits, is_plain
from agent.catalog.price_rows import Offer, PricedModel, read_model, split_sections
from agent.model.conversation import TokenCount

_REMEMBERED = 8192  # names of models; clients choose them, so their number has a limit
_DAY = 86_400
_LONGEST_NAME = 256

type Sections = Mapping[str, tuple[tuple[str, ...], list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A price of the policy's own. `fits` takes the provider's id and the model."""

    fits: Callable[[str, str], bool]
    model: PricedModel


class PriceTable:
    """Prices and windows by provider and model."""

    def __init__(
        self, sections: Sections, *, providers: Mapping[str, str], overrides: tuple[Override, ...] = ()
    ) -> None:
        """`providers` gives the table's name for each id that is asked about; the first override that fits counts."""
        self._sections = sections
        self._providers = providers
        self._overrides = overrides
        self._indices: dict[str, _Index] = {}
        self._found: dict[tuple[str, str], PricedModel | None] = {}

    def cost(self, provider: str, model: str, tokens: TokenCount, at: float) -> int | None:
        """What `tokens` cost at the time `at` (seconds since the epoch), in nano-USD. None where the model's price or
        the count is not known."""
        priced = self.find(provider, model)
        if priced is None or not priced.offers or (tokens.input is None and tokens.output is None):
            return None
        prompt, output = tokens.input or 0, tokens.output or 0
        rates = _offer(priced.offers, at).rates(prompt)
        picos = prompt * rates.input + output * rates.output
        read = write = 0
        if tokens.cache_read:
            read = min(tokens.cache_read, prompt)
            picos += read * (rates.cache_read - rates.input)
        if tokens.cache_write:
            write = min(tokens.cache_write, prompt - read)
            picos += write * (rates.cache_write - rates.input)
        if write and tokens.cache_write_1h:
            picos += min(tokens.cache_write_1h, write) * (rates.cache_write_1h - rates.cache_write)
        if tokens.reasoning:
            picos += min(tokens.reasoning, output) * (rates.reasoning - rates.output)
        return (picos + 500) // 1000 + rates.request

    def window(self, provider: str, model: str) -> int | None:
        """The tokens that the model takes at a time, where that is known."""
        priced = self.find(provider, model)
        return priced.window if priced is not None else None

    def models(self, provider: str) -> tuple[PricedModel, ...]:
        """The models of `provider` that the table knows, not those which it serves for others."""
        section = self._providers.get(provider, "")
        return self._index(section).models if section in self._sections else ()

    def find(self, provider: str, model: str) -> PricedModel | None:
        """What is known of the model, by any name it goes by."""
        key = (provider, model)
        try:
            return self._found[key]
        except KeyError:
            pass
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        found = self._found[key] = self._search(provider, model[:_LONGEST_NAME])
        return found

    def _search(self, provider: str, model: str) -> PricedModel | None:
        for override in self._overrides:
            if override.fits(provider, model):
                return override.model
        name = model.lower()
        section = self._providers.get(provider, "")
        if section not in self._sections:
            return None
        served = (section, *self._sections[section][0])
        spellings = (name, dashed) if (dashed := _dashed(name)) != name else (name,)
        for spelling in spellings:
            for each in served:
                if each in self._sections and (found := self._index(each).find(spelling)) is not None:
                    return found
        return None

    def _index(self, section: str) -> _Index:
        index = self._indices.get(section)
        if index is None:
            index = self._indices[section] = _Index(tuple(map(read_model, self._sections[section][1])))
        return index


class _Index:
    """The models of one provider, to be found by name: the first in order that fits, as the data means it."""

    def __init__(self, models: tuple[PricedModel, ...]) -> None:
        self.models = models
        self._plain: dict[str, int] = {}
        self._wild: list[tuple[int, str]] = []
        for place, model in enumerate(models):
            for pattern in model.patterns:
                if is_plain(pattern):
                    self._plain.setdefault(pattern, place)
                else:
                    self._wild.append((place, pattern))

    def find(self, name: str) -> PricedModel | None:
        """The model that goes by `name` (lower case)."""
        plain = self._plain.get(name)
        for place, pattern in self._wild:
            if plain is not None and place > plain:
                break
            if fits(pattern, name):
                return self.models[place]
        return self.models[plain] if plain is not None else None


def bundled_sections() -> Sections:
    """The table shipped with the agent, by provider, its lines still to be read. Reads one file."""
    return split_sections((files("agent.catalog") / "prices.txt").read_text(encoding="utf-8"))


def _offer(offers: tuple[Offer, ...], at: float) -> Offer:
    """The last that holds; where none does, the first."""
    if len(offers) == 1:
        return offers[0]
    day, second = divmod(int(at), _DAY)
    for offer in reversed(offers):
        if offer.holds(day, second):
            return offer
    return offers[0]


def _dashed(name: str) -> str:
    """`gpt-5-20250807` as `gpt-5-2025-08-07`: gateways write dates without dashes."""
    rest, dash, tail = name.rpartition("-")
    if not dash or len(tail) != 8 or not (tail.isascii() and tail.isdecimal()):
        return name
    return f"{rest}-{tail[:4]}-{tail[4:6]}-{tail[6:]}"
