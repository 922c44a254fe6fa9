"""A policy's own catalog rows: every key of a bundled row, and what must hold between them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.errors import PolicyError
from agent.model.surface import Endpoint, Kind, Surface
from agent.policy import load
from agent.policy.catalog import CatalogEndpoint

HEAD = "schema_version: 1\nid: p\n"
ROW = "catalog:\n  - {id: own, name: Own, provider: openai, hosts: [llm.example.com]"


def row(more: str) -> Surface:
    (surface,) = load(f"{HEAD}{ROW}, {more}}}\n", source="p").surfaces(
        {"openai-chat": (Endpoint(path="**/chat/completions", dialect="openai-chat"),)}
    )
    return surface


def test_a_row_says_all_that_a_bundled_one_can() -> None:
    found = row(
        "speaks: [openai-chat], kind: agent, shares: true, never: [/login/**, /v1/me], apps: [tool], http2: true, "
        "websockets: true, pinned: [old], misread: [401], prefix: own, origin: 'https://llm.example.com', "
        "key_header: Authorization, "
        "endpoints: [{path: /ask, dialect: d, operation: chat, socket: frames, app: tool}]"
    )
    assert found == Surface(
        id="own",
        name="Own",
        provider="openai",
        hosts=("llm.example.com",),
        endpoints=(
            Endpoint(path="**/chat/completions", dialect="openai-chat"),
            Endpoint(path="/ask", dialect="d", socket="frames", app="tool"),
        ),
        kind=Kind.AGENT,
        shares=True,
        never=("/login/**", "/v1/me"),
        apps=("tool",),
        http2=True,
        websockets=True,
        pinned=("old",),
        misread=(401,),
        prefix="own",
        origin="https://llm.example.com",
        key_header="authorization",
    )


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("kind: page", "kind"),
        ("never: [login]", "must start with"),
        ("never: ['/a/**/b']", "no other brace"),
        ("misread: [500]", "499"),
        ("prefix: own", "'prefix' goes with"),
        ("origin: 'https://x.example'", "'prefix' goes with"),
        ("prefix: own, origin: 'http://127.0.0.1:1', key_header: k", "'prefix' goes with an https"),
        ("endpoints: [{path: '/a/**', dialect: d}]", "no other brace"),
        ("overrides_never: ['https://x']", "without scheme"),
        ("colour: red", "colour"),
    ],
)
def test_a_mistake_names_its_place(more: str, problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        row(more)


def test_all_of_a_host_may_be_left_alone() -> None:
    assert row("never: ['/**']").never == ("/**",)


def test_an_endpoint_is_spoken_to_in_a_dialect_or_on_a_socket() -> None:
    only = CatalogEndpoint(path="/ws", socket="openai-realtime")
    assert (only.endpoint().dialect, only.endpoint().socket) == ("", "openai-realtime")
    sealed = CatalogEndpoint(path="/ask", dialect="openai-chat", seal="x-signature")
    assert sealed.endpoint().seal == "x-signature"
    with pytest.raises(ValidationError, match="needs a 'dialect', or a 'socket'"):
        CatalogEndpoint(path="/ask")
