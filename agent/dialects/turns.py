"""The list of messages that chat formats share: each says its role; its texts stand where its own format has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent.dialects.shapes import objects, string
from agent.dialects.slots import Collector
from agent.model.content import Path, Role

type ReadMessage = Callable[[Collector, Path, Role, dict[str, object]], None]


def read_turns(
    found: Collector, path: Path, value: object, roles: Mapping[str, Role], read: ReadMessage
) -> None:
    """Have `read` take up each message of `value`, the list at `path`. A role that `roles` does not know is the user's:
    what anybody may have written is judged most strictly."""
    for index, message in objects(value):
        read(found, (*path, index), roles.get(string(message.get("role")), Role.USER), message)
