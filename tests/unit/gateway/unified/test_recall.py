"""The cache on the way of a request."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable

import orjson
import pytest

from agent.caching.cache import AnswerCache
from agent.gateway.ledger import Ledger
from agent.gateway.routing import Refused
from agent.gateway.transport.base import Headers, UpstreamResponse
from agent.gateway.unified.forms import Forms
from agent.gateway.unified.recall import Asking, Keeping, Recall, Recording
from agent.host.tasks import TaskGroup
from agent.inspection import RuleBook
from agent.model.record import CacheUse, Outcome
from agent.model.traffic import Connection, Tier
from agent.policy import Subject
from agent.routing.plan import Plan
from tests.fakes.answer_stores import Clock, MemoryStore
from tests.fakes.embedder import BagOfWords
from tests.fakes.loopback import until
from tests.fakes.rulebooks import route_book, rule_book, toy_policy
from tests.fakes.upstream import JSON, SSE, FakeResponse
from tests.unit.gateway.unified.conftest import NOBODY, PROVIDERS, asked, candidate

SEMANTIC = """
cache:
  enabled: true
  semantic: {enabled: true, embedder: {provider: openai/text-embedding-3-small}}
"""
ANSWER = orjson.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "model": "deployed-7",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
    }
)
QUESTION = orjson.dumps({"model": "local/small", "messages": [{"role": "user", "content": "how are you"}]})


def rules_of(more: str) -> RuleBook:
    return rule_book(toy_policy(PROVIDERS + more))


def asking(
    rules: RuleBook,
    body: bytes = QUESTION,
    *,
    to: str = "local/small",
    fields: Headers = (),
    **more: object,
) -> Asking:
    book = route_book(rules)
    ledger = Ledger(rules, Connection(id="c", tier=Tier.BASE_URL), method="POST")
    subject = Subject(host="gateway", path="/v1/chat/completions", surface="gateway", app="")
    return Asking(
        forms=Forms(asked=asked(body, **more), book=book),
        plan=Plan(candidates=(candidate(book, to),), explicit=1),
        account=NOBODY,
        scope=rules.scope(subject, ref="REF"),
        ledger=ledger,
        fields=fields,
        settings=rules.policy.cache,
    )


@pytest.fixture
def rules() -> RuleBook:
    return rules_of("cache: {enabled: true}")


@pytest.fixture
def impatient() -> RuleBook:
    return rules_of("cache: {enabled: true, wait_seconds: 1}")


@pytest.fixture
def unwilling() -> RuleBook:
    return rules_of("cache: {enabled: true, wait_seconds: 0}")


@pytest.fixture
def private_rules() -> RuleBook:
    marked = PROVIDERS.replace(
        "base_url: 'http://127.0.0.1:9/v1'", "base_url: 'http://127.0.0.1:9/v1', private: true"
    )
    return rule_book(toy_policy(marked + SEMANTIC))


class Kept:
    """A recall with a cache in memory, and what its embedder was told."""

    def __init__(self) -> None:
        self.embedder = BagOfWords()
        self.store = MemoryStore(Clock())
        self.cache = AnswerCache(self.store, b"s" * 32, embedder=self.embedder, clock=self.store.clock)
        self.tasks = TaskGroup("test")
        self.recall = Recall(self.cache, self.tasks)

    async def answered(
        self, asking: Asking, response: UpstreamResponse, *, by: str = "local/deployed-7"
    ) -> None:
        """The request is asked of a provider, and its answer passes."""
        keeping = await self.recall.look(asking)
        assert isinstance(keeping, Keeping)
        recording = self.recall.record(keeping, response)
        async for _ in recording.chunks():
            pass
        provider, _, model = by.partition("/")
        asking.ledger.outcome = Outcome.COMPLETED
        asking.ledger.served_by(provider=provider, model=model)
        self.recall.keep(keeping, asking.ledger)
        self.recall.land(keeping)
        await until(lambda: not len(self.tasks))

    async def recalled(self, asking: Asking) -> bytes | None:
        """What the cache says to it."""
        found = await self.recall.look(asking)
        if found is None or isinstance(found, Keeping):
            return None
        return b"".join([piece async for piece in found[0].chunks()])


@pytest.fixture
async def kept() -> AsyncIterator[Kept]:
    made = Kept()
    await made.cache.open()
    yield made
    await made.tasks.cancel()


async def test_what_passed_is_given_again(kept: Kept, rules: RuleBook) -> None:
    await kept.answered(asking(rules), FakeResponse(ANSWER))
    again = asking(rules)
    assert await kept.recalled(again) == ANSWER
    assert (again.ledger.served.cache, again.ledger.served.provider) == (CacheUse.EXACT, "local")


async def test_another_models_words_are_not_kept(kept: Kept, rules: RuleBook) -> None:
    await kept.answered(asking(rules), FakeResponse(ANSWER), by="openai/gpt-5-nano")
    assert await kept.recalled(asking(rules)) is None


@pytest.mark.parametrize(
    "differ",
    [
        lambda rules: asking(rules, to="openai/gpt-5-nano"),
        lambda rules: asking(rules, QUESTION.replace(b"you", b"they")),
        lambda rules: asking(rules, fields=((b"openai-beta", b"x"),)),
        lambda rules: asking(rules, operation="embeddings"),
        lambda rules: asking(rules, b"no json"),
    ],
)
async def test_another_question_has_another_answer(
    kept: Kept, rules: RuleBook, differ: Callable[[RuleBook], Asking]
) -> None:
    other = differ(rules)
    await kept.answered(asking(rules), FakeResponse(ANSWER))
    assert await kept.recalled(other) is None


async def test_an_answer_serves_who_wants_a_stream(kept: Kept, rules: RuleBook) -> None:
    await kept.answered(asking(rules), FakeResponse(ANSWER))
    body = QUESTION[:-1] + b',"stream":true}'
    streamed = await kept.recalled(asking(rules, body, stream=True))
    assert streamed is not None
    assert b"Hello." in streamed
    assert streamed.endswith(b"data: [DONE]\n\n")


async def test_events_in_an_array_are_a_form_of_their_own(kept: Kept, rules: RuleBook) -> None:
    question = asking(rules, b'{"contents":[]}', dialect="gemini-generate-content", stream=True)
    assert await kept.recall.look(question) is None


async def test_what_did_not_end_well_is_not_kept(kept: Kept, rules: RuleBook) -> None:
    question = asking(rules)
    keeping = await kept.recall.look(question)
    assert isinstance(keeping, Keeping)
    kept.recall.record(keeping, FakeResponse(ANSWER))
    question.ledger.outcome = Outcome.CLIENT_CLOSED
    kept.recall.keep(keeping, question.ledger)
    assert not len(kept.tasks)


@pytest.mark.parametrize(
    ("header", "status"),
    [((b"x-drawbridge-cache", b"only-if-cached"), 504), ((b"x-drawbridge-cache", b"?"), 400)],
)
async def test_a_client_may_be_told_no(
    kept: Kept, rules: RuleBook, header: tuple[bytes, bytes], status: int
) -> None:
    with pytest.raises(Refused) as refused:
        await kept.recall.look(asking(rules, fields=(header,)))
    assert refused.value.status == status


@pytest.mark.parametrize(("to", "told"), [("local/small", False), ("openai/gpt-5-nano", True)])
async def test_what_stays_in_the_house_is_not_told_to_an_embedder_outside(
    kept: Kept, private_rules: RuleBook, to: str, *, told: bool
) -> None:
    by = "local/deployed-7" if to == "local/small" else to
    await kept.answered(asking(private_rules, to=to), FakeResponse(ANSWER), by=by)
    assert bool(kept.embedder.asked) is told


async def test_a_copy_is_taken_as_far_as_it_may_be_long() -> None:
    short, long = (
        Recording(FakeResponse(b"ab", b"cd"), limit=4),
        Recording(FakeResponse(b"ab", b"cde"), limit=4),
    )
    for recording in (short, long):
        assert b"".join([piece async for piece in recording.chunks()]).startswith(b"abcd")
        assert recording.ended
    assert (short.body, long.body) == (b"abcd", None)


async def test_a_packed_answer_passes_plain_and_says_no_length_of_the_pack() -> None:
    packed = gzip.compress(ANSWER)
    fields = (*JSON, (b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(packed)))
    recording = Recording(FakeResponse(packed, headers=fields), limit=10_000)
    assert b"".join([piece async for piece in recording.chunks()]) == ANSWER
    assert recording.headers == JSON
    response = FakeResponse(b"", headers=SSE)
    await Recording(response, limit=1).aclose()
    assert response.closed


async def under_way(kept: Kept, rules: RuleBook) -> tuple[Keeping, asyncio.Task[object]]:
    """A question that is being asked, and somebody who asks the same meanwhile."""
    leading = await kept.recall.look(asking(rules))
    assert isinstance(leading, Keeping)
    follower = asyncio.create_task(kept.recall.look(asking(rules)))
    await asyncio.sleep(0.05)
    assert not follower.done()
    return leading, follower


async def test_who_asks_the_same_meanwhile_waits_and_gets_the_first_ones_answer(
    kept: Kept, rules: RuleBook
) -> None:
    leading, follower = await under_way(kept, rules)
    recording = kept.recall.record(leading, FakeResponse(ANSWER))
    async for _ in recording.chunks():
        pass
    ledger = asking(rules).ledger
    ledger.outcome = Outcome.COMPLETED
    ledger.served_by(provider="local", model="deployed-7")
    kept.recall.keep(leading, ledger)
    kept.recall.land(
        leading
    )  # as an exchange does at its end: the answer is on its way, and ends the flight itself
    found = await asyncio.wait_for(follower, 5)
    assert isinstance(found, tuple)
    assert b"".join([piece async for piece in found[0].chunks()]) == ANSWER


async def test_where_the_first_one_comes_to_nothing_the_others_ask_themselves(
    kept: Kept, rules: RuleBook
) -> None:
    leading, follower = await under_way(kept, rules)
    kept.recall.land(leading)
    assert isinstance(await asyncio.wait_for(follower, 5), Keeping)
    assert isinstance(await kept.recall.look(asking(rules)), Keeping)


async def test_nobody_waits_longer_than_policy_says(kept: Kept, impatient: RuleBook) -> None:
    _, follower = await under_way(kept, impatient)
    assert isinstance(await asyncio.wait_for(follower, 5), Keeping)


async def test_streams_other_questions_and_who_shall_not_wait_are_asked_at_once(
    kept: Kept, rules: RuleBook, unwilling: RuleBook
) -> None:
    await kept.recall.look(asking(rules))
    other = QUESTION.replace(b"how are", b"who are")
    for one in (
        asking(rules, QUESTION[:-1] + b',"stream":true}', stream=True),
        asking(rules, other),
        asking(unwilling),
        asking(rules, fields=((b"cache-control", b"no-cache"),)),
        asking(rules, fields=((b"cache-control", b"no-store"),)),
    ):
        async with asyncio.timeout(5):
            assert not isinstance(await kept.recall.look(one), tuple)
