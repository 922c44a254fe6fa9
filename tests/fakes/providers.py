"""Rows of providers as tests want them."""

from __future__ import annotations

from agent.model.provider import Provider, Spoken

CHAT = Spoken(dialect="openai-chat", paths={"chat": "/v1/chat/completions", "models": "/v1/models"})


def make_row(name: str = "p", **changes: object) -> Provider:
    """A provider of the catalog that speaks OpenAI's format, with `changes`."""
    values: dict[str, object] = {
        "id": name,
        "name": name.title(),
        "genai": name,
        "origin": f"https://{name}.example",
        "speaks": (CHAT,),
        "models_path": "/v1/models",
        "source": "tests",
    }
    return Provider(**{**values, **changes})  # type: ignore[arg-type]
