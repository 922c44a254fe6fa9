"""The smallest request that shows whether a provider can be used: one word, in each of the formats."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

MOST_TOKENS = 16  # OpenAI's Responses takes no less
_WORDS = "Say: ok"
_USER = {"role": "user", "content": _WORDS}


def probe(dialect: str, model: str, quirks: Mapping[str, object]) -> bytes:
    """The body of a request for a few tokens. Raises KeyError for a format that is not known."""
    limit = str(quirks.get("max_tokens_field") or "max_completion_tokens")
    bodies: dict[str, dict[str, object]] = {
        "openai-chat": {"model": model, "messages": [_USER], limit: MOST_TOKENS},
        "openai-responses": {
            "model": model,
            "input": _WORDS,
            "max_output_tokens": MOST_TOKENS,
            "store": False,
        },
        "anthropic-messages": {"model": model, "messages": [_USER], "max_tokens": MOST_TOKENS},
        "gemini-generate-content": {
            "contents": [{"role": "user", "parts": [{"text": _WORDS}]}],
            "generationConfig": {"maxOutputTokens": MOST_TOKENS},
        },
        "bedrock-converse": {
            "messages": [{"role": "user", "content": [{"text": _WORDS}]}],
            "inferenceConfig": {"maxTokens": MOST_TOKENS},
        },
        "cohere-chat": {"model": model, "messages": [_USER], "max_tokens": MOST_TOKENS},
        "replicate-predictions": {
            "input": {"prompt": _WORDS, "max_tokens": MOST_TOKENS},
            **({"version": model} if ":" in model else {}),
        },
    }
    return orjson.dumps(bodies[dialect])


def first_model(listed: bytes) -> str:
    """The first model in a provider's own list, in whichever shape; empty where none is found."""
    try:
        document = orjson.loads(listed)
    except ValueError:
        return ""
    models = document
    if isinstance(document, dict):
        models = document.get("data") or document.get("models")
    for model in models if isinstance(models, list) else ():
        name = (model.get("id") or model.get("name")) if isinstance(model, dict) else None
        if isinstance(name, str) and name:
            return name.removeprefix("models/")
    return ""


def said(answer: bytes) -> str:
    """What a provider says went wrong, short and on one line; empty where it says nothing that can be read."""
    try:
        document = orjson.loads(answer)
    except ValueError:
        return ""
    if isinstance(document, list) and document:
        document = document[0]
    error = document.get("error", document) if isinstance(document, dict) else None
    text = error
    if isinstance(error, dict):
        text = error.get("message") or error.get("Message") or error.get("detail")
    if not isinstance(text, str):
        return ""
    return "".join(each if each.isprintable() else " " for each in text)[:200].strip()
