"""What a request to a model looks like anywhere: path and body together, neither alone."""

from __future__ import annotations

import json

import pytest

from agent.catalog.telltales import bundled_telltales, parse_telltales
from agent.errors import ConfigError

TELLTALES = bundled_telltales()
ASKED = {"messages": [{"role": "user", "content": "hi"}]}
PARTS = {"contents": [{"parts": [{"text": "hi"}]}]}


@pytest.mark.parametrize(
    ("path", "body", "dialect"),
    [
        ("/v1/chat/completions", ASKED, "openai-chat"),
        ("/any/prefix/Chat/Completions", ASKED, "openai-chat"),
        ("/openai/deployments/d/chat/completions", ASKED, "openai-chat"),
        ("/v1/responses", {"model": "m", "input": "hi"}, "openai-responses"),
        ("/v1/responses", {"model": "m", "input": []}, "openai-responses"),
        ("/v1/messages", {"max_tokens": 5, **ASKED}, "anthropic-messages"),
        ("/v1beta/models/g:generateContent", PARTS, "gemini-generate-content"),
        ("/v1internal:streamGenerateContent", {"model": "g", "request": PARTS}, "gemini-generate-content"),
        ("/model/a.b-v1:0/converse-stream", ASKED, "bedrock-converse"),
    ],
)
def test_a_question_is_recognised_by_its_path_and_its_body(path: str, body: object, dialect: str) -> None:
    assert TELLTALES.recognised(path, json.dumps(body).encode()) == dialect
    assert TELLTALES.recognised(path, b" \n" + json.dumps(body).encode()) == dialect
    assert TELLTALES.recognised(path, b"{}") == ""
    assert TELLTALES.recognised(path + "/more", json.dumps(body).encode()) == ""


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/survey/responses", b'{"input": "yes"}'),  # no model
        ("/survey/responses", b'{"model": "T", "answers": []}'),
        ("/inbox/v1/messages", b'{"messages": [{"role": "user", "content": "hi"}]}'),  # no max_tokens
        ("/v1/chat/completions", b'{"messages": []}'),
        ("/v1/chat/completions", b'{"messages": ["hi"]}'),
        ("/v1/chat/completions", b'[{"messages": [{"role": "user"}]}]'),
        ("/v1/chat/completions", b'{"messages": [{"role": "user"}'),
        ("/v1/chat/completions", b""),
        ("/v1/chat/completions", b"--boundary"),
        ("/v1/messages", b'{"max_tokens": true, "messages": [{"role": "user", "content": "hi"}]}'),
    ],
)
def test_half_a_likeness_is_none(path: str, body: bytes) -> None:
    assert TELLTALES.recognised(path, body) == ""


ROW = '[[telltale]]\ndialect = "d"\npaths = ["/a"]\ntexts = ["model"]\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "missing telltale"),
        (ROW + "colour = 1", "unknown colour"),
        (ROW.replace('texts = ["model"]', ""), "a path alone tells no format"),
        (ROW.replace('"/a"', '"a"'), "must start with"),
        (ROW + 'objects = { messages = "role" }', "messages must be a list"),
    ],
)
def test_a_mistake_is_an_error_that_names_its_place(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        parse_telltales(text, source="t.toml")
    assert str(caught.value).startswith("t.toml")
