"""Everything that one policy says about providers, compiled: who they are, what they serve, and at which price.

Built beside the rule book whenever a policy is read, and like it never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from agent.catalog.model_names import bundled_families
from agent.catalog.prices import PriceTable, bundled_sections
from agent.catalog.providers import bundled_providers
from agent.errors import ConfigError, PolicyError
from agent.gateway.routing import target_of
from agent.gateway.unified.sole import SolePlans
from agent.model.conversation import TokenCount
from agent.model.provider import Provider, Spoken
from agent.model.surface import Surface
from agent.model.traffic import Target
from agent.policy import Policy, ProviderSettings
from agent.policy.routes import Routing, Untranslatable
from agent.routing import pricing
from agent.routing.configured import ConfiguredProvider, configured
from agent.routing.names import ModelNames, ModelRef, UnknownModel
from agent.routing.plan import KEYLESS, Candidate, KeyRef, Limits
from agent.translation.base import Quirks

_REMEMBERED = 4096  # addresses: clients choose the models in them
_NOTHING = ProviderSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a request goes on a provider: the origin, the path, and the query that belongs to it."""

    target: Target
    path: bytes
    query: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """What a candidate carries for the gateway: the provider, and the model under both its names."""

    provider: ConfiguredProvider
    ref: ModelRef
    quirks: Quirks


class RouteBook:
    """See the module."""

    def __init__(self, policy: Policy) -> None:
        """Reads the catalog's files. Raises PolicyError for a provider that cannot be asked."""
        rows = {row.id: row for row in bundled_providers()}
        try:
            self.providers: Mapping[str, ConfiguredProvider] = configured(policy.providers, rows)
            for provider in self.providers.values():
                _ = provider.origin
        except ConfigError as error:
            raise PolicyError(str(error), hint=error.hint()) from error
        self.routing: Routing = policy.routing
        self.limits = Limits.of(policy.routing)
        self.propagates = policy.telemetry.propagate
        self.drops_fields = policy.routing.untranslatable is Untranslatable.DROP
        self._quirks = {name: _quirks(each.row) for name, each in self.providers.items()}
        self._called = {
            (provider.id, model): name
            for provider in self.providers.values()
            for name, model in provider.settings.models.items()
        }
        known = {name: ConfiguredProvider(id=name, row=row, settings=_NOTHING) for name, row in rows.items()}
        self.prices: PriceTable = pricing.price_table(
            bundled_sections(), {**known, **self.providers}, policy.prices
        )
        """Of the policy's providers, and of those that intercepted traffic goes to: these go by the catalog's ids."""
        self.names = ModelNames(
            self.providers, aliases=policy.models, families=bundled_families(), table=self.prices
        )
        self.sole = SolePlans()
        """Plans without an alternative."""
        self._candidates: dict[tuple[ModelRef, float, tuple[str, ...] | None], Candidate] = {}
        self._offers: dict[tuple[str, str, str], tuple[Spoken, ...]] = {}
        self._places: dict[tuple[str, str, str, str, bool], Place] = {}

    def cost(self, provider: str, model: str, tokens: TokenCount, at: float) -> int | None:
        """Nano-dollars, None where there is no price. `model` is the provider's name for it; where that is a
        deployment's, which says nothing, the policy's name for it is tried."""
        found = self.prices.cost(provider, model, tokens, at)
        if found is None and (name := self._called.get((provider, model))) is not None:
            return self.prices.cost(provider, name, tokens, at)
        return found

    def meant(self, model: str, *, door: Surface) -> tuple[str, str]:
        """On whose account goes what is not planned here: the provider by whose door it came, else the one that the
        model's name means, whoever is to serve it; the gateway itself, where it means nothing."""
        if not door.own:
            return door.id, model
        try:
            [ref, *_] = self.names.resolve(model)
        except UnknownModel:
            provider, slash, name = model.partition("/")
            return (provider, name) if slash else (door.id, model)
        return ref.provider, ref.model

    def candidate(
        self, ref: ModelRef, *, weight: float = 1.0, keys: tuple[str, ...] | None = None
    ) -> Candidate:
        """`ref` as something that can be tried. `keys` are the names of those that may be used, None for all."""
        wanted = (ref, weight, keys)
        found = self._candidates.get(wanted)
        if found is None:
            if len(self._candidates) >= _REMEMBERED:
                self._candidates.clear()
            found = self._candidates[wanted] = self._candidate(ref, weight, keys)
        return found

    def _candidate(self, ref: ModelRef, weight: float, keys: tuple[str, ...] | None) -> Candidate:
        provider = self.providers[ref.provider]
        allowed = tuple(
            KeyRef(name=key.name, reference=key.key, weight=key.weight, concurrency=key.concurrency)
            for key in provider.keys_for(ref.name)
            if keys is None or key.name in keys
        )
        return Candidate(
            provider=replace(provider.row, id=provider.id),
            model=ref.model,
            keys=allowed if provider.keys else (KEYLESS,),
            weight=weight,
            private=provider.private,
            settings=Backing(provider=provider, ref=ref, quirks=self._quirks[provider.id]),
        )

    def offers(self, provider: ConfiguredProvider, model: str, operation: str) -> tuple[Spoken, ...]:
        """The formats in which a provider takes that operation on a model, the preferred ones first."""
        key = (provider.id, model, operation)
        found = self._offers.get(key)
        if found is None:
            if len(self._offers) >= _REMEMBERED:
                self._offers.clear()
            spoken = provider.speaks(model)
            found = self._offers[key] = tuple(each for each in spoken if operation in each.paths)
        return found

    def place(
        self, provider: ConfiguredProvider, spoken: Spoken, operation: str, model: str, *, stream: bool
    ) -> Place:
        """Where to ask. Raises ConfigError where the provider has no such operation."""
        key = (provider.id, spoken.dialect, operation, model, stream)
        place = self._places.get(key)
        if place is None:
            if len(self._places) >= _REMEMBERED:
                self._places.clear()
            url, _, query = provider.url(spoken, operation, model, stream=stream).partition("?")
            target = target_of(url)
            place = self._places[key] = Place(
                target=replace(target, base_path=""),
                path=(urlsplit(url).path or "/").encode("latin-1"),
                query=query.encode("latin-1"),
            )
        return place


def _quirks(row: Provider) -> Quirks:
    return Quirks(**dict(row.quirks))  # type: ignore[arg-type]  # checked when the row was read
