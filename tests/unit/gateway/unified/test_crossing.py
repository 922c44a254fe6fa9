"""What a client says to one provider is not told to another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.gateway.routing import query_without_secrets
from agent.gateway.unified.crossing import crossing_fields, crossing_query
from agent.gateway.unified.routebook import RouteBook


@pytest.mark.parametrize(
    "name",
    [
        *("authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "x-drawbridge-key"),
        *("ocp-apim-subscription-key", "x-auth-token", "cf-aig-authorization", "helicone-auth"),
        *("openai-organization", "x-goog-user-project", "chatgpt-account-id", "x-amz-security-token"),
        *("x-forwarded-for", "forwarded", "x-drawbridge-fallbacks", "x-http-method-override", "traceparent"),
    ],
)
@pytest.mark.parametrize("same", [True, False])
def test_what_was_meant_for_somebody_else_stays_here(book: RouteBook, name: str, *, same: bool) -> None:
    made = crossing_fields(((name.encode(), b"theirs"),), book.providers["local"], same=same)
    assert made == []


@pytest.mark.parametrize(("same", "kept"), [(True, True), (False, False)])
def test_a_formats_own_fields_go_to_who_speaks_it(book: RouteBook, *, same: bool, kept: bool) -> None:
    field = (b"openai-beta", b"assistants=v2")
    assert (field in crossing_fields((field,), book.providers["local"], same=same)) is kept


def test_a_key_that_is_none_goes_on(book: RouteBook) -> None:
    field = (b"idempotency-key", b"1")
    assert crossing_fields((field,), book.providers["local"], same=True) == [field]


def test_the_policys_fields_stand_above_the_clients_and_the_catalogs_below(book: RouteBook) -> None:
    theirs = ((b"openai-project", b"theirs"), (b"anthropic-version", b"2024-01-01"))
    assert (b"openai-project", b"ours") in crossing_fields(theirs, book.providers["openai"], same=True)
    made = crossing_fields(theirs, book.providers["anthropic"], same=True)
    assert made == [(b"anthropic-version", b"2024-01-01")]


def test_of_a_query_only_what_models_are_asked_with_goes_on() -> None:
    query = b"key=AIza&alt=sse&beta=true&%6bey=AIza&$httpHeaders=x:y&fields=candidates&api-version=1"
    assert crossing_query(query) == b"alt=sse&beta=true&api-version=1"


def test_keys_are_taken_out_of_a_query_and_the_rest_stays() -> None:
    query = b"purpose=batch&%4Bey=AIza&limit=2&access_token=ya29&%24httpHeaders=x:y"
    assert query_without_secrets(query) == b"purpose=batch&limit=2"


@given(st.binary(max_size=60))
def test_nothing_is_made_up(query: bytes) -> None:
    parts = query.split(b"&")
    for made in (crossing_query(query), query_without_secrets(query)):
        assert not made or all(part in parts for part in made.split(b"&"))
