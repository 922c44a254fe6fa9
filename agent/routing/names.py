"""Whom a model's name means: `provider/model`, a name of the policy's own, or a bare name that one provider serves.

A name leads to the providers of the policy and to no other. What it could mean is looked for in this order, and the
first that is found counts: the policy's `models`; a provider's id before the first slash; a provider that lists the
name; the provider by whose door the client came, if it is known to serve such models; the provider whose models are
called so (agent/catalog/model_names.toml); one that the table of prices knows to serve it; the provider of the door,
whatever the name; the only provider there is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from agent.catalog.model_names import Family
from agent.catalog.prices import PriceTable
from agent.errors import ContentError
from agent.routing.configured import ConfiguredProvider

LONGEST = 256  # characters of a name; no vendor's is near
REMEMBERED = 4096  # names
_SHOWN = 3
_DOTS = frozenset({".", ".."})


class UnknownModel(ContentError):
    """No provider of the policy serves what the client asked for. `close` are names that it may have meant."""

    def __init__(self, name: str, reason: str, close: tuple[str, ...] = ()) -> None:
        self.name = name
        self.close = close
        meant = f"did you mean {' or '.join(close)}? " if close else ""
        super().__init__(
            f"the model {name[:LONGEST]!r} {reason}",
            hint=f"{meant}write provider/model, or a name that the policy gives".strip(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRef:
    """One model of one provider. `model` is the provider's own name for it, `name` what clients call it there."""

    provider: str
    model: str
    name: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"


class ModelNames:
    """Resolves the names of models under one policy."""

    def __init__(
        self,
        providers: Mapping[str, ConfiguredProvider],
        *,
        aliases: Mapping[str, tuple[str, ...]],
        families: tuple[Family, ...],
        table: PriceTable,
    ) -> None:
        """`aliases` are the policy's `models`: names with `provider/model`, one or several."""
        self._providers = providers
        self.aliases = aliases
        self._families = families
        self._table = table
        self._found: dict[tuple[str, str], tuple[ModelRef, ...]] = {}

    def resolve(self, name: str, *, preferred: str = "") -> tuple[ModelRef, ...]:
        """What `name` means: one model, or several of the policy's in the order in which they are to be tried.
        `preferred` is the id of the provider by whose door the client came. Raises UnknownModel."""
        found = self._found.get((name, preferred))
        if found is None:
            found = self._meant(name, preferred)
            if len(self._found) >= REMEMBERED:  # clients choose the names
                self._found.clear()
            self._found[name, preferred] = found
        return found

    def _meant(self, name: str, preferred: str) -> tuple[ModelRef, ...]:
        if not name or len(name) > LONGEST or not name.isprintable() or not _DOTS.isdisjoint(name.split("/")):
            raise UnknownModel(name, "is no name of a model")  # nor of a place in a provider's address
        targets = self.aliases.get(name)
        if targets is not None:
            return tuple(self._qualified(target) for target in targets)
        head, slash, rest = name.partition("/")
        if slash and rest and head in self._providers:
            return (self._qualified(name),)
        for provider in self._serving(name, preferred):
            return (self._ref(provider, name),)
        raise self._unknown(name)

    def all_serving(self, name: str, *, among: Collection[str]) -> tuple[ModelRef, ...]:
        """Every provider of `among` that serves the bare `name`, by the policy's lists or the table of prices."""
        found = dict.fromkeys(each.id for each in self._serving(name, "") if each.id in among)
        return tuple(self._ref(self._providers[each], name) for each in found)

    def known(self) -> Iterator[str]:
        """Names that can be asked for: the policy's own, and `provider/model` of all that is known."""
        yield from self.aliases
        for provider in self._providers.values():
            for model in self.served(provider):
                yield f"{provider.id}/{model}"

    def served(self, provider: ConfiguredProvider) -> tuple[str, ...]:
        """The models of `provider` that are known: those which the policy lists, and unless it serves only them, those
        of the table that are not about to end."""
        listed = tuple(provider.settings.models)
        if provider.settings.only_listed:
            return listed
        of_table = (model.id for model in self._table.models(provider.id) if not model.deprecated)
        return tuple(dict.fromkeys((*listed, *of_table)))

    def _serving(self, name: str, preferred: str) -> Iterator[ConfiguredProvider]:
        """Providers that serve a bare name, the likeliest first."""
        providers = self._providers.values()
        yield from (each for each in providers if name in each.settings.models)
        unlisted = [each for each in providers if not each.settings.only_listed]
        lower = name.lower()
        rows = next((family.providers for family in self._families if family.has(lower)), ())
        in_table = [each for each in unlisted if self._table.find(each.id, name) is not None]
        yield from (
            each for each in unlisted if each.id == preferred and (each.row.id in rows or each in in_table)
        )
        for row in rows:
            yield from (each for each in unlisted if each.row.id == row)
        yield from in_table
        yield from (each for each in unlisted if each.id == preferred or len(providers) == 1)

    def _qualified(self, name: str) -> ModelRef:
        head, _, model = name.partition("/")
        provider = self._providers.get(head)
        if provider is None:
            raise UnknownModel(name, f"names the provider {head!r}, which the policy does not have")
        if provider.settings.only_listed and model not in provider.settings.models:
            raise UnknownModel(
                name,
                "is not served",
                tuple(f"{head}/{each}" for each in _close(model, provider.settings.models)),
            )
        return self._ref(provider, model)

    def _ref(self, provider: ConfiguredProvider, name: str) -> ModelRef:
        name = provider.called(name)
        return ModelRef(provider=provider.id, model=provider.upstream_model(name), name=name)

    def _unknown(self, name: str) -> UnknownModel:
        if not self._providers:
            return UnknownModel(name, "is not served: the policy names no provider")
        head, slash, _ = name.partition("/")
        close = _close(name, self.known())
        if not close and not slash:  # `gpt-5` is closer to `openai/gpt-5` than the letters say
            bare = {model: each.id for each in self._providers.values() for model in self.served(each)}
            close = tuple(f"{bare[model]}/{model}" for model in _close(name, bare))
        what = f"is not served: there is no provider {head!r}, and none has it" if slash else "is not served"
        return UnknownModel(name, what, close)


def _close(name: str, names: Iterator[str] | Mapping[str, str]) -> tuple[str, ...]:
    """Names that are spelled much like `name`. Few mistype the first letter; to compare all would take milliseconds."""
    first = name[:1].lower()
    return tuple(
        get_close_matches(
            name[:128], [each for each in names if each[:1].lower() == first], n=_SHOWN, cutoff=0.7
        )
    )
