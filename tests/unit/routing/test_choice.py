"""Choices: shares, sessions, order of fallbacks, and who may serve at all."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from agent.policy.routes import Balance
from agent.routing.choice import choose
from agent.routing.failures import Cause, Failure
from agent.routing.health import HealthBook
from agent.routing.plan import Candidate, KeyRef, NoRoute, Plan
from agent.routing.wish import Wish
from tests.fakes.routes import candidate

A, B, C = candidate("a", weight=3.0), candidate("b", weight=1.0), candidate("c", weight=0.0)
BROKEN = Failure(cause=Cause.SERVER, status=500)


def chosen(wish: Wish, health: HealthBook | None = None, *, seed: int = 0, now: float = 0.0) -> Plan:
    return choose(wish, health or HealthBook(), now=now, draw=Random(seed).random)


def names(plan: Plan) -> list[str]:
    return [each.provider.id for each in plan.candidates]


def wish(*candidates: Candidate, **more: object) -> Wish:
    return Wish(candidates=candidates, **more)  # type: ignore[arg-type]


def broken(*routes: tuple[str, str]) -> HealthBook:
    health = HealthBook()
    for who, key in routes:
        for _ in range(5):
            health.failed((who, key, "m"), BROKEN, 0.0)
    return health


def shares(of: Wish, health: HealthBook | None = None) -> Counter[str]:
    dice = Random(7)
    book = health or HealthBook()
    return Counter(choose(of, book, now=0.0, draw=dice.random).candidates[0].provider.id for _ in range(2000))


def test_equals_share_by_weight() -> None:
    found = shares(wish(A, B, C))
    assert found["c"] == 0
    assert found["a"] / found["b"] == pytest.approx(3, rel=0.2)


def test_the_others_follow() -> None:
    plan = chosen(wish(A, B, C))
    assert sorted(names(plan)) == ["a", "b", "c"]
    assert names(plan)[-1] == "c"
    assert plan.explicit == 3


def test_health_shifts_the_shares() -> None:
    health = HealthBook()
    for _ in range(3):
        health.failed(("a", "k", "m"), BROKEN, 0.0)
    assert shares(wish(A, B), health)["a"] < 600
    assert shares(wish(A, B, balance=Balance.WEIGHTED), health)["a"] > 1300


def test_who_is_broken_comes_last_but_comes() -> None:
    health = broken(("a", "k"))
    assert all(names(chosen(wish(A, B), health, seed=seed)) == ["b", "a"] for seed in range(20))
    assert names(chosen(wish(A), health)) == ["a"]


def test_keys_are_shared_too() -> None:
    keys = (KeyRef(name="big", weight=9.0), KeyRef(name="small"), KeyRef(name="spare", weight=0.0))
    firsts = Counter(
        chosen(wish(candidate("a", *keys)), seed=seed).candidates[0].keys[0].name for seed in range(500)
    )
    assert firsts["big"] > 400
    assert firsts["spare"] == 0
    last = chosen(wish(candidate("a", *keys)), broken(("a", "big"))).candidates[0]
    assert [key.name for key in last.keys] == ["small", "spare", "big"]


def test_a_full_key_is_asked_after_the_others() -> None:
    health = HealthBook()
    health.began(("a", "k1", "m"), 0.0)
    one = candidate("a", KeyRef(name="k1", concurrency=1), "k2")
    assert all(chosen(wish(one), health, seed=seed).candidates[0].keys[0].name == "k2" for seed in range(20))


def test_a_session_stays_where_it_is() -> None:
    many = [candidate(name, "k1", "k2", "k3") for name in "abcdef"]
    for session in ("s1", "s2", "s3"):
        first = chosen(wish(*many, session=session), seed=1)
        assert chosen(wish(*reversed(many), session=session), seed=2).candidates == first.candidates
    spread = Counter(names(chosen(wish(*many, session=f"s{n}")))[0] for n in range(600))
    assert min(spread.values()) > 60


def test_only_the_sessions_of_who_is_gone_move_and_they_come_back() -> None:
    many = [candidate(name) for name in "abcd"]
    sessions = [f"s{n}" for n in range(200)]
    before = {name: names(chosen(wish(*many, session=name)))[0] for name in sessions}
    health = broken(("a", "k"))
    after = {name: names(chosen(wish(*many, session=name), health))[0] for name in sessions}
    moved = {name for name in sessions if before[name] != after[name]}
    assert moved == {name for name in sessions if before[name] == "a"}
    later = {name: names(chosen(wish(*many, session=name), health, now=1000.0))[0] for name in sessions}
    assert later == before


def test_named_fallbacks_keep_their_order() -> None:
    plan = chosen(wish(A, fallbacks=(C, B, A, B)))
    assert names(plan) == ["a", "c", "b"]
    assert plan.explicit == 1


def test_a_fallback_goes_first_while_all_equals_are_broken() -> None:
    plan = chosen(wish(A, fallbacks=(B, C)), broken(("a", "k"), ("b", "k")))
    assert names(plan) == ["c", "a", "b"]


def test_private_means_private_for_fallbacks_too() -> None:
    home = candidate("ollama", private=True)
    assert names(chosen(wish(A, home, fallbacks=(B,), require_private=True))) == ["ollama"]
    with pytest.raises(NoRoute, match="only go to a private provider") as caught:
        chosen(wish(A, fallbacks=(B,), require_private=True))
    assert caught.value.status == 403


def test_without_a_key_nobody_serves() -> None:
    with pytest.raises(NoRoute, match="no key may be used for a/m") as caught:
        chosen(wish(candidate("a", KeyRef(name="k", models=("gpt*",)))))
    assert caught.value.status == 403
    with pytest.raises(NoRoute, match="no provider serves") as caught:
        chosen(wish())
    assert caught.value.status == 400
    assert names(chosen(wish(fallbacks=(A,)))) == ["a"]
