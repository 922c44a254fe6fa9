"""Single values of a policy."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from agent.model.decision import Action
from agent.policy import fields


def read(kind: Any, value: object) -> object:
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    "reference",
    ["env:OPENAI_API_KEY", "file:/run/key", r"file:C:\key", "keyring:drawbridge/x", "exec:/bin/op read x"],
)
def test_references_to_secrets_are_taken_as_they_are(reference: str) -> None:
    assert read(fields.SecretReference, reference) == reference


@pytest.mark.parametrize(
    "literal",
    ["abc", "env:", "env:A B", "env:1A", "file:relative", "keyring:service", "keyring:/x", "https://x", ""],
)
def test_anything_else_is_no_reference(literal: str) -> None:
    with pytest.raises(ValidationError, match="env:NAME, file:/absolute/path, keyring:service/name or exec:"):
        read(fields.SecretReference, literal)


@pytest.mark.parametrize(
    "url",
    [
        "https://gw.example/llm",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost",
        "https://10.0.0.1",
    ],
)
def test_a_gateway_has_tls_or_is_on_this_machine(url: str) -> None:
    assert read(fields.BaseUrl, url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://gw.example",
        "http://10.0.0.1",
        "http://127.0.0.1.evil.example",
        "ftp://gw.example",
        "https://",
        "gw.example",
        "https://gw.example:99999",
        "https://gw.example/a b",
        "https://user:x@gw.example",
        "https://gw.example?a=1",
        "https://*.example.com",
        "https://[::1",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        read(fields.BaseUrl, url)


@pytest.mark.parametrize(("written", "name"), [("Authorization", "authorization"), ("x-bf-vk", "x-bf-vk")])
def test_header_names_are_lowered(written: str, name: str) -> None:
    assert read(fields.HeaderName, written) == name


@pytest.mark.parametrize("name", ["Host", "Content-Length", "transfer-encoding", "a b", "a:b", "", "é"])
def test_headers_that_frame_a_request_cannot_carry_a_key(name: str) -> None:
    with pytest.raises(ValidationError):
        read(fields.HeaderName, name)


@pytest.mark.parametrize(
    "path", ["/v1/chat", "**/chat/completions", "/v1/models/{model}:generateContent", "/"]
)
def test_endpoint_paths_are_those_of_the_catalog(path: str) -> None:
    assert read(fields.EndpointPath, path) == path


@pytest.mark.parametrize(
    "path", ["v1", "**x", "/a?b", "/{a}{b}", "/{", "/}", "/{}", "/a/*", "/a/{1}", "/a b"]
)
def test_other_endpoint_paths_are_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        read(fields.EndpointPath, path)


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        ("ab(c", "missing )"),
        ("abc(?=d)", "at character 4"),
        ("x{2000}", "invalid repetition size at character 2"),
        ("a*", "matches the empty text"),
        ("(a{500}){500}", "is not a regular expression RE2 accepts"),
    ],
)
def test_a_pattern_that_cannot_work_is_told_why_and_where(pattern: str, wrong: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read(fields.Pattern, pattern)
    assert wrong in str(caught.value)


def test_actions_are_read_as_words() -> None:
    assert read(fields.GuardrailAction, "redact") is Action.REDACT
    with pytest.raises(ValidationError, match="must be one of: allow, block"):
        read(fields.AccessAction, "redact")
    with pytest.raises(ValidationError, match="must be one of"):
        read(fields.AccessAction, 40)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"((a{1,100}){1,100}){1,100}", "RE2 accepts: invalid repetition size"),
        (r"\pL{30}x", "is too costly"),
        (r"(.*)*", "matches the empty text"),
        (r"(a+)\1", "RE2 accepts"),
    ],
)
def test_a_pattern_that_could_cost_too_much_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        read(fields.Pattern, pattern)


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(.*)*x", r"(a|aa)+$", r"(?:a?){100}a{100}"])
def test_a_pattern_that_would_stop_other_engines_is_accepted(pattern: str) -> None:
    assert read(fields.Pattern, pattern) == pattern


@pytest.mark.parametrize("name", ["a.toml", "packs/a.toml", "ünïcode/a b.toml"])
def test_a_companion_is_a_file_below_the_policys_folder(name: str) -> None:
    assert read(fields.Companion, name) == name
