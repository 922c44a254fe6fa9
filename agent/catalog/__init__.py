"""Facts about AI services as data: which hosts, which paths, which dialect. Lookups only, no input or output beyond
reading the bundled files."""

from agent.catalog.harness import Harness, bundled_harness
from agent.catalog.lookup import Catalog, Match
from agent.catalog.providers import bundled_providers
from agent.catalog.rows import bundled_surfaces, parse_surfaces
from agent.catalog.tenants import TenantHeader, bundled_tenant_headers

__all__ = [
    "Catalog",
    "Harness",
    "Match",
    "TenantHeader",
    "bundled_harness",
    "bundled_providers",
    "bundled_surfaces",
    "bundled_tenant_headers",
    "parse_surfaces",
]
