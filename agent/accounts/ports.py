"""What accounts ask of others, and what the gateway tells them of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from agent.accounts.estimate import Measure
from agent.model.conversation import TokenCount
from agent.model.direct import direct


class PriceSource(Protocol):
    """Knows what models cost."""

    def cost(self, provider: str, model: str, tokens: TokenCount, at: float) -> int | None:
        """Nano-dollars of such a call at a moment (Unix seconds), None where there is no price."""
        ...


class NoPrices:
    """Knows none."""

    def cost(self, provider: str, model: str, tokens: TokenCount, at: float) -> int | None:
        """See `PriceSource`."""
        del provider, model, tokens, at
        return None


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One call that somebody wants to make. `max_output_tokens` is the bound that the client set, None without."""

    provider: str
    model: str  # as the provider is asked for it
    measure: Measure
    name: str = ""  # as clients call it there, where that is another
    max_output_tokens: int | None = None
    answers: int = 1  # how many the client wants (`n`)
    cache_hour: bool = (
        False  # the prompt may be written to the provider's cache for an hour, which costs most
    )


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a call took. Where the provider did not count, `tokens` are what was estimated, and `estimated` says so."""

    tokens: TokenCount
    nano_usd: int | None = None  # None: by the price of the moment at which it was reserved
    estimated: bool = False
