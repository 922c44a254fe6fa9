"""What a reader does not understand is named."""

from __future__ import annotations

from agent.translation.unread import Unread


def test_unknown_fields_are_named_by_their_path_and_null_says_nothing() -> None:
    unread = Unread()
    unread.others("", {"model": "m", "new": 1, "absent": None}, ("model",))
    unread.others("messages[0]", {"other": False}, ())
    unread.note("tools[2].type=search")
    assert unread.paths == ["new", "messages[0].other", "tools[2].type=search"]
