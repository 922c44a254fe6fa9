"""Facts about AI services as data: which hosts, which paths, which dialect. Lookups only, no input or output beyond
reading the bundled files."""

from agent.catalog.apps import bundled_apps, parse_apps
from agent.catalog.harness import Harness, bundled_harness
from agent.catalog.logins import LoginFacts, bundled_logins
from agent.catalog.lookup import Catalog, Match
from agent.catalog.providers import bundled_providers
from agent.catalog.recognition import Apps
from agent.catalog.rows import bundled_surfaces, parse_surfaces

__all__ = [
    "Apps",
    "Catalog",
    "Harness",
    "LoginFacts",
    "Match",
    "bundled_apps",
    "bundled_harness",
    "bundled_logins",
    "bundled_providers",
    "bundled_surfaces",
    "parse_apps",
    "parse_surfaces",
]
