"""Facts about AI services as data: which hosts, which paths, which dialect. Lookups only, no input or output beyond
reading the bundled files."""

from agent.catalog.harness import Harness, bundled_harness
from agent.catalog.lookup import Catalog, Match
from agent.catalog.providers import bundled_providers
from agent.catalog.rows import bundled_surfaces, parse_surfaces
from agent.catalog.shapes import bundled_shapes, parse_shapes

__all__ = [
    "Catalog",
    "Harness",
    "Match",
    "bundled_harness",
    "bundled_providers",
    "bundled_shapes",
    "bundled_surfaces",
    "parse_shapes",
    "parse_surfaces",
]
