"""A policy with providers of several formats, and what stands around one request under it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.accounts.accounts import Accounts, Principal
from agent.accounts.local import LocalStore
from agent.dialects.base import ParsedRequest
from agent.gateway.accounting import Account
from agent.gateway.unified.forms import Asked, Forms
from agent.gateway.unified.planning import Wanted
from agent.gateway.unified.routebook import RouteBook
from agent.model.content import Role, Slot
from agent.model.decision import Decision
from agent.policy import Subject
from agent.routing.plan import Candidate
from tests.fakes.accounts import section
from tests.fakes.rulebooks import route_book, rule_book, toy_policy

PROVIDERS = """
providers:
  openai:
    keys: [{name: first, key: 'env:FIRST'}, {name: second, key: 'env:SECOND'}]
    headers: {openai-project: ours}
  anthropic: {key: 'env:ANTHROPIC'}
  gemini: {key: 'env:GEMINI'}
  local: {uses: openai-compatible, base_url: 'http://127.0.0.1:9/v1', models: {small: deployed-7}}
models: {fast: [local/small, openai/gpt-5-nano]}
prices: [{models: [small], input: 1, output: 2}]
"""


def book_of(more: str = "") -> RouteBook:
    """What the policy, with further keys, says about providers."""
    return route_book(rule_book(toy_policy(PROVIDERS + more)))


@pytest.fixture
def book() -> RouteBook:
    return book_of()


def candidate(book: RouteBook, name: str) -> Candidate:
    """`provider/model` under the policy."""
    [ref, *_] = book.names.resolve(name)
    return book.candidate(ref)


def asked(body: bytes = b"{}", **more: object) -> Asked:
    """A chat request of an OpenAI client."""
    fields: dict[str, object] = {
        "dialect": "openai-chat",
        "operation": "chat",
        "path": "/v1/chat/completions",
        "query": b"",
        "fields": ((b"content-type", b"application/json"),),
        "body": body,
        "model": "local/small",
        "stream": False,
    }
    return Asked(**{**fields, **more})  # type: ignore[arg-type]


def forms(book: RouteBook, body: bytes = b"{}", **more: object) -> Forms:
    return Forms(asked=asked(body, **more), book=book)


def wanted(model: str, **more: object) -> Wanted:
    """What a request for `model` says of where it wants to go."""
    fields: dict[str, object] = {
        "subject": Subject(host="gateway", path="/v1/chat/completions", surface="gateway", app=""),
        "request": ParsedRequest(
            model=model, slots=(Slot(address=(("messages", 0, "content"),), role=Role.USER, text="hi"),)
        ),
        "decision": Decision(),
        "fields": (),
    }
    return Wanted(**{**fields, **more})  # type: ignore[arg-type]


NOBODY = Account(Accounts(None, store=LocalStore(Path("never-opened.db"))))


def account_of(text: str) -> Account:
    """The account of whoever comes without a key, under an `accounts` section that binds one."""
    accounts = Accounts(section(text), store=LocalStore(Path("never-opened.db")))
    principal = accounts.principal(None, now=0, user="ann")
    assert isinstance(principal, Principal)
    return Account(accounts, principal)


KEY = "hash: 'sha256:" + "0" * 64 + "'"
BOUND = "bindings: [{users: ['*'], key: ci}]"
