"""Headers that let in only the company's accounts: set where the service reads them, and nowhere else."""

from __future__ import annotations

import re

import pytest

from agent.catalog import Catalog, bundled_tenant_headers
from agent.catalog.tenants import TenantHeader, TenantValue
from agent.errors import PolicyError
from agent.inspection.tenancy import SIGN_IN, Tenancy
from agent.model.surface import Surface
from agent.policy import Policy, load

ORG = "01234567-89ab-cdef-0123-456789abcdef"
OTHER = "11234567-89ab-cdef-0123-456789abcdef"
CATALOG = Catalog(
    (
        Surface(id="anthropic", name="A", provider="anthropic", hosts=("api.anthropic.com", "claude.ai")),
        Surface(id="copilot", name="C", provider="github", hosts=("*.githubcopilot.com",)),
    )
)


def policy(section: str) -> Policy:
    return load(f"schema_version: 1\nid: p\ntenants: {section}", source="p.yaml")


def tenancy(section: str, *more: TenantHeader) -> Tenancy:
    return Tenancy(policy(section), (*bundled_tenant_headers(), *more))


ANTHROPIC = f"{{anthropic-organizations: {{allow: ['{ORG}', '{OTHER}']}}}}"


@pytest.mark.parametrize("host", ["api.anthropic.com", "claude.ai"])
def test_a_header_is_set_where_the_service_reads_it(host: str) -> None:
    value = f"{ORG},{OTHER}".encode()
    assert tenancy(ANTHROPIC).headers(host, "/login") == ((b"anthropic-allowed-org-ids", value),)


@pytest.mark.parametrize("host", ["api.openai.com", "x.claude.ai", "evil-claude.ai", ""])
def test_it_is_set_nowhere_else(host: str) -> None:
    assert tenancy(ANTHROPIC).headers(host, "/login") == ()


def test_suffixes_and_several_headers_of_one_host() -> None:
    copilot = tenancy("{github-enterprise: {allow: [octo]}}")
    assert copilot.headers("api.business.githubcopilot.com", "/") == (
        (b"sec-github-allowed-enterprise", b"octo"),
    )
    entra = tenancy(
        f"{{entra-tenants: {{allow: [contoso.onmicrosoft.com]}}, entra-context: {{allow: ['{ORG}']}}}}"
    )
    assert [name for name, _ in entra.headers("login.microsoftonline.com", "/")] == [
        b"restrict-access-to-tenants",
        b"restrict-access-context",
    ]


def test_a_row_may_be_for_some_paths_only() -> None:
    row = TenantHeader(
        id="narrow",
        header="X-Narrow",
        hosts=("a.example",),
        paths=("/auth/{step}",),
        kind=TenantValue.DOMAINS,
        note="",
        source="",
    )
    made = tenancy("{narrow: {allow: [corp.example]}}", row)
    assert made.headers("a.example", "/auth/login") == ((b"x-narrow", b"corp.example"),)
    assert made.headers("a.example", "/other") == ()


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ("{no-such: {allow: [x]}}", "the catalog has no such header"),
        ("{anthropic-organizations: {allow: [org]}}", "'org' cannot be meant"),
        (f"{{anthropic-organizations: {{allow: ['{ORG}', '{ORG}']}}}}", "twice"),
        ("{openai-organizations: {allow: ['org-1,org-2']}}", "cannot be meant"),
        ('{google-workspace-domains: {allow: ["a.example\\r\\nx: y"]}}', "cannot be meant"),
        ("{google-workspace-domains: {allow: ['ä.example']}}", "cannot be meant"),
        (f"{{entra-context: {{allow: ['{ORG}', '{OTHER}']}}}}", "2 values are more than the service takes"),
        (f"{{entra-policy: {{allow: ['{ORG}']}}}}", "cannot be meant"),
        ("{claude-government-tenants: {allow: [umb_1]}}", "its hosts are the organisation's own"),
        ("{google-workspace-domains: {allow: [a.example], hosts: [www.example.com]}}", "does not read it at"),
    ],
)
def test_what_cannot_be_meant_is_refused(section: str, wrong: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(wrong)):
        tenancy(section)


def test_a_host_is_decrypted_for_it_only_where_the_policy_names_it() -> None:
    unnamed = tenancy("{google-workspace-domains: {allow: [corp.example]}}")
    assert unnamed.extended(CATALOG) is CATALOG
    (note,) = unnamed.notes(CATALOG)
    assert note.text.startswith("accounts.google.com is not decrypted, so the header is not set there")
    named = tenancy(
        f"{{entra-policy: {{allow: ['{ORG}:{OTHER}'], hosts: [login.live.com, login.microsoft.com]}},"
        " entra-tenants: {allow: [x.example], hosts: [login.microsoft.com]}}"
    )
    surface = named.extended(CATALOG).surfaces[-1]
    assert (surface.id, surface.endpoints, surface.websockets) == (SIGN_IN, (), True)
    assert surface.hosts == ("login.live.com", "login.microsoft.com")


def test_a_host_that_is_never_decrypted_stays_so_unless_the_header_is_read_there() -> None:
    own = tenancy("{claude-government-tenants: {allow: [umb_1], hosts: [auth.openai.com]}}")
    with pytest.raises(PolicyError, match="never decrypted"):
        own.extended(CATALOG)
    there = tenancy("{google-workspace-domains: {allow: [a.example], hosts: [accounts.google.com]}}")
    assert there.extended(CATALOG).surface("accounts.google.com") is not None


def test_a_host_that_is_catalogued_anyway_keeps_its_surface() -> None:
    made = tenancy(f"{{anthropic-organizations: {{allow: ['{ORG}'], hosts: [claude.ai, claude.com]}}}}")
    surface = made.extended(CATALOG).surfaces[-1]
    assert surface.hosts == ("claude.com",)


def test_hosts_of_the_organisations_own_are_named() -> None:
    made = tenancy("{claude-government-tenants: {allow: [umb_1], hosts: [claude.agency.example]}}")
    assert made.headers("claude.agency.example", "/") == ((b"anthropic-allowed-tenant-ids", b"umb_1"),)


def test_the_bundled_rows_fit_their_own_kinds() -> None:
    assert {row.kind for row in bundled_tenant_headers()} <= set(TenantValue)
    assert tenancy("{}").headers("claude.ai", "/") == ()
