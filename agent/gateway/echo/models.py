"""The list of models the echo claims to have, in the shapes the clients of each provider accept."""

from __future__ import annotations

from agent.gateway.echo.reply import JsonObject

MODEL = "echo"
"""The one model's name; any other name is answered too."""

_CREATED = 1735689600  # 2025-01-01


def model_page(path: str) -> JsonObject | None:
    """The page at `path`, if it is a list of models or one model; None otherwise."""
    folder, _, last = path.rpartition("/")
    if last == "models":
        return _gemini_list() if folder.startswith("/v1beta") else _list()
    if folder.endswith("/models") and ":" not in last:
        return _gemini_model(last) if folder.startswith("/v1beta") else _model(last)
    return None


def _list() -> JsonObject:
    """OpenAI's, Anthropic's and Codex's lists in one object: their fields do not collide.

    Codex's (`models`) stays empty, which lets Codex keep to the models it knows itself.
    """
    return {
        "models": [],
        "object": "list",
        "data": [_model(MODEL)],
        "has_more": False,
        "first_id": MODEL,
        "last_id": MODEL,
    }


def _model(name: str) -> JsonObject:
    return {
        "id": name,
        "object": "model",
        "created": _CREATED,
        "owned_by": "drawbridge",
        "type": "model",
        "display_name": name,
        "created_at": "2025-01-01T00:00:00Z",
        "lifecycle": "active",
    }


def _gemini_list() -> JsonObject:
    return {"models": [_gemini_model(MODEL)]}


def _gemini_model(name: str) -> JsonObject:
    return {
        "name": f"models/{name}",
        "version": "1",
        "displayName": name,
        "description": "Repeats what it is told.",
        "inputTokenLimit": 1_000_000,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }
