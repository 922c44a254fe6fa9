"""What a message of OpenAI's chat format holds, wherever it stands."""

from __future__ import annotations

import pytest

from agent.dialects.openai_messages import read_content, read_message
from agent.dialects.slots import Collector
from agent.model.content import Role


def slots(found: Collector) -> list[tuple[object, Role, str]]:
    return [(slot.address[0], slot.role, slot.text) for slot in found.slots]


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ({"content": "a"}, [(("m", "content"), Role.USER, "a")]),
        ({"content": None, "refusal": "no"}, [(("m", "refusal"), Role.USER, "no")]),
        ({"reasoning_content": "hm"}, [(("m", "reasoning_content"), Role.USER, "hm")]),
        (
            {"content": ["a", {"type": "text", "text": "b"}, {"type": "new", "text": "c"}]},
            [
                (("m", "content", 0), Role.USER, "a"),
                (("m", "content", 1, "text"), Role.USER, "b"),
                (("m", "content", 2, "text"), Role.USER, "c"),
            ],
        ),
        ({"audio": {"transcript": "said"}}, [(("m", "audio", "transcript"), Role.USER, "said")]),
        ({"reasoning_details": [{"text": "t", "signature": "s"}]}, []),
        ({"name": "ann"}, []),
    ],
)
def test_every_text_of_a_message_is_found(
    message: dict[str, object], read: list[tuple[object, Role, str]]
) -> None:
    found = Collector()
    read_message(found, ("m",), Role.USER, message)
    assert slots(found) == read


def test_calls_name_their_tool() -> None:
    found = Collector()
    calls = [{"function": {"name": "f", "arguments": '"x"'}}, {"custom": {"name": "g", "input": "y"}}]
    read_message(found, (), Role.ASSISTANT, {"tool_calls": calls})
    assert [(slot.role, slot.tool, slot.text) for slot in found.slots] == [
        (Role.TOOL_CALL, "f", '"x"'),
        (Role.TOOL_CALL, "g", "y"),
    ]


def test_pictures_sounds_and_files_go_along() -> None:
    found = Collector()
    parts = [
        {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
        {"type": "input_audio", "input_audio": {"format": "wav", "data": "AAAA"}},
        {"type": "file", "file": {"file_data": "AAAA", "filename": "b.txt"}},
    ]
    read_content(found, ("content",), Role.USER, parts)
    assert [(each.kind, each.media_type, each.name) for each in found.attachments] == [
        ("image", "", ""),
        ("audio", "audio/wav", ""),
        ("file", "", "b.txt"),
    ]
