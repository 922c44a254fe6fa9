"""Requests in each dialect as the official SDKs write them, and secrets that are none: made at random for one run."""

from __future__ import annotations

import json
import secrets
import string
from dataclasses import dataclass

_LETTERS = string.ascii_letters + string.digits

TOOL_SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}}}


def made_up_key() -> str:
    """Something of the form of OpenAI's keys. No character comes twice on end: detectors take it for a placeholder."""
    text = ""
    while len(text) < 48:
        letter = secrets.choice(_LETTERS)
        text += "" if text.endswith(letter) else letter
    return "sk-" + "proj-" + text


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Where one wire format is spoken, and by which of the client scripts."""

    name: str
    host: str
    client: str
    prefix: str  # of the base URL

    def target(self, *, stream: bool = False) -> str:
        """Path and query of a request."""
        match self.name:
            case "chat":
                return "/v1/chat/completions"
            case "responses":
                return "/v1/responses"
            case "messages":
                return "/v1/messages"
            case _:
                verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
                return f"/v1beta/models/gemini-2.5-flash:{verb}"

    def body(self, text: str, *, stream: bool = False, model: str = "") -> bytes:
        """A request in which the user says `text`."""
        said = {"role": "user", "content": text}
        asked: dict[str, object]
        match self.name:
            case "chat":
                asked = {"model": model or "gpt-4.1", "messages": [said]}
            case "responses":
                asked = {"model": model or "gpt-4.1", "input": [said]}
            case "messages":
                asked = {"model": model or "claude-sonnet-4-5", "max_tokens": 99, "messages": [said]}
            case _:
                return json.dumps({"contents": [{"role": "user", "parts": [{"text": text}]}]}).encode()
        return json.dumps(asked | {"stream": True} if stream else asked).encode()

    def streamed(self, events: bytes) -> str:
        """The text that an answer's events deliver in pieces."""
        documents = [json.loads(line[6:]) for line in events.splitlines() if line.startswith(b"data: {")]
        match self.name:
            case "chat":
                pieces = [choice["delta"].get("content") for one in documents for choice in one["choices"]]
            case "responses":
                pieces = [one["delta"] for one in documents if one["type"] == "response.output_text.delta"]
            case "messages":
                deltas = [one["delta"] for one in documents if one["type"] == "content_block_delta"]
                pieces = [delta["text"] for delta in deltas]
            case _:
                parts = [one["candidates"][0]["content"]["parts"] for one in documents if "candidates" in one]
                pieces = [part.get("text") for few in parts for part in few]
        return "".join(piece or "" for piece in pieces)

    def error_message(self, document: dict[str, object]) -> str:
        """The message of an error in this dialect. Raises KeyError where the document is none."""
        error = document["error"]
        assert isinstance(error, dict)
        if self.name == "messages":
            assert document["type"] == "error"
        return str(error["message"])


CHAT = Dialect(name="chat", host="api.openai.com", client="openai_chat", prefix="openai")
RESPONSES = Dialect(name="responses", host="api.openai.com", client="openai_responses", prefix="openai")
MESSAGES = Dialect(name="messages", host="api.anthropic.com", client="anthropic_messages", prefix="anthropic")
GEMINI = Dialect(
    name="gemini", host="generativelanguage.googleapis.com", client="gemini_generate", prefix="genai"
)
DIALECTS = (CHAT, RESPONSES, MESSAGES, GEMINI)
