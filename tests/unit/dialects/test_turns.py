"""Each message of a list is taken up in the role that it says."""

from __future__ import annotations

from agent.dialects.slots import Collector
from agent.dialects.turns import read_turns
from agent.model.content import Path, Role

ROLES = {"assistant": Role.ASSISTANT}


def read(found: Collector, path: Path, role: Role, message: dict[str, object]) -> None:
    found.text((*path, "content"), role, message.get("content"))


def test_what_says_no_role_that_is_known_is_the_users_and_what_is_no_message_is_none() -> None:
    found = Collector()
    turns = [{"role": "assistant", "content": "a"}, "x", {"role": 7, "content": "b"}, {"content": "c"}]
    read_turns(found, ("messages",), turns, ROLES, read)
    read_turns(found, ("messages",), "no list", ROLES, read)
    assert [(slot.address, slot.role, slot.text) for slot in found.slots] == [
        ((("messages", 0, "content"),), Role.ASSISTANT, "a"),
        ((("messages", 2, "content"),), Role.USER, "b"),
        ((("messages", 3, "content"),), Role.USER, "c"),
    ]
