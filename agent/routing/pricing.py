"""The prices in force: the bundled table under the ids of a policy's providers, and the policy's own before it."""

from __future__ import annotations

from collections.abc import Mapping

from agent.catalog.price_rows import PICO, Offer, PricedModel, rates
from agent.catalog.prices import Override, PriceTable, Sections
from agent.model.conversation import TokenCount
from agent.policy import Price
from agent.policy.glob import first_match
from agent.routing.configured import ConfiguredProvider
from agent.routing.names import ModelRef


def price_table(
    sections: Sections, providers: Mapping[str, ConfiguredProvider], prices: tuple[Price, ...] = ()
) -> PriceTable:
    """The table for `providers`, with the policy's `prices`."""
    return PriceTable(
        sections,
        providers={name: each.row.prices or each.row.id for name, each in providers.items()},
        overrides=tuple(_override(price) for price in prices),
    )


def cost(table: PriceTable, ref: ModelRef, tokens: TokenCount, at: float) -> int | None:
    """What `tokens` of the model cost, in nano-USD: by the provider's name for it, or the client's, where the first is
    a deployment's that says nothing."""
    found = table.cost(ref.provider, ref.model, tokens, at)
    return (
        found
        if found is not None or ref.name == ref.model
        else table.cost(ref.provider, ref.name, tokens, at)
    )


def window(table: PriceTable, ref: ModelRef) -> int | None:
    """The tokens that the model takes at a time, by either of its names."""
    found = table.window(ref.provider, ref.model)
    return found if found is not None or ref.name == ref.model else table.window(ref.provider, ref.name)


def _override(price: Price) -> Override:
    def fits(provider: str, model: str) -> bool:
        return (not price.providers or provider in price.providers) and first_match(
            price.models, model
        ) is not None

    own = rates(
        input=_picos(price.input),
        output=_picos(price.output),
        cache_read=None if price.cache_read is None else _picos(price.cache_read),
        cache_write=None if price.cache_write is None else _picos(price.cache_write),
        cache_write_1h=None if price.cache_write_1h is None else _picos(price.cache_write_1h),
        reasoning=None if price.reasoning is None else _picos(price.reasoning),
    )
    model = PricedModel(id=price.models[0], window=price.window, offers=(Offer(steps=((0, own),)),))
    return Override(fits=fits, model=model)


def _picos(usd: float) -> int:
    return round(usd * PICO)
