"""What the echo answers: a request reduced to what matters, and the reply. Pure; knows no wire format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

type JsonObject = dict[str, object]
"""One JSON object, as `json` reads it."""

PIECE = 3
"""Characters in each piece of a stream, unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An inference request, decoded. `size` is the body's length in bytes."""

    path: str
    query: str
    body: JsonObject
    size: int

    @property
    def tokens(self) -> int:
        """The prompt's tokens, by the rule of thumb of four bytes each."""
        return tokens_of(self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool the model may call. A `free` one takes any text, the others a JSON object."""

    name: str
    namespace: str = ""
    free: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asks.

    `text` is the last text the user wrote; `results` are what tools returned after it; `tools` may be called,
    in the order in which they were offered.
    """

    model: str
    stream: bool = False
    text: str = ""
    results: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A reply in words."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A reply that calls a tool. `arguments` is what it is given, as text; `values` the same as an object."""

    tool: Tool
    arguments: str
    values: JsonObject


type Reply = Say | Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What sets one answer apart: `token` (letters and digits) goes into ids, `created` is Unix seconds."""

    token: str
    created: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A request and the reply to it: all that an answer is written from."""

    request: Request
    asked: Asked
    reply: Reply
    stamp: Stamp

    @property
    def tokens(self) -> int:
        """The reply's tokens, by the same rule of thumb as the prompt's."""
        return tokens_of(len(said(self.reply).encode(errors="replace")))


class Voice(Protocol):
    """One wire format, as the provider speaks it."""

    def stream_type(self, turn: Turn) -> str:
        """The Content-Type of a streamed answer."""
        ...

    def read(self, request: Request) -> Asked:
        """What `request` asks. Raises ContentError where a real provider would answer 400."""
        ...

    def whole(self, turn: Turn) -> bytes:
        """The complete answer."""
        ...

    def stream(self, turn: Turn, piece: int) -> Iterator[bytes]:
        """The answer in events, each at most `piece` characters of the reply."""
        ...

    def error(self, status: int, message: str, stamp: Stamp) -> bytes:
        """The body of an error answer."""
        ...


def compose(asked: Asked) -> Reply:
    """The reply to what was asked.

    Tool results are repeated (`The tool said: …`), `reverse: x` is answered by x backwards (a text that is
    not in the prompt), `call: {…}` by a call of the first tool and `call name: {…}` by a call of the tool of
    that name; anything else is repeated (`You said: …`).
    """
    if asked.results:
        return Say(text="The tool said: " + "\n".join(asked.results))
    if asked.text.startswith("reverse: "):
        return Say(text=asked.text.removeprefix("reverse: ")[::-1])
    return _call(asked) or Say(text="You said: " + asked.text)


def said(reply: Reply) -> str:
    """The reply's text: its words, or its arguments."""
    match reply:
        case Say():
            return reply.text
        case Call():
            return reply.arguments


def pieces(text: str, size: int) -> Iterator[str]:
    """`text` cut into pieces of `size` characters; nothing for an empty text."""
    return (text[start : start + size] for start in range(0, len(text), size))


def tokens_of(size: int) -> int:
    """How many tokens `size` bytes are, roughly; at least one."""
    return max(1, size // 4)


def _call(asked: Asked) -> Call | None:
    """The tool call the user dictates, if it is one: an offered tool and what it takes."""
    verb, colon, arguments = asked.text.partition(": ")
    word, _, name = verb.partition(" ")
    if word != "call" or not colon:
        return None
    tool = next((tool for tool in asked.tools if name in {"", tool.name}), None)
    if tool is None:
        return None
    if tool.free:
        return Call(tool=tool, arguments=arguments, values={})
    try:
        values = json.loads(arguments)
    except (ValueError, RecursionError):
        return None
    return Call(tool=tool, arguments=arguments, values=values) if isinstance(values, dict) else None
