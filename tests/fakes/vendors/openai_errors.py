"""How OpenAI refuses, in all of its APIs."""

from __future__ import annotations

from tests.fakes.vendors.scene import KEYS, Refusal, Request, demand, encoded


def authenticate(request: Request) -> None:
    """Only its own keys (and Cohere's, whose endpoint for OpenAI's clients refuses in the same way)."""
    known = {f"Bearer {KEYS[name]}" for name in ("openai", "cohere")}
    demand(request.headers.get("authorization") in known, "Incorrect API key provided.", 401)


def body(refusal: Refusal) -> bytes:
    """The error object."""
    code = "invalid_api_key" if refusal.status == 401 else None
    error = {"message": str(refusal), "type": "invalid_request_error", "param": None, "code": code}
    return encoded({"error": error})
