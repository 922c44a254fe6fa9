"""The smallest request in each format, and what comes back."""

from __future__ import annotations

import orjson
import pytest

from agent.catalog import bundled_providers
from agent.routing.probe import first_model, probe, said


@pytest.mark.parametrize(
    "dialect", sorted({spoken.dialect for row in bundled_providers() for spoken in row.speaks})
)
def test_every_format_has_one(dialect: str) -> None:
    body = probe(dialect, "m", {})
    assert b"16" in body
    assert orjson.loads(body)


def test_a_limit_is_called_as_the_provider_calls_it() -> None:
    assert "max_completion_tokens" in orjson.loads(probe("openai-chat", "m", {}))
    assert "max_tokens" in orjson.loads(probe("openai-chat", "m", {"max_tokens_field": "max_tokens"}))


@pytest.mark.parametrize(
    ("listed", "model"),
    [
        (b'{"object": "list", "data": [{"id": "a"}, {"id": "b"}]}', "a"),
        (b'{"models": [{"name": "models/gemini-x"}]}', "gemini-x"),
        (b'[{"id": "openai/gpt"}]', "openai/gpt"),
        (b'{"data": []}', ""),
        (b'{"data": [1, {"id": 2}]}', ""),
        (b"<html>", ""),
    ],
)
def test_the_first_model_is_found_in_any_list(listed: bytes, model: str) -> None:
    assert first_model(listed) == model


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b'{"error": {"message": "no\\nsuch model"}}', "no such model"),
        (b'{"error": "gone"}', "gone"),
        (b'{"message": "bad"}', "bad"),
        (b'[{"error": {"message": "listed"}}]', "listed"),
        (b'{"error": {"code": 1}}', ""),
        (b"[]", ""),
        (b"oops", ""),
    ],
)
def test_what_went_wrong_is_read_from_any_shape(answer: bytes, text: str) -> None:
    assert said(answer) == text
    assert len(said(b'{"message": "%s"}' % (b"x" * 1000))) == 200
