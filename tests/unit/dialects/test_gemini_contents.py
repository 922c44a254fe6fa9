"""What a content of Gemini's formats holds, in either spelling."""

from __future__ import annotations

import pytest

from agent.dialects.gemini_contents import either, named, read_content, read_request
from agent.dialects.slots import Collector
from agent.model.content import Role


def texts(found: Collector) -> list[tuple[Role, str]]:
    return [(slot.role, slot.text) for slot in found.slots]


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("a", [(Role.USER, "a")]),
        ({"parts": [{"text": "a"}, "b"]}, [(Role.USER, "a"), (Role.USER, "b")]),
        ({"role": "model", "parts": [{"text": "a"}]}, [(Role.ASSISTANT, "a")]),
        ({"parts": {"text": "a"}}, [(Role.USER, "a")]),
        (
            {"parts": [{"function_response": {"name": "f", "response": {"x": "a"}}}]},
            [(Role.TOOL_RESULT, "a")],
        ),
        ({"parts": [{"functionCall": {"name": "f", "args": {"x": "a"}}}]}, [(Role.TOOL_CALL, "a")]),
        ({"parts": [{"thoughtSignature": "AAAA"}]}, []),
    ],
)
def test_every_text_of_a_content_is_found(content: object, read: list[tuple[Role, str]]) -> None:
    found = Collector()
    read_content(found, ("contents", 0), Role.USER, content)
    assert texts(found) == read


def test_a_request_may_hold_others() -> None:
    found = Collector()
    read_request(
        found,
        (),
        {
            "system_instruction": {"role": "user", "parts": [{"text": "be kind"}]},
            "batch": {
                "inputConfig": {"requests": [{"request": {"contents": [{"parts": [{"text": "hi"}]}]}}]}
            },
        },
    )
    assert texts(found)[0] == (Role.SYSTEM, "be kind")


@pytest.mark.parametrize(("spelled", "kind"), [("inlineData", "mimeType"), ("inline_data", "mime_type")])
def test_files_go_along(spelled: str, kind: str) -> None:
    found = Collector()
    read_content(found, (), Role.USER, {"parts": [{spelled: {kind: "application/pdf", "data": "AAAA"}}]})
    [file] = found.attachments
    assert (file.kind, file.media_type) == ("document", "application/pdf")


def test_a_field_is_had_by_the_name_that_is_used() -> None:
    assert named({"b_c": 1}, "bC", "b_c") == ("b_c", 1)
    assert named({"bC": 2}, "bC", "b_c") == ("bC", 2)
    assert either({}, "bC", "b_c") is None
