"""Facts about AI services as data: which hosts, which paths, which dialect. Lookups only, no input or output beyond
reading the bundled files."""

from agent.catalog.apps import bundled_apps, parse_apps
from agent.catalog.harness import Harness, bundled_harness
from agent.catalog.logins import LoginFacts, bundled_logins
from agent.catalog.lookup import Catalog, Match
from agent.catalog.never import NeverTable, bundled_never
from agent.catalog.providers import bundled_providers
from agent.catalog.recognition import Apps
from agent.catalog.rows import Rows, bundled_rows, bundled_surfaces, parse_rows, parse_surfaces
from agent.catalog.shapes import bundled_shapes, parse_shapes
from agent.catalog.telltales import Telltales, bundled_telltales
from agent.catalog.tenants import TenantHeader, bundled_tenant_headers

__all__ = [
    "Apps",
    "Catalog",
    "Harness",
    "LoginFacts",
    "Match",
    "NeverTable",
    "Rows",
    "Telltales",
    "TenantHeader",
    "bundled_apps",
    "bundled_harness",
    "bundled_logins",
    "bundled_never",
    "bundled_providers",
    "bundled_rows",
    "bundled_shapes",
    "bundled_surfaces",
    "bundled_telltales",
    "bundled_tenant_headers",
    "parse_apps",
    "parse_rows",
    "parse_shapes",
    "parse_surfaces",
]
