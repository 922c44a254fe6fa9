"""Tenant headers: strictly read, and the bundled ones are sane."""

from __future__ import annotations

import pytest

from agent.catalog.tenants import TenantValue, bundled_tenant_headers, parse_tenant_headers
from agent.errors import ConfigError

ROW = """[[tenant]]
id = "x"
header = "X-Allowed"
hosts = ["x.example"]
kind = "domains"
source = "somewhere"
"""


def test_a_row_is_read_whole() -> None:
    (header,) = parse_tenant_headers(
        ROW + 'paths = ["/backend-api/{path}"]\nnote = "n"\nlimit = 3\n', source="t.toml"
    )
    assert (header.id, header.header, header.hosts) == ("x", "X-Allowed", ("x.example",))
    assert (header.kind, header.paths, header.limit) == (TenantValue.DOMAINS, ("/backend-api/{path}",), 3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "missing tenant"),
        (ROW + "colour = 1", "unknown colour"),
        (ROW.replace('source = "somewhere"', ""), "missing source"),
        (ROW + ROW, "the id stands in two rows"),
        (ROW.replace("X-Allowed", "X Allowed"), "is no name of a header"),
        (ROW.replace('"domains"', '"people"'), "there is no kind 'people'"),
        (ROW.replace("x.example", "https://x"), "is no host name"),
        (ROW + 'paths = ["a"]', "must start with"),
        (ROW + "limit = 0", "limit must be a whole number"),
    ],
)
def test_a_mistake_is_an_error_that_names_its_place(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        parse_tenant_headers(text, source="t.toml")
    assert str(caught.value).startswith("t.toml")


def test_the_bundled_headers_are_read_and_each_host_has_a_header_once() -> None:
    headers = bundled_tenant_headers()
    assert {header.id for header in headers} >= {"chatgpt-workspaces", "anthropic-organizations"}
    pairs = [(host, header.header.lower()) for header in headers for host in header.hosts]
    assert len(pairs) == len(set(pairs))
