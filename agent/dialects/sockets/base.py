"""The port every WebSocket format implements: read what either side says, edit it, say no in it.

A WebSocket has no request and no answer: the client may say much before it asks, answers may overlap, and a service
may begin one by itself. So a session of the format tells of each message what it is; whoever carries the messages
makes turns of them. Pure as every dialect is: a session holds what the format needs to know between messages, and
does no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from agent.dialects.base import EventView, ParsedRequest, RequestFormat, RequestHead
from agent.model.content import Edit, Usage
from agent.model.conversation import TokenCount

NO_VIEW = EventView()
"""Of a message that holds nothing to judge."""

ANSWER_ELSEWHERE = "resume"
"""The operation of an answer whose question was asked, and counted, elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a client's message means. `request` is what it gives to the model, now or for later; one that gives
    nothing and does not ask passes. With `asks` a turn begins: the model answers it. One of a kind that is not
    `known` passes as well unless something is found in it."""

    request: ParsedRequest = field(default_factory=ParsedRequest)
    asks: bool = False
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a service's message means.

    `turn` is the service's own name of the answer that it belongs to, empty where the format names none: then it is the
    oldest that is not over. `apart` marks messages that belong to no answer (a session's settings, rate limits): where
    they hold text it is repeated from elsewhere. `readable` is False where the message is none of the format's.
    `operation` names what is done where the service begins the turn by itself, if that is not the endpoint's own.
    `ends` names further answers that are over with this message, where it speaks of several.
    """

    view: EventView = NO_VIEW
    turn: str = ""
    apart: bool = False
    readable: bool = True
    operation: str = ""
    ends: tuple[str, ...] = ()


class SocketSession(RequestFormat, Protocol):
    """One connection's format. As a `RequestFormat` it reads and edits the client's messages."""

    def begun(self, turn: str) -> ParsedRequest:
        """What is known of the question of a turn of that name where the client's message says nothing of it, or the
        service has begun it by itself."""
        ...

    def hear(self, data: bytes) -> Heard:
        """What a client's message means. Changes nothing: it may never be forwarded. Raises ContentError where it
        does not follow the format."""
        ...

    def forwarded(self, heard: Heard) -> None:
        """That message has gone to the service."""
        ...

    def listen(self, data: bytes) -> Said:
        """What the service's next message means. Never raises."""
        ...

    def edit_event(self, data: bytes, edits: tuple[Edit, ...]) -> bytes:
        """A service's message with the edits made and every other byte as it came."""
        ...

    def refusal(self, message: str) -> tuple[bytes, ...]:
        """Messages to the client, in place of the service's: what it said goes no further, and why. The client shows
        `message` and does not ask again; the connection stays usable."""
        ...

    def failure(self, status: int, message: str) -> tuple[bytes, ...]:
        """The same for an error that is no policy's, with the HTTP status that says what it is."""
        ...

    def stop(self, message: str, turn: str) -> tuple[bytes, ...]:
        """Messages that end the answer `turn`, which has begun, and show `message`."""
        ...


class SocketDialect(Protocol):
    """One WebSocket format."""

    @property
    def name(self) -> str:
        """The catalog's name of the format, such as `openai-realtime`."""
        ...

    def session(self, head: RequestHead) -> SocketSession:
        """A session for a connection that was opened with that head."""
        ...

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised."""
        ...
