"""Dispatching over real sockets: what the client gets, from whom, and what the trail says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from agent.errors import UpstreamError
from agent.gateway.dispatch import Dispatched, Dispatcher, DispatchFailed
from agent.routing.failures import Cause
from agent.routing.health import HealthBook
from agent.routing.plan import Candidate, KeyRef, Limits
from tests.fakes.dispatch import END, HEAD, JSON_HEAD, START, Act, ToyOrder, answer, erred, read, said
from tests.fakes.http_server import Clock
from tests.fakes.loopback import until
from tests.fakes.routes import plan
from tests.unit.gateway.dispatch.conftest import Pauses

type Provide = Callable[..., Awaitable[Candidate]]

GOOD = HEAD + START + said("hello") + said("world") + END
WELL = Act(GOOD)
QUICK = Limits(backoff_initial=1.0, backoff_max=4.0, first_token=0.25, stall=0.25)
TOO_LONG = answer(b"400 Bad Request", b'{"error":{"code":"context_length_exceeded"}}')


def trail(of: Dispatched | DispatchFailed) -> list[str]:
    return [f"{each.provider}:{each.key} {each.failure or each.status}" for each in of.trail]


async def gone(dispatcher: Dispatcher, order: ToyOrder) -> DispatchFailed:
    with pytest.raises(DispatchFailed) as caught:
        await dispatcher.send(order)
    return caught.value


async def test_an_answer_is_handed_on_as_it_came(
    dispatcher: Dispatcher, provide: Provide, health: HealthBook
) -> None:
    act = Act(GOOD)
    done = await dispatcher.send(ToyOrder(plan(await provide("a", act))))
    assert health.is_full("a", "k", 1)
    assert (done.response.status, done.candidate.name, done.key.name) == (200, "a/m", "k")
    assert done.first_token_ms is not None
    assert await read(done.response) == GOOD.partition(b"\r\n\r\n")[2]
    assert trail(done) == ["a:k 200"]
    assert act.keys == [b"k"]  # in place of the client's own
    assert not health.is_full("a", "k", 1)


@pytest.mark.parametrize(
    ("first", "said_of_it"),
    [
        (None, ["a:k connect"] * 3),
        (Act(b""), ["a:k closed"] * 3),
        (Act(answer(b"500 Oh No")), ["a:k server_error"] * 3),
        (Act(answer(b"529 Overloaded")), ["a:k overloaded"] * 3),
        (Act(answer(b"401 No")), ["a:k credentials"]),
        (Act(answer(b"429 Slow", b"{}", b"retry-after: 60")), ["a:k rate_limited"]),
        (Act(b"SMTP ready\r\n"), ["a:k protocol"]),
        (Act(HEAD + START), ["a:k closed"] * 3),  # announced, and broke off
        (Act(HEAD + START + said("x")[:9]), ["a:k closed"] * 3),  # half an event
        (Act(HEAD + START + END), ["a:k empty"]),
        (Act(HEAD + START + erred("overloaded_error")), ["a:k overloaded"] * 3),
        (Act(HEAD + START + erred("rate_limit_error")), ["a:k rate_limited"] * 3),
        (Act(HEAD + START + erred("authentication_error")), ["a:k credentials"]),
        (Act((HEAD, START, None)), ["a:k first_token_timeout"]),
        (Act((HEAD, None)), ["a:k first_token_timeout"]),
        (Act((None,)), ["a:k first_token_timeout"]),
        (Act(answer(b"404 No Model")), ["a:k unknown_model"]),
        (Act(TOO_LONG), ["a:k context_length"]),
        (Act(answer(b"200 OK", b'{"error":{"code":502,"message":"x"}}')), ["a:k server_error"] * 3),
    ],
)
async def test_another_provider_answers_where_the_first_fails(
    dispatcher: Dispatcher, provide: Provide, first: Act | None, said_of_it: list[str]
) -> None:
    of = plan(await provide("a", first), await provide("b", Act(GOOD)), limits=QUICK)
    done = await dispatcher.send(ToyOrder(of))
    assert done.candidate.provider.id == "b"
    assert trail(done) == [*said_of_it, "b:k 200"]
    assert b"hello" in await read(done.response)


async def test_the_same_key_is_tried_again_after_a_pause(
    dispatcher: Dispatcher, provide: Provide, pauses: Pauses
) -> None:
    act = Act(answer(b"500 Oh"), answer(b"503 Oh", b"{}", b"retry-after: 3"), GOOD)
    done = await dispatcher.send(ToyOrder(plan(await provide("a", act))))
    assert trail(done) == ["a:k server_error", "a:k overloaded", "a:k 200"]
    assert pauses.asked == [1.0, 3.0]
    await done.response.aclose()


async def test_a_limited_key_rests_and_the_next_is_asked(
    dispatcher: Dispatcher, provide: Provide, pauses: Pauses, health: HealthBook
) -> None:
    act = Act(answer(b"429 Slow", b"{}", b"retry-after-ms: 700"), GOOD)
    done = await dispatcher.send(ToyOrder(plan(await provide("a", act, "k1", "k2"))))
    assert act.keys == [b"k1", b"k2"]
    assert pauses.asked == []
    assert not health.usable(("a", "k1", "m"), 0.6)
    assert health.usable(("a", "k1", "m"), 0.7)
    await done.response.aclose()


async def test_when_all_are_limited_the_client_learns_for_how_long(
    dispatcher: Dispatcher, provide: Provide
) -> None:
    act = Act(answer(b"429 Slow", b"{}", b"retry-after: 600"))
    error = await gone(dispatcher, ToyOrder(plan(await provide("a", act))))
    assert (error.status, error.cause, error.retry_after) == (429, Cause.RATE_LIMITED, 600)
    assert "a/m" in str(error)


async def test_refused_keys_are_not_the_clients_fault(dispatcher: Dispatcher, provide: Provide) -> None:
    act = Act(answer(b"401 No"))
    error = await gone(dispatcher, ToyOrder(plan(await provide("a", act, "k1", "k2", "missing"))))
    assert (error.status, error.cause) == (502, Cause.EXHAUSTED)
    assert error.cause == "upstream_credentials_exhausted"
    assert trail(error) == ["a:k1 credentials", "a:k2 credentials", "a:missing secret_unavailable"]
    assert "administrator" in error.hint()


async def test_the_first_cause_is_told(dispatcher: Dispatcher, provide: Provide) -> None:
    of = plan(await provide("a", Act((None,))), await provide("b", Act(answer(b"500 Oh"))), limits=QUICK)
    error = await gone(dispatcher, ToyOrder(of))
    assert (error.status, error.cause) == (504, Cause.STALLED)
    assert "1 more tried in vain" in str(error)


async def test_a_request_that_is_wrong_is_told_so_by_the_provider(
    dispatcher: Dispatcher, provide: Provide, health: HealthBook
) -> None:
    wrong = answer(b"422 Wrong", b'{"error":"temperature"}', b"x-request-id: 7")
    done = await dispatcher.send(ToyOrder(plan(await provide("a", Act(wrong)), await provide("b", WELL))))
    assert done.response.status == 422
    assert await read(done.response) == b'{"error":"temperature"}'
    assert (b"x-request-id", b"7") in done.response.headers
    assert trail(done) == ["a:k rejected"]
    assert health.score(("a", "k", "m"), 0.0) == 1.0


async def test_what_a_named_fallback_cannot_do_either_is_told_by_the_first(
    dispatcher: Dispatcher, provide: Provide
) -> None:
    of = plan(await provide("a", Act(TOO_LONG)), await provide("b", Act(answer(b"500 Oh"))))
    done = await dispatcher.send(ToyOrder(of))
    assert done.candidate.provider.id == "a"
    assert b"context_length_exceeded" in await read(done.response)


async def test_an_empty_answer_is_believed_the_second_time(dispatcher: Dispatcher, provide: Provide) -> None:
    act = Act(HEAD + START + END)
    done = await dispatcher.send(ToyOrder(plan(await provide("a", act))))
    assert trail(done) == ["a:k empty", "a:k empty"]
    assert (done.response.status, await read(done.response)) == (200, START + END)


async def test_candidates_that_cannot_be_asked_are_passed_over(
    dispatcher: Dispatcher, provide: Provide
) -> None:
    of = plan(await provide("a", None), await provide("b", None), await provide("c", Act(GOOD)))
    order = ToyOrder(of, cannot=("a",), broke=("b",))
    done = await dispatcher.send(order)
    assert trail(done) == ["a:k untranslatable", "b:k budget_exceeded", "c:k 200"]
    assert order.prepared == ["c"]
    await done.response.aclose()


@pytest.mark.parametrize(("cannot", "broke", "status"), [(("a",), (), 400), ((), ("a",), 402)])
async def test_where_nobody_can_be_asked_the_client_learns_why(
    dispatcher: Dispatcher, provide: Provide, cannot: tuple[str, ...], broke: tuple[str, ...], status: int
) -> None:
    error = await gone(dispatcher, ToyOrder(plan(await provide("a", None)), cannot=cannot, broke=broke))
    assert error.status == status


async def test_a_trickle_is_not_held_longer_than_it_must(dispatcher: Dispatcher, provide: Provide) -> None:
    act = Act((HEAD, *(bytes((each,)) for each in START + said("hello")), None))
    done = await dispatcher.send(ToyOrder(plan(await provide("a", act))))
    async with asyncio.timeout(1):
        assert (START + said("hello")).startswith(await anext(done.response))
    await done.response.aclose()
    async with asyncio.timeout(1):
        await act.left.wait()


async def test_after_content_nothing_is_switched(
    dispatcher: Dispatcher, provide: Provide, health: HealthBook
) -> None:
    cut = JSON_HEAD.replace(b"application/json", b"text/event-stream") + b"content-length: 500\r\n\r\n"
    of = plan(await provide("a", Act(cut + said("hello"))), await provide("b", Act(GOOD)))
    done = await dispatcher.send(ToyOrder(of))
    assert await anext(done.response) == said("hello")
    with pytest.raises(UpstreamError):
        await anext(done.response)
    assert health.score(("a", "k", "m"), 0.0) < 1.0
    assert not health.is_full("a", "k", 1)


async def test_a_stream_that_rests_too_long_is_broken_off(
    dispatcher: Dispatcher, provide: Provide, clock: Clock
) -> None:
    act = Act((HEAD + said("hello"), None))
    limits = Limits(stall=60)
    done = await dispatcher.send(ToyOrder(plan(await provide("a", act), limits=limits)))
    assert await anext(done.response) == said("hello")
    waiting = asyncio.create_task(anext(done.response))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    await clock.advance(59)
    assert not waiting.done()
    await clock.advance(2)
    with pytest.raises(UpstreamError, match="came to a rest"):
        await waiting
    await act.left.wait()


async def test_the_last_resort_may_take_its_time(dispatcher: Dispatcher, provide: Provide) -> None:
    slow = Act((HEAD, START, 0.5, said("hello"), END))
    done = await dispatcher.send(ToyOrder(plan(await provide("a", slow), limits=QUICK)))
    assert trail(done) == ["a:k 200"]
    await done.response.aclose()


@pytest.mark.parametrize(
    ("first", "said_of_it"),
    [
        (JSON_HEAD + b"content-length: 90\r\n\r\n{", ["a:k closed"] * 3),
        (JSON_HEAD + b"content-length: 90\r\n\r\n", ["a:k closed"] * 3),
        (answer(b"200 OK", b'{"error":{"type":"authentication_error"}}'), ["a:k credentials"]),
        (answer(b"200 OK", b'{"error": null, "id": "1"}'), []),
    ],
)
async def test_whole_answers_are_held_to_their_end(
    dispatcher: Dispatcher, provide: Provide, first: bytes, said_of_it: list[str]
) -> None:
    of = plan(await provide("a", Act(first)), await provide("b", Act(answer(b"200 OK", b'{"id":"b"}'))))
    done = await dispatcher.send(ToyOrder(of, stream=False))
    assert trail(done)[:-1] == said_of_it
    assert b'"id"' in await read(done.response)
    assert done.first_token_ms is None


async def test_a_key_takes_no_more_than_it_may(dispatcher: Dispatcher, provide: Provide) -> None:
    of = plan(
        await provide("a", Act(GOOD), KeyRef(name="k1", concurrency=1), KeyRef(name="k2", concurrency=1))
    )
    first, second = await dispatcher.send(ToyOrder(of)), await dispatcher.send(ToyOrder(of))
    assert (first.key.name, second.key.name) == ("k1", "k2")
    error = await gone(dispatcher, ToyOrder(of))
    assert (error.status, error.cause) == (429, Cause.BUSY)
    await first.response.aclose()
    third = await dispatcher.send(ToyOrder(of))
    assert third.key.name == "k1"
    await second.response.aclose()
    await third.response.aclose()


# Requests that must not be repeated


async def test_a_job_is_sent_again_only_where_nothing_was_sent(
    dispatcher: Dispatcher, provide: Provide
) -> None:
    of = plan(await provide("a", None), await provide("b", Act(answer(b"200 OK"))))
    done = await dispatcher.send(ToyOrder(of, repeatable=False, stream=False))
    assert trail(done) == ["a:k connect"] * 3 + ["b:k 200"]


@pytest.mark.parametrize("first", [answer(b"500 Oh"), b"", answer(b"429 Slow")])
async def test_a_job_that_was_sent_is_not_sent_again(
    dispatcher: Dispatcher, provide: Provide, first: bytes
) -> None:
    act, other = Act(first), Act(answer(b"200 OK"))
    of = plan(await provide("a", act), await provide("b", other))
    await gone(dispatcher, ToyOrder(of, repeatable=False, stream=False))
    assert (len(act.keys), len(other.keys)) == (1, 0)


# Hedging

HEDGED = Limits(hedge_after=0.02, first_token=5.0, backoff_initial=0.0)


async def test_the_second_wins_where_the_first_takes_long(
    dispatcher: Dispatcher, provide: Provide, health: HealthBook
) -> None:
    slow = Act((HEAD, START, None))
    of = plan(await provide("a", slow), await provide("b", Act(GOOD)), limits=HEDGED)
    done = await dispatcher.send(ToyOrder(of))
    assert trail(done) == ["a:k abandoned", "b:k 200"]
    async with asyncio.timeout(1):
        await slow.left.wait()  # the loser's connection is closed
    assert not health.is_full("a", "k", 1)
    assert b"hello" in await read(done.response)
    assert not health.is_full("b", "k", 1)


async def test_the_first_wins_where_it_is_quick(dispatcher: Dispatcher, provide: Provide) -> None:
    other = Act(GOOD)
    of = plan(await provide("a", Act(GOOD)), await provide("b", other), limits=HEDGED)
    done = await dispatcher.send(ToyOrder(of))
    assert trail(done) == ["a:k 200"]
    assert other.keys == []
    await done.response.aclose()


async def test_the_first_may_win_late(dispatcher: Dispatcher, provide: Provide) -> None:
    of = plan(
        await provide("a", Act((HEAD, 0.1, said("late")))), await provide("b", Act((None,))), limits=HEDGED
    )
    done = await dispatcher.send(ToyOrder(of))
    assert trail(done) == ["b:k abandoned", "a:k 200"]
    assert await read(done.response) == said("late")


async def test_where_both_fail_the_others_are_tried(dispatcher: Dispatcher, provide: Provide) -> None:
    first, second = Act((0.06, answer(b"401 No"))), Act(answer(b"401 No"))
    of = plan(
        await provide("a", first), await provide("b", second), await provide("c", Act(GOOD)), limits=HEDGED
    )
    done = await dispatcher.send(ToyOrder(of))
    assert trail(done) == ["b:k credentials", "a:k credentials", "c:k 200"]
    await done.response.aclose()


async def test_a_job_is_never_hedged(dispatcher: Dispatcher, provide: Provide) -> None:
    other = Act(answer(b"200 OK"))
    of = plan(await provide("a", Act((0.08, answer(b"200 OK")))), await provide("b", other), limits=HEDGED)
    done = await dispatcher.send(ToyOrder(of, repeatable=False, stream=False))
    assert trail(done) == ["a:k 200"]
    assert other.keys == []


# The client leaves


@pytest.mark.parametrize("limits", [Limits(), HEDGED], ids=["plain", "hedged"])
@pytest.mark.parametrize("turn", [(None,), (HEAD, None), (HEAD, START, None)])
async def test_who_leaves_leaves_nothing_open(
    dispatcher: Dispatcher,
    provide: Provide,
    health: HealthBook,
    limits: Limits,
    turn: tuple[bytes | None, ...],
) -> None:
    acts = Act(turn), Act(turn)
    of = plan(await provide("a", acts[0]), await provide("b", acts[1]), limits=limits)
    asking = asyncio.create_task(dispatcher.send(ToyOrder(of)))
    await until(lambda: bool(acts[-1 if limits is HEDGED else 0].keys))
    await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    async with asyncio.timeout(1):
        await acts[0].left.wait()
        if limits is HEDGED:
            await acts[1].left.wait()
    assert not health.is_full("a", "k", 1)
    assert not health.is_full("b", "k", 1)
    assert health.score(("a", "k", "m"), 0.0) == 1.0  # it says nothing of the provider


async def test_who_leaves_in_a_pause_leaves_nothing_open(
    transport: object, provide: Provide, health: HealthBook
) -> None:
    from tests.fakes.dispatch import ToyCredentials

    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    dispatcher = Dispatcher(transport, ToyCredentials(), health, sleep=sleep)  # type: ignore[arg-type]
    asking = asyncio.create_task(dispatcher.send(ToyOrder(plan(await provide("a", None)))))
    await waiting.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not health.is_full("a", "k", 1)


async def test_an_answer_that_is_forgotten_frees_its_key(
    dispatcher: Dispatcher, provide: Provide, health: HealthBook
) -> None:
    act = Act((HEAD + said("hello"), None))
    done = await dispatcher.send(ToyOrder(plan(await provide("a", act))))
    assert health.is_full("a", "k", 1)
    del done
    assert not health.is_full("a", "k", 1)
    async with asyncio.timeout(1):
        await act.left.wait()
