"""The hosts of the catalog's files, each checked; `test_rows.py` has what is refused in a row."""

from __future__ import annotations

import pytest

from agent.catalog.hosts import checked_host
from agent.errors import ConfigError


@pytest.mark.parametrize(
    "host", ["a.example", "*.a.example", "{region}-llm.example.com", "q.{x}.example.com"]
)
def test_names_suffixes_and_templates_are_hosts(host: str) -> None:
    assert checked_host(host, where="w") == host


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        (1, "w: 1 is no host name"),
        ("*.{x}.example.com", "both braces and"),
        ("A.{x}.example.com", "is no host name"),
        ("api.{x}.com", "too wide"),
        ("{x.example.com", "one closed"),
    ],
)
def test_anything_else_names_its_place(host: object, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        checked_host(host, where="w")
