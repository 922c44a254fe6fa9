"""What asks no model goes to one provider, in one spelling, under a key that may be used for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.catalog.paths import normalise
from agent.gateway.routing import Refused, Route, route_base_url
from agent.gateway.unified.passing import lent_key, passing
from agent.gateway.unified.routebook import RouteBook
from tests.fakes.rulebooks import rule_book, toy_policy
from tests.unit.gateway.unified.conftest import BOUND, KEY, NOBODY, account_of, book_of

TO_OPENAI = ((b"x-drawbridge-provider", b"openai"),)


def route(target: bytes) -> Route:
    found = route_base_url(rule_book(toy_policy()), target)
    assert isinstance(found, Route)
    return found


def test_the_header_says_who(book: RouteBook) -> None:
    made = passing(book, route(b"/v1/files/file-1/content?limit=2"), TO_OPENAI)
    assert (made.route.target.host, made.route.path) == ("api.openai.com", "/v1/files/file-1/content")
    assert (made.route.query, made.route.credential) == (b"limit=2", None)
    assert made.opened_with("env:FIRST").credential == ("authorization", "env:FIRST")


def test_who_is_not_said_must_be_clear(book: RouteBook) -> None:
    with pytest.raises(Refused, match="x-drawbridge-provider"):
        passing(book, route(b"/v1/files"), ())
    with pytest.raises(Refused, match="nobody keeps no files"):
        passing(book, route(b"/v1/files"), ((b"x-drawbridge-provider", b"nobody"),))


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/x/../files/a%2Fb%2F..%2Fc",
        b"/v1/files/..%5C..%5Cv1%5Cfiles/b",
        b"/v1//files/%252e%252e/%252e%252e/chat/completions",
        b"/v1/files;a=b/c?key=AIza",
    ],
)
def test_no_spelling_leads_out_of_the_operation(book: RouteBook, target: bytes) -> None:
    try:
        made = passing(book, route(target), TO_OPENAI).route
    except Refused:
        return
    assert normalise(made.path).startswith("/v1/files")
    assert not {".", ".."} & set(made.path.split("/"))
    assert b"key=" not in made.query


@pytest.mark.parametrize("path", ["/v1/filesystem", "/v1/chat/completions", "/v1/batchesx/1"])
def test_only_the_operations_themselves_pass(book: RouteBook, path: str) -> None:
    with pytest.raises(Refused) as refused:
        passing(book, replace(route(b"/v1/files"), plain_path=path), TO_OPENAI)
    assert refused.value.status == 404


def test_a_clients_own_key_goes_to_nobody_whom_it_did_not_choose(book: RouteBook) -> None:
    fields = (*TO_OPENAI, (b"authorization", b"Bearer sk-theirs"), (b"cookie", b"a=b"))
    made = passing(book, route(b"/v1/files"), fields)
    assert made.fields == ((b"openai-project", b"ours"),)
    assert made.opened_with("").credential is None


def test_only_the_keys_that_an_account_may_use_are_lent() -> None:
    book = book_of()
    account = account_of(
        f"virtual_keys: [{{id: ci, {KEY}, providers: [{{provider: openai, keys: [second]}}]}}]\n{BOUND}"
    )
    openai = book.providers["openai"]
    assert lent_key(openai, NOBODY, "POST", "/v1/batches") == "env:FIRST"
    assert lent_key(openai, account, "POST", "/v1/batches") == "env:SECOND"
    with pytest.raises(Refused) as refused:
        lent_key(book.providers["anthropic"], account, "GET", "/v1/files")
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "limits", ["budgets: [{usd: 1, per: day}]", "providers: [{provider: openai, models: [gpt-5-nano]}]"]
)
def test_who_has_limits_sends_nothing_that_cannot_be_counted(limits: str) -> None:
    book = book_of()
    account = account_of(f"virtual_keys: [{{id: ci, {KEY}, {limits}}}]\n{BOUND}")
    openai = book.providers["openai"]
    with pytest.raises(Refused) as refused:
        lent_key(openai, account, "POST", "/v1/batches")
    assert dict(refused.value.headers)[b"x-drawbridge-denied"] == b"access_blocked"
    assert lent_key(openai, account, "POST", "/v1/files") == "env:FIRST"
    assert lent_key(openai, account, "GET", "/v1/batches/1") == "env:FIRST"
