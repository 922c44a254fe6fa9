"""Everything that providers and clients can do wrong, at once: every client has an answer or one honest error, and what
clients heard, what providers know, the trail, the accounts and the metrics agree. See tests/bench/chaos.py.

`DRAWBRIDGE_CHAOS=20000` makes the long run so long.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.bench import chaos
from tests.bench.chaos import House, Report, accounts, asks, entries, examine, house, load, settled
from tests.fakes.chaos_client import CHAT, GEMINI, MESSAGES, RESPONSES, Ask, End, Heard, Leave, judged
from tests.fakes.chaos_provider import WELL, Fault

REQUESTS = int(os.environ.get("DRAWBRIDGE_CHAOS", "1000"))
GUARDED = "guardrails: [{id: secrets, detect: [secret], action: redact}]"
SECONDS = 45.0 * max(1.0, REQUESTS / 1000)


def simple(house: House, count: int, *, first: int = 0, **more: object) -> list[Ask]:
    """Requests that nobody leaves, of the key that has enough."""
    given: dict[str, object] = {"model": "alpha/m", "dialect": CHAT, "key": house.keys["rich"], **more}
    return [Ask(number=number, **given) for number in range(first, first + count)]  # type: ignore[arg-type]


def all_answered(heard: Sequence[Heard]) -> bool:
    return all(judged(each).end is End.ANSWERED for each in heard)


async def test_whatever_goes_wrong_the_books_agree(tmp_path: Path) -> None:
    report = Report()
    async with house(tmp_path) as built:
        begun = time.monotonic()
        running = asyncio.ensure_future(load(built.agent.gateway_port, asks(REQUESTS, built)))
        await asyncio.sleep(1.0)
        built.agent.signal(signal.SIGHUP)  # the policy is read again, under all of this
        heard = await running
        report.seconds = time.monotonic() - begun
        await settled(built)
        examine(built, heard, report)
        served, spent = report.faults, accounts(built.agent).tokens
        narrow = simple(built, 3, first=900_000, key=built.keys["narrow"])
        for provider in built.providers.values():
            provider.shares = WELL
        freed = await load(built.agent.gateway_port, narrow, connections=3)
    assert not report.problems, str(report)
    assert report.seconds < SECONDS
    assert set(served) == set(Fault)
    assert report.ends["ANSWERED"] > REQUESTS / 2
    assert spent["tokens"] > chaos.TIGHT_TOKENS * 0.75  # the budgets were put to the test
    assert spent["usd"] > chaos.TIGHT_USD * 1e9 / chaos.TOKEN * 0.75
    assert all_answered(freed)  # no place was lost


async def test_what_was_known_before_a_kill_is_known_after_it(tmp_path: Path) -> None:
    before, after = Report(), Report()
    async with house(tmp_path, seed=2, more=GUARDED) as built:
        agent = built.agent
        first, second = asks(400, built, seed=2), asks(200, built, seed=3, first=400)
        running = asyncio.ensure_future(load(agent.gateway_port, first))
        while len(built.truth.told) < 300:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(agent.kill)
        lost = await running
        on_disk = accounts(agent)
        await asyncio.to_thread(agent.start)
        restarted = accounts(agent)
        finished = {
            each.ask.request_id
            for each in lost
            if judged(each).end is End.ANSWERED and not judged(each).problem
        }
        known = entries(agent)
        heard = await load(agent.gateway_port, second)
        await settled(built)
        examine(built, lost, before, crashed=True)
        examine(built, heard, after, crashed=True)
        last = accounts(agent)
        trail = entries(agent)
    assert not before.problems, str(before)
    assert not after.problems, str(after)
    assert before.ends["ANSWERED"] >= 50
    assert after.ends["ANSWERED"] > 100
    assert after.ends["LOST"] == 0
    assert finished <= {entry.request_id for entry in known}

    paid = Counter[str]()
    for entry in known:
        paid[entry.virtual_key] += entry.tokens
    assert on_disk.open > 0  # it was killed in the middle of something
    for key in chaos.BUDGETS:
        assert restarted.tokens.get(key, 0) >= paid[key]
    charged = sum(restarted.tokens.values()) - sum(on_disk.tokens.values())
    assert 0 < charged <= on_disk.open * chaos.WORST  # reservations, at their worst
    assert restarted.open == 0

    later = sum(entry.tokens for entry in trail) - sum(entry.tokens for entry in known)
    assert sum(last.tokens.values()) == sum(restarted.tokens.values()) + later


async def test_a_provider_that_comes_back_is_used_again(tmp_path: Path) -> None:
    async with house(tmp_path, shares=WELL) as built:
        alpha = built.providers["alpha"]
        port = built.agent.gateway_port
        await alpha.close()
        away = await load(port, simple(built, 30, fallbacks=("beta/m",)), connections=5)
        asked = [told for told in built.truth.told.values() if told.provider == "alpha"]
        await alpha.open()
        deadline = time.monotonic() + 25
        back: list[Heard] = []
        number = 100
        while len(back) < 5 and time.monotonic() < deadline:
            heard = await load(port, simple(built, 1, first=number, fallbacks=("beta/m",)), connections=1)
            assert all_answered(heard)
            back += [each for each in heard if each.fields["x-drawbridge-provider"] == "alpha"]
            number += 1
            await asyncio.sleep(0.2)
        tries = [entry.attempts for entry in entries(built.agent)[:30]]
    assert all_answered(away)
    assert not asked
    assert tries[-1] == 1  # its circuit was open: nobody waited for it any more
    assert len(back) == 5


async def test_keys_rotate_and_sessions_stay(tmp_path: Path) -> None:
    async with house(tmp_path, shares=WELL) as built:
        port = built.agent.gateway_port
        alone = await load(port, simple(built, 60), connections=4)
        keys = Counter(told.key for told in built.truth.told.values() if told.provider == "alpha")
        held = [
            Ask(
                number=1000 + number,
                model="alpha/m",
                dialect=CHAT,
                key=built.keys["rich"],
                session=f"session-{number % 6}",
            )
            for number in range(60)
        ]
        sessions = await load(port, held, connections=4)
        used: dict[str, set[str]] = {}
        for told in built.truth.told.values():
            if told.session and told.fault is not Fault.DEAD_KEY:
                used.setdefault(told.session, set()).add(told.key)
    assert all_answered(alone)
    assert all_answered(sessions)
    assert keys["key-a1"] > 5
    assert keys["key-a2"] > 5
    assert keys["key-dead"] <= 4  # one for each connection: they learnt it at the same time
    assert [len(keys) for keys in used.values()] == [1] * 6
    assert len(set().union(*used.values())) == 2


async def test_a_hedged_request_is_charged_once(tmp_path: Path) -> None:
    async with house(tmp_path, shares=WELL, routing="  hedge_after_ms: 50") as built:
        built.providers["alpha"].pause = 0.5
        more: dict[str, object] = {"fallbacks": ("beta/m",)}
        asked = simple(built, 20, stream=True, **more)
        asked += simple(built, 20, first=20, dialect=MESSAGES, model="gamma/m", fallbacks=("alpha/m",))
        asked += simple(built, 10, first=40, model="alpha/m", leave=Leave.SOON, after=0.15, **more)
        report = Report()
        heard = await load(built.agent.gateway_port, asked, connections=10)
        await settled(built)
        examine(built, heard, report)
        twice = [built.truth.of(each.ask.name) for each in heard[:20]]
    assert not report.problems, str(report)
    assert report.ends["ANSWERED"] >= 40
    assert any(len(told) > 1 for told in twice)  # both were asked
    assert {each.fields["x-drawbridge-provider"] for each in heard[5:20]} == {"beta"}


async def test_one_fault_alone_is_told_honestly(tmp_path: Path) -> None:
    """Where nobody else can be asked, and nothing helps."""
    good = {Fault.NONE, Fault.TRICKLE}
    ends: dict[Fault, set[str]] = {}
    async with house(tmp_path, each=1, silence=0.8) as built:
        faults = sorted(set(Fault) - {Fault.DEAD_KEY}, key=lambda fault: (fault not in good, fault))
        for place, fault in enumerate(faults):
            for provider in built.providers.values():
                provider.shares = {fault: 1}
            heard = await load(
                built.agent.gateway_port, of_all_kinds(built, first=place * 100), connections=16
            )
            await settled(built)
            report = Report()
            examine(built, heard, report)
            assert not report.problems, f"{fault}: {report}"
            ends[fault] = set(report.ends)
    assert all(ends[fault] == {"ANSWERED"} for fault in good)
    assert all(ends[fault] == {"FAILED"} for fault in ends.keys() - good - {Fault.SILENT})


def of_all_kinds(house: House, *, first: int) -> list[Ask]:
    """Each dialect, whole and as a stream, to a provider of each format."""
    return [
        Ask(
            number=first + number,
            dialect=(CHAT, RESPONSES, MESSAGES, GEMINI)[number % 4],
            model="gamma/m" if number >= 8 else "beta/m",
            key=house.keys["rich"],
            stream=number % 8 >= 4,
        )
        for number in range(16)
    ]
