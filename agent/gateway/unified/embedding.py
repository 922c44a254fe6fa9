"""Vectors of prompts, from a provider's embedding model, for the cache of answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from agent.dialects.shapes import mapping, objects
from agent.errors import UpstreamError
from agent.gateway.dispatch import Dispatcher, NotAdmitted, Prepared
from agent.gateway.plain import collected
from agent.gateway.ports import PolicyInForce
from agent.gateway.unified.forms import Asked, Forms
from agent.routing.plan import Candidate, Plan

_MAX_ANSWER = 8 * 1024 * 1024  # bytes


@dataclass(slots=True)
class _Order:
    """Implements `dispatch.Order`."""

    plan: Plan
    forms: Forms
    repeatable: bool = True
    tokens: int = 0

    def prepare(self, candidate: Candidate) -> Prepared:
        """See `dispatch.Order`."""
        return self.forms.prepare(candidate)

    async def admit(self, candidate: Candidate) -> NotAdmitted | None:
        """The gateway's own errand: nobody's account."""
        del candidate
        return None


class GatewayEmbedder:
    """Implements `caching.Embedder` with the model that the policy in force names."""

    def __init__(self, policy: PolicyInForce, dispatcher: Dispatcher) -> None:
        self._policy = policy
        self._dispatcher = dispatcher

    @property
    def name(self) -> str:
        """The model, `provider/model`; empty where the policy names none."""
        source = self._policy.rules.policy.cache.semantic.embedder
        return source.provider or "" if source is not None else ""

    async def embed(self, texts: Sequence[str]) -> list[Sequence[float] | None]:
        """A vector for each text. Raises DrawbridgeError where the provider gives none."""
        book = self._policy.book
        [ref, *_] = book.names.resolve(self.name)
        document: dict[str, object] = {"model": ref.model, "input": list(texts), "encoding_format": "float"}
        dimensions = self._policy.rules.policy.cache.semantic.dimensions
        if dimensions is not None:
            document["dimensions"] = dimensions
        asked = Asked(
            dialect="openai-chat",
            operation="embeddings",
            path="/v1/embeddings",
            query=b"",
            fields=(),
            body=orjson.dumps(document),
            model=ref.model,
            stream=False,
        )
        plan = Plan(candidates=(book.candidate(ref),), explicit=1, limits=book.limits)
        done = await self._dispatcher.send(_Order(plan=plan, forms=Forms(asked=asked, book=book)))
        try:
            body = await collected(done.response, limit=_MAX_ANSWER)
        finally:
            await done.response.aclose()
        return _vectors(body, len(texts))

    def close(self) -> None:
        """The dispatcher is somebody else's."""


def _vectors(body: bytes, count: int) -> list[Sequence[float] | None]:
    """https://platform.openai.com/docs/api-reference/embeddings"""
    try:
        document = mapping(orjson.loads(body))
    except orjson.JSONDecodeError:
        raise UpstreamError("the embedding model's answer is no JSON") from None
    found: list[Sequence[float] | None] = [None] * count
    for _, row in objects(document.get("data")):
        place, vector = row.get("index", 0), row.get("embedding")
        if isinstance(place, int) and 0 <= place < count and isinstance(vector, list):
            found[place] = [float(number) for number in vector if isinstance(number, int | float)]
    return found
