"""Which surface a host belongs to, and which dialect is spoken at a path of it.

Immutable; suffix tables, no patterns.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.catalog.paths import PathTemplate, normalise
from agent.errors import ConfigError
from agent.model.surface import Endpoint, Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A request that is bound for a surface; `endpoint` is None where its path is no inference path."""

    surface: Surface
    endpoint: Endpoint | None


class Catalog:
    """The surfaces in force. Later surfaces win over earlier ones with the same host."""

    def __init__(self, surfaces: tuple[Surface, ...]) -> None:
        self.surfaces = surfaces
        self._exact: dict[str, Surface] = {}
        self._suffixes: dict[str, Surface] = {}
        self._templates: dict[str, tuple[tuple[PathTemplate, Endpoint], ...]] = {}
        self._literals: dict[str, Endpoint] = {}  # of the gateway's own paths, to be found at once
        self.own = next((surface for surface in surfaces if surface.own), None)
        """The gateway's own surface."""
        for surface in surfaces:
            try:
                self._templates[surface.id] = tuple(
                    (PathTemplate.compile(endpoint.path), endpoint) for endpoint in surface.endpoints
                )
            except ValueError as error:
                raise ConfigError(f"catalog row {surface.id!r}: {error}") from error
            if surface.own:  # every request of the base URL is looked up here first
                self._literals = {each.path: each for each in surface.endpoints}
            for host in surface.hosts:
                if host.startswith("*."):
                    self._suffixes[host[2:]] = surface
                else:
                    self._exact[host] = surface

    @property
    def hosts(self) -> frozenset[str]:
        """Every host of every surface, as its row writes it (`name` or `*.suffix`)."""
        return frozenset(host for surface in self.surfaces for host in surface.hosts)

    def surface(self, host: str) -> Surface | None:
        """The surface of a host name in any case, with or without a trailing dot; None for every other host."""
        host = host.lower().rstrip(".")
        if (found := self._exact.get(host)) is not None:
            return found
        rest = host
        while (dot := rest.find(".")) >= 0:
            rest = rest[dot + 1 :]
            if (found := self._suffixes.get(rest)) is not None:
                return found
        return None

    def match(self, host: str, path: str) -> Match | None:
        """The surface of `host` and the endpoint at `path` (as sent, without query); None for an unknown host."""
        surface = self.surface(host)
        if surface is None:
            return None
        return Match(surface=surface, endpoint=self.endpoint(surface, normalise(path)))

    def endpoint(self, surface: Surface, path: str) -> Endpoint | None:
        """The inference endpoint at a normalised `path` of a surface of this catalog, or None."""
        if surface.own and (literal := self._literals.get(path)) is not None:
            return literal
        for template, endpoint in self._templates[surface.id]:
            if template.matches(path):
                return endpoint
        return None
