"""Character.AI: JSON commands over a WebSocket at `/ws/`.

`create_and_generate_turn` is a prompt; the answer comes as turns whose candidates say again all of their text so far,
the last one `is_final`. Read in public client code, not seen on the wire. As the whole is said again each time, what
was sent cannot be taken back: a match is found once it is whole.
"""

from __future__ import annotations

import orjson

from agent.dialects.base import EventView, ParsedRequest, RequestHead
from agent.dialects.shapes import mapping, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sockets.base import Heard, Said
from agent.dialects.sockets.sessions import JsonSession, Uncounted
from agent.model.content import Path, Role

_TEXT_KEYS = ("raw_content", "tts_enabled_content", "new_candidate_raw_content")


class CharacterSocket(Uncounted):
    """The socket dialect `character-ai`."""

    __slots__ = ()

    name = "character-ai"

    def session(self, head: RequestHead) -> CharacterSession:
        """See `SocketDialect`."""
        del head
        return CharacterSession()


class CharacterSession(JsonSession):
    """One connection."""

    def __init__(self) -> None:
        super().__init__()
        self._key: dict[str, object] = {}  # of the turn that is answered
        self._request = ""

    def _read(self, document: dict[str, object]) -> Heard:
        payload = mapping(document.get("payload"))
        asks = "generate" in string(document.get("command"))
        found = Collector()
        found.leaves(("payload",), Role.USER, {**payload, "character_id": None})
        request = ParsedRequest(
            model=string(payload.get("character_id")), stream=True, slots=tuple(found.slots)
        )
        return Heard(request=request, asks=asks, known=asks)

    def _said(self, document: dict[str, object]) -> Said:
        turn = mapping(document.get("turn"))
        self._key = mapping(turn.get("turn_key")) or self._key
        self._request = string(document.get("request_id")) or self._request
        found = Collector()
        human = mapping(turn.get("author")).get("is_human") is True
        _read(found, ("turn",), turn, Role.USER if human else Role.ASSISTANT)
        found.text(("comment",), Role.ASSISTANT, document.get("comment"))  # of an error
        ended = any(each.get("is_final") is True for _, each in objects(turn.get("candidates")))
        broke = document.get("command") == "neo_error"
        final = broke or (ended and not human)
        reason = ("failed" if broke else "completed") if final else ""
        view = EventView(repeats=tuple(found.slots), finish_reason=reason, final=final)
        return Said(view=view, apart=not turn and not broke)

    def refusal(self, message: str) -> tuple[bytes, ...]:
        """A turn that says `message`."""
        candidate = {"candidate_id": "blocked", "raw_content": message, "is_final": True}
        turn = {
            "turn_key": self._key or {"chat_id": "", "turn_id": "blocked"},
            "author": {"author_id": "", "name": "Policy"},
            "candidates": [candidate],
            "primary_candidate_id": "blocked",
        }
        said = {"turn": turn, "chat_info": {"type": "TYPE_ONE_ON_ONE"}, "command": "update_turn"}
        return (orjson.dumps({**said, "request_id": self._request}),)

    def failure(self, status: int, message: str) -> tuple[bytes, ...]:
        """The same."""
        del status
        return self.refusal(message)

    def stop(self, message: str, turn: str) -> tuple[bytes, ...]:
        """The turn said again, with other words."""
        del turn
        return self.refusal(message)


def _read(found: Collector, path: Path, document: dict[str, object], role: Role) -> None:
    """Every text of a turn, wherever it stands."""
    for key, value in document.items():
        at = (*path, key)
        if key in _TEXT_KEYS:
            found.text(at, role, value)
        elif isinstance(value, dict):
            _read(found, at, value, role)
        elif isinstance(value, list):
            for index, each in objects(value):
                _read(found, (*at, index), each, role)
        else:
            found.field(path, key, role, value)
