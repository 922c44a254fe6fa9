"""The section `tenants` as it is written."""

from __future__ import annotations

import re

import pytest

from agent.errors import PolicyError
from agent.policy import load


def test_headers_are_named_by_their_id() -> None:
    policy = load("schema_version: 1\nid: p\ntenants: {github-enterprise: {allow: [octo]}}", source="p.yaml")
    assert policy.tenants["github-enterprise"].allow == ("octo",)


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ("{github-enterprise: {}}", "tenants.github-enterprise.allow: this key is required"),
        ("{github-enterprise: {allow: []}}", "at least 1 item"),
        ("{github-enterprise: {alow: [x]}}", "unknown key 'alow'"),
        ("{github-enterprise: {allow: [x], hosts: ['*.com']}}", "too wide"),
    ],
)
def test_mistakes_are_named(section: str, wrong: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(wrong)):
        load(f"schema_version: 1\nid: p\ntenants: {section}", source="p.yaml")
