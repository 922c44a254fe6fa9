"""Vectors of prompts, from the model that the policy names."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from agent.errors import DrawbridgeError, UpstreamError
from agent.gateway.dispatch import Dispatcher
from agent.gateway.unified.embedding import GatewayEmbedder
from agent.routing.health import HealthBook
from tests.fakes.rulebooks import rule_book, toy_policy
from tests.fakes.upstream import FakeResponse, FakeTransport
from tests.unit.gateway.conftest import InForce, Keys
from tests.unit.gateway.unified.conftest import PROVIDERS

CACHE = """
cache: {enabled: true, semantic: {enabled: true, embedder: {provider: openai/text-embedding-3-small}, dimensions: 8}}
"""


type Made = Callable[..., tuple[GatewayEmbedder, FakeTransport]]


@pytest.fixture
def embedder() -> Made:
    """Makes one, and the transport by which it asks; the policies are compiled here, not in the loop."""
    rules = {named: rule_book(toy_policy(PROVIDERS + CACHE * named)) for named in (True, False)}

    def make(*answers: bytes, named: bool = True) -> tuple[GatewayEmbedder, FakeTransport]:
        transport = FakeTransport(*(FakeResponse(answer) for answer in answers))
        dispatcher = Dispatcher(transport, Keys(lambda reference: "secret"), HealthBook())
        return GatewayEmbedder(InForce(rules[named]), dispatcher), transport

    return make


async def test_vectors_are_given_in_the_order_of_their_texts(embedder: Made) -> None:
    rows = [{"index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": [1, 2.5]}]
    made, transport = embedder(orjson.dumps({"data": rows}))
    assert await made.embed(["a", "b"]) == [[1.0, 2.5], [3.0, 4.0]]
    [asked] = transport.asked
    assert (asked.target.host, asked.request.target) == ("api.openai.com", b"/v1/embeddings")
    assert orjson.loads(asked.body) == {
        "model": "text-embedding-3-small",
        "input": ["a", "b"],
        "encoding_format": "float",
        "dimensions": 8,
    }


@pytest.mark.parametrize(
    "rows",
    [[], [{"index": 7, "embedding": [1]}], [{"index": -1, "embedding": [1]}], [{"index": 0}], "nonsense"],
)
async def test_what_is_missing_is_none(embedder: Made, rows: object) -> None:
    made, _ = embedder(orjson.dumps({"data": rows}))
    assert await made.embed(["a"]) == [None]


async def test_an_answer_that_is_no_json_is_the_providers_error(embedder: Made) -> None:
    made, _ = embedder(b"<html>")
    with pytest.raises(UpstreamError):
        await made.embed(["a"])


async def test_without_a_model_there_are_no_vectors(embedder: Made) -> None:
    made, transport = embedder(named=False)
    assert made.name == ""
    with pytest.raises(DrawbridgeError):
        await made.embed(["a"])
    assert transport.asked == []
