"""Every mould against the constructor it stands for."""

from __future__ import annotations

from agent.model.conversation import CacheHint, PartDelta, Speaker, Text, ToolCall, ToolResult, Turn
from agent.translation.moulds import new_call, new_delta, new_result, new_text, new_turn

HINT = CacheHint(ttl="1h")


def test_moulds_make_what_constructors_make() -> None:
    text = Text(text="a", cache=HINT)
    assert new_text("a", HINT) == text
    assert new_text("a") == Text(text="a")
    assert new_call("i", "n", "{}") == ToolCall(id="i", name="n")
    assert new_call("i", "n", "{}", HINT) == ToolCall(id="i", name="n", cache=HINT)
    assert new_result("i", (text,), "n") == ToolResult(call_id="i", parts=(text,), name="n")
    assert new_turn(Speaker.USER, (text,)) == Turn(speaker=Speaker.USER, parts=(text,))
    assert new_delta(1, "a", 2) == PartDelta(part=1, text="a", choice=2)


def test_they_set_every_field() -> None:
    parts = (new_text(""), new_call("", "", ""), new_result("", (), ""))
    for made in (*parts, new_turn(Speaker.USER, parts), new_delta(0, "")):
        repr(made)  # a slot that was not set raises
