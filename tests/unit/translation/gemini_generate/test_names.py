"""Fields in two spellings, models in paths, ids of calls."""

from __future__ import annotations

import pytest

from agent.errors import ContentError
from agent.translation.gemini_generate import names


def test_both_spellings_are_one() -> None:
    assert names.camel({"generation_config": 1, "contents": 2, "_responseJsonSchema": 3}) == {
        "generationConfig": 1,
        "contents": 2,
        "responseJsonSchema": 3,
    }


def test_a_field_in_both_spellings_is_an_error() -> None:
    with pytest.raises(ContentError):
        names.camel({"inline_data": 1, "inlineData": 2})


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/v1beta/models/gemini-3-pro:generateContent", ("gemini-3-pro", "generateContent")),
        (
            "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:streamGenerateContent",
            ("gemini-2.5-flash", "streamGenerateContent"),
        ),
        ("/v1beta/tunedModels/mine:generateContent", ("mine", "generateContent")),
        ("/v1beta/models/a%2Fb:generateContent", ("a/b", "generateContent")),
        ("/v1internal:generateContent", ("", "generateContent")),
    ],
)
def test_the_path_names_model_and_method(path: str, read: tuple[str, str]) -> None:
    assert names.model_and_method(path) == read


@pytest.mark.parametrize(
    ("query", "events"), [("alt=sse", True), ("key=k&alt=sse", True), ("", False), ("alt=json", False)]
)
def test_whether_events_are_wanted(query: str, events: bool) -> None:
    assert names.asks_for_events(query) is events


@pytest.mark.parametrize(
    ("model", "signed"),
    [
        ("gemini-3-pro-preview", True),
        ("gemini-3.5-flash", True),
        ("publishers/google/models/gemini-10-pro", True),
        ("gemini-flash-latest", True),
        ("gemini-2.5-pro", False),
        ("gemini-pro", False),
        ("gemma-3-27b", False),
        ("1234567890", False),
    ],
)
def test_which_models_demand_their_signatures(model: str, signed: bool) -> None:
    assert names.is_signed(model) is signed


def test_an_id_is_the_same_for_the_same_call_and_another_for_any_other() -> None:
    one = names.call_id(0, "r1", "f", "{}")
    assert one == names.call_id(0, "r1", "f", "{}")
    assert len({one, names.call_id(1, "r1", "f", "{}"), names.call_id(0, "r2", "f", "{}")}) == 3
    assert one.startswith("call_0_")


def test_what_is_not_known_is_named_as_it_was_spelled() -> None:
    fields = {"mime_type": "a", "new_one": 1, "newOther": {"a": 1}, "empty": {}, "null": None}
    assert names.others(fields, "x", frozenset(("mimeType",))) == ["x.new_one", "x.newOther"]
    assert names.others({"mimeType": "a"}, "x", frozenset(("mimeType",))) == []
