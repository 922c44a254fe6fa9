"""Host names in policies."""

from __future__ import annotations

import re

import pytest

from agent.policy.hostnames import check_host, check_host_glob


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("API.OpenAI.com", "api.openai.com"),
        ("*.openai.azure.com", "*.openai.azure.com"),
        ("LLM.{region}.example.com", "llm.{region}.example.com"),
        ("localhost", "localhost"),
        ("10.0.0.1", "10.0.0.1"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
    ],
)
def test_exact_names_and_suffixes_are_lowered(written: str, read: str) -> None:
    assert check_host(written) == read


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("https://x.example", "without scheme"),
        ("x.example/path", "without scheme or path"),
        ("x.example:443", "without port"),
        ("*.com", "too wide"),
        ("a.*.example.com", "'*'"),
        ("api.{name}.com", "too wide"),
        ("{a}{b}.example.com", "one closed {name}"),
        ("{a.example.com", "one closed {name}"),
        ("a}.example.com", "stray brace"),
        ("*.{a}.example.com", "'*'"),
        ("x..example", "empty label"),
        ("x.example.", "empty label"),
        ("", "1 to 253"),
        ("a" * 64 + ".example", "more than 63"),
        ("-a.example", "starts or ends with '-'"),
        ("a b.example", "' '"),
        ("münchen.example", "'xn--mnchen-3ya.example'"),
        ("xn--a.example", "not valid IDNA"),
    ],
)
def test_anything_else_is_refused_with_the_reason(written: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(wrong)):
        check_host(written)


def test_rules_may_use_wildcards_anywhere() -> None:
    assert check_host_glob("Api-?.*.example") == "api-?.*.example"
    with pytest.raises(ValueError, match="without port"):
        check_host_glob("*:443")
