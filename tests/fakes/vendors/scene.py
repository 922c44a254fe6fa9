"""What all vendors have in common: requests, answers, refusals, and what their models say.

| the user's last text | the answer |
|---|---|
| `call: {…}` | a call of the first tool with these arguments |
| `calls: […]` | a sentence (PREAMBLE), then one call for each of these arguments |
| `refuse` | an error with status 400 (REFUSAL) |
| anything, with a schema for the answer | `{"city": "Bern", "sunny": true}` (FORECAST) |
| anything, with a picture | `I see image/png of 68 letters` (of base64) |
| anything, with the tool `json_tool_call` | a call of it with FORECAST: LiteLLM asks so for a shape |
| (tools' results) | `The tool said: …`, the results joined by ` / ` |
| anything else | `You said: …` |

Where the client asks the model to think, it thinks (THOUGHT) before it does any of this.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

THOUGHT = "The user wants something; let me see what."
REFUSAL = "You asked for this."
PREAMBLE = "I will look that up."
SIGNATURE = "c2lnbmVkIGJ5IHRoZSB2ZW5kb3I="
"""What a vendor signs its thoughts and calls with."""

KEYS = {
    "openai": "sk-vendor-openai",
    "anthropic": "sk-ant-vendor",
    "gemini": "AIza-vendor",
    "cohere": "co-vendor",
}
"""The only keys that these vendors take."""

ACCESS_KEY = {"AccessKeyId": "AKIAVENDOR0000000000", "SecretAccessKey": "vendors-secret"}
"""The same for AWS; requests are signed with it."""

FORECAST = {"city": "Bern", "sunny": True}
"""What it says where the answer's shape is asked for; that shape must allow it."""

_SHAPING = "json_tool_call"

PIECE = 7
"""Characters in each piece of a stream."""

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came. `path` is as on the wire; header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    raw: bytes
    body: Json = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """The prompt's tokens, roughly."""
        return max(1, len(self.raw) // 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer; one part per event where it is a stream."""

    parts: tuple[bytes, ...]
    status: int = 200
    content_type: str = "application/json"


class Refusal(Exception):
    """The vendor does not take the request."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Vendor(Protocol):
    """One vendor's API."""

    def serves(self, path: str) -> bool:
        """Whether the path is one of its own."""
        ...

    def answer(self, request: Request) -> Answer:
        """Raises Refusal."""
        ...

    def error(self, refusal: Refusal) -> bytes:
        """The body of a refusal."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The model calls a tool."""

    id: str
    name: str
    arguments: Json

    @property
    def text(self) -> str:
        """The arguments as JSON."""
        return json.dumps(self.arguments, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the model says."""

    thought: str = ""
    text: str = ""
    calls: tuple[Call, ...] = ()

    @property
    def tokens(self) -> int:
        """Its tokens, roughly; thoughts included."""
        return max(1, len(self.thought + self.text + "".join(call.text for call in self.calls)) // 4)

    @property
    def thought_tokens(self) -> int:
        """The thoughts among them."""
        return len(self.thought) // 4


def said(
    text: str,
    results: tuple[str, ...],
    tools: tuple[str, ...],
    *,
    thinks: bool = False,
    prefix: str = "call_",
    schema: Json | None = None,
    picture: tuple[str, str] | None = None,
) -> Said:
    """What the model says to the user's last `text`, or to the `results` of tools after it. `prefix` begins the ids of
    its calls; a `picture` is its media type and its base64."""
    demand(text != "refuse", REFUSAL)
    if schema is not None:
        _check_schema(schema)
        return Said(text=json.dumps(FORECAST))
    if picture is not None:
        return Said(text=f"I see {picture[0]} of {len(picture[1])} letters")
    if _SHAPING in tools:
        return Said(calls=(Call(id=f"{prefix}0aB3", name=_SHAPING, arguments=FORECAST),))
    thought = THOUGHT if thinks else ""
    if results:
        return Said(thought=thought, text="The tool said: " + " / ".join(results))
    verb, _, given = text.partition(": ")
    if verb in {"call", "calls"} and tools:
        many = json.loads(given) if verb == "calls" else [json.loads(given)]
        calls = tuple(
            Call(id=f"{prefix}{number}aB3", name=tools[0], arguments=arguments)
            for number, arguments in enumerate(many)
        )
        return Said(thought=thought, text=PREAMBLE if len(calls) > 1 else "", calls=calls)
    return Said(thought=thought, text=f"You said: {text}")


def picture_in(url: str) -> tuple[str, str]:
    """The picture in a data URL."""
    head, _, data = url.partition(";base64,")
    demand(head.startswith("data:") and data, "Invalid image: only data URLs are read here")
    return head.removeprefix("data:"), data


def _check_schema(schema: Json) -> None:
    fields = {name: kind["type"] for name, kind in schema.get("properties", {}).items()}
    types = {name: {str: "string", bool: "boolean"}[type(value)] for name, value in FORECAST.items()}
    demand({name: kind.lower() for name, kind in fields.items()} == types, f"Invalid schema: {fields}")


def pieces(text: str) -> Iterator[str]:
    """`text` in pieces."""
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))


def encoded(value: object) -> bytes:
    """JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sse(value: object, event: str = "", newline: bytes = b"\n") -> bytes:
    """A server-sent event."""
    name = b"event: " + event.encode() + newline if event else b""
    return name + b"data: " + encoded(value) + newline + newline


def whole(value: object) -> Answer:
    """A whole answer."""
    return Answer(parts=(encoded(value),))


def streamed(parts: Iterator[bytes]) -> Answer:
    """A stream of server-sent events."""
    return Answer(parts=tuple(parts), content_type="text/event-stream; charset=utf-8")


def demand(holds: object, message: str, status: int = 400) -> None:
    """Refuse unless it holds."""
    if not holds:
        raise Refusal(message, status)
