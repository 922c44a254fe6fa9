"""Which surface a host belongs to, and which dialect is spoken at a path of it.

Immutable; tables of names, suffixes and templates (`agent/model/hostpattern.py`), no regular expressions.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.catalog.paths import PathIndex, PathSet, PathTemplate, normalise, parts_of
from agent.errors import ConfigError
from agent.model.hostpattern import HostTable
from agent.model.surface import Endpoint, Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A request that is bound for a surface; `endpoint` is None where its path is no inference path. `never` says that
    the catalog lists the path as one that is never looked at."""

    surface: Surface
    endpoint: Endpoint | None
    never: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The surfaces that share hosts, in order, and what is at their paths."""

    surfaces: tuple[Surface, ...]
    paths: PathIndex[Match]
    never: PathSet
    unlisted: Match  # the first surface's, where nothing else is known
    untouched: Match

    @classmethod
    def of(cls, surfaces: tuple[Surface, ...]) -> _Group:
        """Raises ConfigError for a template that cannot work, and for an endpoint that a `never` path hides."""
        never = tuple((template, row) for row in surfaces for template in _compiled(row, row.never))
        paths: list[tuple[PathTemplate, Match]] = []
        for row in surfaces:
            templates = _compiled(row, tuple(endpoint.path for endpoint in row.endpoints))
            for template, endpoint in zip(templates, row.endpoints, strict=True):
                paths.append((template, Match(surface=row, endpoint=endpoint)))
                for other, owner in never:
                    if other.matches(template.specimen):
                        raise ConfigError(
                            f"catalog row {row.id!r}: the endpoint {endpoint.path} is never reached: "
                            f"a 'never' path of {owner.id!r} is there",
                            hint="make the 'never' path narrower, or take the endpoint out",
                        )
        first = surfaces[0]
        return cls(
            surfaces=surfaces,
            paths=PathIndex(paths),
            never=PathSet(template for template, _ in never),
            unlisted=Match(surface=first, endpoint=None),
            untouched=Match(surface=first, endpoint=None, never=True),
        )

    def at(self, path: str, app: str) -> Match:
        """What is at a normalised path, for an app."""
        parts = parts_of(path)
        if self.never.has(parts):
            return self.untouched
        for template, match in self.paths.candidates(parts[-1]):
            if template.fits(parts) and (not app or not (apps := match.surface.apps) or app in apps):
                return match
        return self.unlisted


class Catalog:
    """The surfaces in force. Where several have a host, all of those that share it are found by path, the first of them
    stands for the host; one that does not share takes it over from all before it."""

    def __init__(self, surfaces: tuple[Surface, ...], *, version: str = "") -> None:
        """Raises ConfigError for a host or a path that cannot work."""
        self.surfaces = surfaces
        self.version = version
        """Which rows these are, as their files say."""
        self._hosts: HostTable[_Group] = HostTable()
        self._rows = {surface.id: _Group.of((surface,)) for surface in surfaces}
        self._literals: dict[str, Endpoint] = {}  # of the gateway's own paths, to be found at once
        self.own = next((surface for surface in surfaces if surface.own), None)
        """The gateway's own surface."""
        if self.own is not None:  # every request of the base URL is looked up here first
            self._literals = {each.path: each for each in self.own.endpoints}
        sharing: dict[str, tuple[Surface, ...]] = {}
        for surface in surfaces:
            for host in surface.hosts:
                sharing[host] = (*sharing.get(host, ()), surface) if surface.shares else (surface,)
        groups: dict[tuple[str, ...], _Group] = {}
        for host, rows in sharing.items():
            ids = tuple(row.id for row in rows)
            if (group := groups.get(ids)) is None:
                group = groups[ids] = self._rows[ids[0]] if len(ids) == 1 else _Group.of(rows)
            try:
                self._hosts.put(host, group)
            except ValueError as error:
                raise ConfigError(f"catalog row {ids[0]!r}: {error}") from error

    @property
    def hosts(self) -> frozenset[str]:
        """Every host of every surface, as its row writes it (a name, `*.suffix` or a template)."""
        return frozenset(host for surface in self.surfaces for host in surface.hosts)

    def surfaces_of(self, host: str) -> tuple[Surface, ...]:
        """The surfaces of a host name in any case, with or without a trailing dot; none for every other host."""
        group = self._hosts.find(host.lower().rstrip("."))
        return group.surfaces if group is not None else ()

    def surface(self, host: str) -> Surface | None:
        """The surface that stands for a host, before anything is known of a request; None for an unknown host."""
        found = self.surfaces_of(host)
        return found[0] if found else None

    def row(self, name: str) -> Surface | None:
        """The surface of that id."""
        group = self._rows.get(name)
        return group.surfaces[0] if group is not None else None

    def match(self, host: str, path: str, *, app: str = "") -> Match | None:
        """The surface of `host` that has an endpoint at `path` (as sent, without query) for `app`, and that endpoint;
        else the surface that stands for the host. None for an unknown host."""
        return self.found(host, normalise(path), app=app)

    def found(self, host: str, plain_path: str, *, app: str = "") -> Match | None:
        """The same for a normalised path."""
        group = self._hosts.find(host.lower().rstrip("."))
        return group.at(plain_path, app) if group is not None else None

    def needs_http2(self, host: str) -> bool:
        """Whether clients of a surface of `host` need HTTP/2."""
        return any(surface.http2 for surface in self.surfaces_of(host))

    def pins(self, host: str, app: str) -> bool:
        """Whether an app is known to accept only certificates of its own choice from `host`: it cannot be inspected."""
        return bool(app) and any(app in surface.pinned for surface in self.surfaces_of(host))

    def endpoint(self, surface: Surface, path: str) -> Endpoint | None:
        """The inference endpoint at a normalised `path` of a surface of this catalog, or None."""
        if surface.own and (literal := self._literals.get(path)) is not None:
            return literal
        return self._rows[surface.id].at(path, "").endpoint

    def untouched(self, surface: Surface, path: str) -> bool:
        """Whether a normalised `path` of a surface of this catalog is one that is never looked at."""
        return self._rows[surface.id].at(path, "").never


def _compiled(row: Surface, templates: tuple[str, ...]) -> tuple[PathTemplate, ...]:
    try:
        return tuple(PathTemplate.compile(template) for template in templates)
    except ValueError as error:
        raise ConfigError(f"catalog row {row.id!r}: {error}") from error
