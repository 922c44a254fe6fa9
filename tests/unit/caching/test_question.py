"""Names of questions, and what clients are told. (How they are used: test_cache.)"""

from __future__ import annotations

from dataclasses import replace

from agent.caching.question import Asker, Bypass, Question
from agent.policy.caching import Caching, PartitionBy
from agent.policy.scope import Subject

QUESTION = Question(
    dialect="openai-chat",
    model="m",
    body=b"",
    subject=Subject(host="h"),
    asker=Asker(virtual_key="vk", user="ann", team="red"),
)
SECRET = b"k" * 32


def test_a_partition_holds_what_policy_names() -> None:
    assert QUESTION.partition(Caching()) == b"user=3:ann\0virtual_key=2:vk"
    by_team = Caching(partition=(PartitionBy.TEAM,), share_across_users=True)
    assert QUESTION.partition(by_team) == b"team=3:red"
    assert QUESTION.partition(Caching(partition=(), share_across_users=True)) == b""


def test_an_account_whose_name_is_no_text_has_a_partition() -> None:
    odd = replace(QUESTION, asker=Asker(user=b"\xff".decode(errors="surrogateescape")))
    assert odd.partition(Caching()) != QUESTION.partition(Caching())


def test_the_order_of_headers_does_not_matter() -> None:
    headers = (("anthropic-beta", "a"), ("anthropic-version", "b"))
    keys = {
        replace(QUESTION, variant=order).key(SECRET, Caching(), b"{}")
        for order in (headers, tuple(reversed(headers)))
    }
    assert len(keys) == 1
    assert QUESTION.key(SECRET, Caching(), b"{}") not in keys


def test_keys_and_buckets_are_apart() -> None:
    assert QUESTION.key(SECRET, Caching(), b"{}") != QUESTION.bucket(SECRET, Caching(), "openai-chat", b"{}")


def test_who_is_passed_by_is_told_nothing() -> None:
    assert Bypass(reason="off").headers == ()
