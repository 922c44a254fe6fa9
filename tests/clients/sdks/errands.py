"""What every client is sent to do, and whether it came back with what the vendors' stand-ins say.

What those say to what is told in `tests/fakes/vendors/scene.py`; it stands here once more, for a client knows
nothing of its vendor.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

SYSTEM = "Be brief."
GREETING = "Grüezi \"Bern\" & <Genf>\n\tfür 'alle' 🙂"
ONE = {"city": "Zürich", "days": 3}
TWO = [{"city": "Bern", "unit": "c"}, {"city": 'La "Chaux"'}]
RESULTS = ["12 degrees, sunny", '{"sky": "grey"}']
READ_RESULTS = [RESULTS[0], '{"sky":"grey"}']
"""The same by way of a client that reads JSON in results, and hands on what it means."""
THOUGHT = "The user wants something; let me see what."
REFUSAL = "You asked for this."
PREAMBLE = "I will look that up."

TOOL = "look_up"
DESCRIPTION = "The weather of a city."
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Its name."},
        "days": {"type": "integer", "minimum": 1},
        "unit": {"type": "string", "enum": ["c", "f"]},
    },
    "required": ["city"],
    "additionalProperties": False,
}


FORECAST = {"city": "Bern", "sunny": True}
FORECAST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "sunny": {"type": "boolean"}},
    "required": ["city", "sunny"],
    "additionalProperties": False,
}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a client is pointed, with which key, and whom it asks for. `thoughts`: whether the vendor shows any."""

    url: str
    key: str
    model: str
    thoughts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How to ask."""

    stream: bool = False
    tools: bool = False
    thinks: bool = False
    schema: bool = False  # the answer is to follow FORECAST_SCHEMA


@dataclass(slots=True, kw_only=True)
class Call:
    """A call that the client was given. Calls whose arguments come in pieces fill `arguments` last."""

    id: str
    name: str
    arguments: Any


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the client saw. `pieces` counts those of its text; `usage` are tokens in and out, where it was told."""

    text: str = ""
    calls: list[Call] = field(default_factory=list)
    thought: str = ""
    pieces: int = 0
    usage: tuple[int, int] | None = None

    def piece(self, text: str | None) -> None:
        """More of the text."""
        if text:
            self.text += text
            self.pieces += 1


class Client(Protocol):
    """One SDK at one place. `history` is in its own words."""

    shows_thoughts: bool
    results: list[str]  # RESULTS as they arrive

    def begin(self, text: str) -> list[Any]:
        """A conversation that begins with the user's text."""
        ...

    def look(self) -> list[Any]:
        """A conversation that begins with a picture, PNG, and `What is it?`."""
        ...

    def ask(self, history: list[Any], ask: Ask) -> Seen:
        """The next turn, which is put to the end of the history."""
        ...

    def answer(self, history: list[Any], calls: list[Call], results: list[str]) -> None:
        """Put the tools' results to the end of the history."""
        ...


def _whole(client: Client, place: Place) -> None:
    seen = client.ask(client.begin(GREETING), Ask())
    _same(seen.text, f"You said: {GREETING}")
    _counted(seen)


def _stream(client: Client, place: Place) -> None:
    seen = client.ask(client.begin(GREETING), Ask(stream=True))
    _same(seen.text, f"You said: {GREETING}")
    assert seen.pieces > 2, f"the stream came in {seen.pieces} pieces"
    _counted(seen)


def _tools(client: Client, place: Place, ask: Ask | None = None) -> None:
    ask = ask or Ask(tools=True)
    history = client.begin(f"call: {json.dumps(ONE)}")
    seen = client.ask(history, ask)
    _same([(call.name, call.arguments) for call in seen.calls], [(TOOL, ONE)])
    client.answer(history, seen.calls, RESULTS[:1])
    _same(client.ask(history, ask).text, f"The tool said: {client.results[0]}")

    history = client.begin(f"calls: {json.dumps(TWO)}")
    seen = client.ask(history, ask)
    _same(seen.text, PREAMBLE)
    _same([(call.name, call.arguments) for call in seen.calls], [(TOOL, each) for each in TWO])
    assert len({call.id for call in seen.calls}) == 2, "two calls have the same id"
    client.answer(history, seen.calls, RESULTS)
    _same(client.ask(history, ask).text, "The tool said: " + " / ".join(client.results))


def _streamed_tools(client: Client, place: Place) -> None:
    _tools(client, place, Ask(tools=True, stream=True))


def _thinking(client: Client, place: Place) -> None:
    for stream in (False, True):
        ask = Ask(tools=True, thinks=True, stream=stream)
        history = client.begin(f"calls: {json.dumps(TWO)}")
        seen = client.ask(history, ask)
        if client.shows_thoughts and place.thoughts:
            _same(seen.thought, THOUGHT)
        _same([call.arguments for call in seen.calls], TWO)
        client.answer(history, seen.calls, RESULTS)
        _same(client.ask(history, ask).text, "The tool said: " + " / ".join(client.results))


def _schema(client: Client, place: Place) -> None:
    for stream in (False, True):
        seen = client.ask(client.begin("tomorrow?"), Ask(schema=True, stream=stream))
        _same(json.loads(seen.text), FORECAST)


def _picture(client: Client, place: Place) -> None:
    seen = client.ask(client.look(), Ask())
    _same(seen.text, f"I see image/png of {len(PNG)} letters")


def _error(client: Client, place: Place) -> None:
    for stream in (False, True):
        raised = _raised(client, Ask(stream=stream))
        assert REFUSAL in str(raised), f"the error says {raised}"
        status = getattr(raised, "status_code", None) or getattr(raised, "code", None) or 400
        assert status == 400, f"the error has the status {status}"


def _raised(client: Client, ask: Ask) -> Exception | None:
    try:
        client.ask(client.begin("refuse"), ask)
    except Exception as error:
        return error
    return None


WAYS: Mapping[str, Callable[[Client, Place], None]] = {
    "whole": _whole,
    "stream": _stream,
    "tools": _tools,
    "streamed tools": _streamed_tools,
    "thinking": _thinking,
    "schema": _schema,
    "picture": _picture,
    "error": _error,
}
"""By name, what a client is sent to do."""


def _same(seen: object, expected: object) -> None:
    assert seen == expected, f"saw {seen!r} instead of {expected!r}"


def _counted(seen: Seen) -> None:
    assert seen.usage is not None, "no tokens were counted"
    assert min(seen.usage) > 0, f"tokens were counted as {seen.usage}"


def run(
    clients: Mapping[str, Callable[[Place], Client]],
    others: Mapping[str, Callable[[Place], None]] | None = None,
) -> None:
    """Read errands (a JSON list: `client`, `way`, `place`), and print for each a line: null, or what went wrong.

    `others` are ways of this program alone.
    """
    made: dict[tuple[str, Place], Client] = {}  # the SDKs take longer to make one than to ask
    for errand in json.load(sys.stdin):
        name, way, place = errand["client"], errand["way"], Place(**errand["place"])
        wrong = None
        try:
            if way in WAYS:
                client = made.get((name, place)) or made.setdefault((name, place), clients[name](place))
                WAYS[way](client, place)
            else:
                assert others is not None
                others[way](place)
        except Exception as error:
            wrong = f"{type(error).__name__}: {str(error)[:600]}"
        sys.stdout.write(json.dumps(wrong) + "\n")
        sys.stdout.flush()
