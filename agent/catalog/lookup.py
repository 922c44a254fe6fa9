"""Which surface a host belongs to, and which dialect is spoken at a path of it.

Immutable; tables of names, suffixes and templates (`agent/model/hostpattern.py`), no regular expressions.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.catalog.paths import PathTemplate, normalise, split
from agent.errors import ConfigError
from agent.model.hostpattern import HostTable
from agent.model.surface import Endpoint, Surface

type _Templates = tuple[tuple[PathTemplate, Endpoint], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A request that is bound for a surface; `endpoint` is None where its path is no inference path."""

    surface: Surface
    endpoint: Endpoint | None


class Catalog:
    """The surfaces in force. Where several have a host, all of those that share it are found by path, the first of them
    stands for the host; one that does not share takes it over from all before it."""

    def __init__(self, surfaces: tuple[Surface, ...]) -> None:
        self.surfaces = surfaces
        self._hosts: HostTable[tuple[Surface, ...]] = HostTable()
        self._templates: dict[str, dict[str | None, _Templates]] = {}  # by surface and last segment
        self._literals: dict[str, Endpoint] = {}  # of the gateway's own paths, to be found at once
        self.own = next((surface for surface in surfaces if surface.own), None)
        """The gateway's own surface."""
        for surface in surfaces:
            try:
                self._templates[surface.id] = _by_ending(
                    tuple((PathTemplate.compile(endpoint.path), endpoint) for endpoint in surface.endpoints)
                )
            except ValueError as error:
                raise ConfigError(f"catalog row {surface.id!r}: {error}") from error
            if surface.own:  # every request of the base URL is looked up here first
                self._literals = {each.path: each for each in surface.endpoints}
            for host in surface.hosts:
                before = (self._hosts.kept(host) or ()) if surface.shares else ()
                try:
                    self._hosts.put(host, (*before, surface))
                except ValueError as error:
                    raise ConfigError(f"catalog row {surface.id!r}: {error}") from error

    @property
    def hosts(self) -> frozenset[str]:
        """Every host of every surface, as its row writes it (a name, `*.suffix` or a template)."""
        return frozenset(host for surface in self.surfaces for host in surface.hosts)

    def surfaces_of(self, host: str) -> tuple[Surface, ...]:
        """The surfaces of a host name in any case, with or without a trailing dot; none for every other host."""
        return self._hosts.find(host.lower().rstrip(".")) or ()

    def surface(self, host: str) -> Surface | None:
        """The surface that stands for a host, before anything is known of a request; None for an unknown host."""
        found = self.surfaces_of(host)
        return found[0] if found else None

    def match(self, host: str, path: str, *, app: str = "") -> Match | None:
        """The surface of `host` that has an endpoint at `path` (as sent, without query) for `app`, and that endpoint;
        else the surface that stands for the host. None for an unknown host."""
        return self.found(host, normalise(path), app=app)

    def found(self, host: str, plain_path: str, *, app: str = "") -> Match | None:
        """The same for a normalised path."""
        surfaces = self.surfaces_of(host)
        for surface in surfaces:
            if surface.apps and app and app not in surface.apps:
                continue
            if (endpoint := self.endpoint(surface, plain_path)) is not None:
                return Match(surface=surface, endpoint=endpoint)
        return Match(surface=surfaces[0], endpoint=None) if surfaces else None

    def needs_http2(self, host: str) -> bool:
        """Whether clients of a surface of `host` need HTTP/2."""
        return any(surface.http2 for surface in self.surfaces_of(host))

    def endpoint(self, surface: Surface, path: str) -> Endpoint | None:
        """The inference endpoint at a normalised `path` of a surface of this catalog, or None."""
        if surface.own and (literal := self._literals.get(path)) is not None:
            return literal
        parts = split(path)
        known = self._templates[surface.id]
        for template, endpoint in known.get(parts[-1], known[None]):
            if template.fits(parts):
                return endpoint
        return None


def _by_ending(templates: _Templates) -> dict[str | None, _Templates]:
    """The templates that a path with a certain last segment may fit, in their order; under None for any other: a host
    of many endpoints costs no more than one of few."""
    endings = {template.ending for template, _ in templates}
    return {
        ending: tuple(each for each in templates if each[0].ending in (ending, None))
        for ending in (*endings, None)
    }
