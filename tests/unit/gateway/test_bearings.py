"""What one request on a connection showed holds for the next, as long as nothing it depends on has changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.accounts.accounts import Accounts
from agent.accounts.keys import hashed
from agent.accounts.local import LocalStore
from agent.gateway.asking import Asking, Ownerless
from agent.gateway.bearings import Bearings
from agent.gateway.routing import Refusal
from agent.gateway.wire import ClientRequest, Memory
from agent.inspection import RuleBook
from agent.model.login import LoginKind
from agent.model.traffic import Connection, Tier
from tests.unit.gateway.conftest import policy

OURS = "sk-db-" + "a" * 40
OTHER = "sk-db-" + "b" * 40
ENDS = 1_800_000_000
KEYS = f"""
providers: {{up: {{uses: openai-compatible, base_url: "http://127.0.0.1:1/v1"}}}}
accounts:
  virtual_keys:
    - id: one
      hash: "sha256:{hashed(OURS).removeprefix("sha256:")}"
      expires: {datetime.fromtimestamp(ENDS, UTC).isoformat()}
    - id: two
      hash: "sha256:{hashed(OTHER).removeprefix("sha256:")}"
"""
CLIENT = Connection(id="c", tier=Tier.BASE_URL)


def asking(rules: RuleBook) -> Asking:
    return Asking(Accounts(rules.policy.accounts, store=LocalStore(Path("never-opened.db"))))


def request(
    memory: Memory,
    *,
    key: str = OURS,
    length: int = 10,
    connection: Connection = CLIENT,
    target: bytes = b"/v1/chat/completions",
    further: tuple[tuple[bytes, bytes], ...] = (),
) -> ClientRequest:
    fields = (
        (b"host", b"127.0.0.1"),
        (b"authorization", b"Bearer " + key.encode()),
        (b"content-length", str(length).encode()),
        (b"user-agent", b"some/1"),
    )
    return ClientRequest(
        connection=connection, method="POST", target=target, headers=fields + further, memory=memory
    )


def found(made: Asking, rules: RuleBook, asked: ClientRequest, at: float = 0.0) -> Bearings:
    answer = made.bearings(rules, asked, at=at)
    assert isinstance(answer, Bearings)
    return answer


@policy(KEYS)
def test_a_head_that_says_the_same_is_not_read_again(rules: RuleBook) -> None:
    made, memory = asking(rules), Memory()
    first = found(made, rules, request(memory))
    again = request(memory, length=99)
    assert found(made, rules, again) is first
    assert first.principal.key_id == "one"
    assert first.travelling(again).headers == (
        (b"host", b"127.0.0.1"),
        (b"content-length", b"99"),
        (b"user-agent", b"some/1"),
    )


@policy(KEYS)
def test_whatever_says_who_asks_is_read_again(rules: RuleBook) -> None:
    made, memory = asking(rules), Memory()
    first = found(made, rules, request(memory))
    assert found(made, rules, request(memory, key=OTHER)).principal.key_id == "two"
    assert found(made, rules, request(memory)) is not first  # only the last one is remembered
    for other in (
        request(memory, connection=replace(CLIENT)),
        request(memory, target=b"/v1/responses"),
        request(memory, further=((b"x-app", b"cli"),)),
    ):
        before = found(made, rules, request(memory))
        assert found(made, rules, other) is not before


@policy(KEYS)
def test_another_policy_or_other_accounts_are_asked_anew(rules: RuleBook) -> None:
    made, memory = asking(rules), Memory()
    first = found(made, rules, request(memory))
    twin = RuleBook(rules.policy, examples=False)
    second = found(made, twin, request(memory))
    assert second is not first
    made._accounts._book = None  # as a reload without the section leaves it
    assert found(made, twin, request(memory)).principal.key is None


@policy(KEYS)
def test_a_key_that_has_ended_ends_on_a_kept_connection_too(rules: RuleBook) -> None:
    made, memory = asking(rules), Memory()
    found(made, rules, request(memory), at=ENDS - 1.0)
    ended = made.bearings(rules, request(memory), at=ENDS + 1.0)
    assert isinstance(ended, Ownerless)
    assert ended.denial.status in (401, 403)


@policy(KEYS)
def test_refusals_are_found_out_each_time(rules: RuleBook) -> None:
    made, memory = asking(rules), Memory()
    assert isinstance(made.bearings(rules, request(memory, target=b"/nowhere"), at=0.0), Refusal)
    assert memory.last is None
    assert isinstance(made.bearings(rules, request(memory, key="sk-db-wrong"), at=0.0), Ownerless)
    assert memory.last is None


def test_what_an_answer_told_of_the_account_counts_for_the_next_request(rules: RuleBook) -> None:
    made, memory = asking(rules), Memory()
    there = Connection(id="r", tier=Tier.RELAY, connect_host="api.openai.com", sni="api.openai.com")
    asked = ClientRequest(
        connection=there,
        method="POST",
        target=b"/v1/responses",
        headers=((b"host", b"api.openai.com"), (b"authorization", b"Bearer sk-proj-" + b"x" * 40)),
        memory=memory,
    )
    first = found(made, rules, asked)
    assert first.login.kind is LoginKind.API_KEY
    assert not first.login.organisation
    answer = ((b"openai-organization", b"acme"),)
    assert made.learn(rules, first.travelling(asked), first.onward, answer) is not None
    assert found(made, rules, asked).login.organisation == "acme"


@pytest.mark.parametrize("header", [b"user-agent", b"authorization"])
@policy(KEYS)
def test_no_header_by_which_somebody_is_told_may_vary(rules: RuleBook, header: bytes) -> None:
    made, memory = asking(rules), Memory()
    first = found(made, rules, request(memory))
    other = replace(
        request(memory),
        headers=tuple(
            (name, value.replace(b"some/1", b"claude-cli/2").replace(OURS.encode(), OTHER.encode()))
            if name == header
            else (name, value)
            for name, value in request(memory).headers
        ),
    )
    assert found(made, rules, other) is not first


WAYS = """
providers: {up: {uses: openai-compatible, base_url: "http://127.0.0.1:1/v1"}}
apps: {rules: [{id: nights, state: approved, when: "hour >= 22", routing: native}]}
"""


@policy(WAYS)
def test_where_rules_for_programs_may_go_by_the_hour_nothing_is_remembered(rules: RuleBook) -> None:
    made, memory = asking(rules), Memory()
    found(made, rules, request(memory))
    assert memory.last is None
