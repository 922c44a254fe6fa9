"""The cache as the gateway meets it: asked before a provider is, told after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from agent.caching.cache import REST_SECONDS, AnswerCache
from agent.caching.control import Control
from agent.caching.entry import Form
from agent.caching.question import Answer, Asker, Bypass, Hit, Miss, Question
from agent.caching.sqlite import SqliteStore
from agent.errors import CacheError
from agent.model.conversation import Choice, Conversation, Finish, Reply, Speaker, Text, Turn
from agent.model.decision import Action, Decision
from agent.model.record import CacheUse
from agent.policy.caching import CacheRule, Caching, EmbedderSource, PartitionBy, Reach, Semantic
from agent.policy.scope import Subject
from tests.fakes.answer_stores import Clock, MemoryStore
from tests.fakes.embedder import BagOfWords

EXACT = Caching(enabled=True)
MEANING = Caching(
    enabled=True,
    semantic=Semantic(enabled=True, embedder=EmbedderSource(provider="openai/x"), threshold=0.9),
)
SECRET = b"s" * 32
UNDO = "How do I undo my last commit in git?"
ALSO_UNDO = "In git how do I undo my last commit?"
UNDO_PUSH = "How do I undo my last push in git?"


def ask(text: str = UNDO, **more: object) -> Question:
    """A chat request of one turn."""
    body = {"model": "alias", "messages": [{"role": "user", "content": text}], "stream": True}
    turns = (Turn(speaker=Speaker.USER, parts=(Text(text=text),)),)
    facts: dict[str, object] = {
        "dialect": "openai-chat",
        "model": "openai/gpt",
        "body": orjson.dumps(body),
        "subject": Subject(host="api.openai.com", app="ide"),
        "asker": Asker(virtual_key="vk-1", user="ann", app="ide"),
        "conversation": Conversation(model="gpt", turns=turns),
        "rulebook": "rules-1",
    }
    return Question(**{**facts, **more})  # type: ignore[arg-type]


def reply(text: str = "git reset --soft HEAD~1", finish: Finish = Finish.STOP) -> Reply:
    return Reply(id="r", model="gpt", choices=(Choice(parts=(Text(text=text),), finish=finish),))


def answer(**more: object) -> Answer:
    facts: dict[str, object] = {
        "form": Form(dialect="openai-chat", streamed=True),
        "body": b"data: {}\n\ndata: [DONE]\n\n",
        "content_type": "text/event-stream",
        "reply": reply(),
        "provider": "openai",
        "model": "gpt",
    }
    return Answer(**{**facts, **more})  # type: ignore[arg-type]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def embedder() -> BagOfWords:
    return BagOfWords()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
async def cache(store: MemoryStore, clock: Clock, embedder: BagOfWords) -> AsyncIterator[AnswerCache]:
    cache = AnswerCache(store, SECRET, embedder=embedder, clock=clock)
    await cache.open()
    yield cache
    await cache.close()


async def missed(cache: AnswerCache, question: Question, settings: Caching = EXACT) -> Miss:
    found = await cache.lookup(question, settings)
    assert isinstance(found, Miss)
    return found


async def hit(cache: AnswerCache, question: Question, settings: Caching = EXACT) -> Hit:
    found = await cache.lookup(question, settings)
    assert isinstance(found, Hit)
    return found


async def keep(cache: AnswerCache, question: Question, settings: Caching = EXACT) -> Miss:
    miss = await missed(cache, question, settings)
    assert await cache.store(miss, answer()) == ""
    return miss


async def test_the_same_question_has_the_same_answer(cache: AnswerCache, clock: Clock) -> None:
    miss = await keep(cache, ask())
    assert miss.headers == ((b"x-drawbridge-cache", b"miss"),)
    clock.now += 12.5
    found = await hit(cache, ask())
    assert found.use is CacheUse.EXACT
    assert found.entry.reply == reply()
    assert (found.entry.provider, found.age_seconds, found.reinspect) == ("openai", 12, False)
    told = f"hit-exact; age=12; id={found.key[:8].hex()}".encode()
    assert found.headers == ((b"x-drawbridge-cache", told), (b"age", b"12"))
    assert cache.tally == {"miss": 1, "stored": 1, "exact": 1}


async def test_the_first_form_is_served_as_it_was_and_others_from_the_reply(cache: AnswerCache) -> None:
    await keep(cache, ask())
    found = await hit(cache, ask(body=ask().body.replace(b"true", b"false")))
    assert found.body_for(Form(dialect="openai-chat", streamed=True)) == answer().body
    assert found.body_for(Form(dialect="openai-chat")) is None
    assert found.body_for(Form(dialect="anthropic-messages", streamed=True)) is None


@pytest.mark.parametrize(
    "other",
    [
        {"asker": Asker(virtual_key="vk-1", user="bob", app="ide")},
        {"asker": Asker(virtual_key="vk-2", user="ann", app="ide")},
        {"model": "openai/gpt-mini"},
        {"dialect": "mistral-chat"},
        {"operation": "embeddings"},
        {"variant": (("anthropic-beta", "x"),)},
        {"body": ask("Another question").body},
    ],
)
async def test_nobody_gets_what_was_not_asked_by_and_for_them(
    cache: AnswerCache, other: dict[str, object]
) -> None:
    await keep(cache, ask())
    await missed(cache, ask(**other))


async def test_parts_of_a_partition_do_not_run_together(cache: AnswerCache) -> None:
    settings = Caching(enabled=True, partition=(PartitionBy.USER, PartitionBy.APP))
    await keep(cache, ask(asker=Asker(app="a\0user=3:bob", user="")), settings)
    await missed(cache, ask(asker=Asker(app="a", user="bob")), settings)


async def test_users_share_where_policy_says_so(cache: AnswerCache) -> None:
    settings = Caching(enabled=True, share_across_users=True)
    await keep(cache, ask(), settings)
    await hit(cache, ask(asker=Asker(virtual_key="vk-1", user="bob")), settings)


async def test_an_answer_that_other_rules_inspected_is_to_be_inspected_again(cache: AnswerCache) -> None:
    await keep(cache, ask())
    found = await hit(cache, ask(rulebook="rules-2"))
    assert found.reinspect
    await cache.forget(found)
    await missed(cache, ask(rulebook="rules-1"))


async def test_or_changed_rules_begin_with_an_empty_cache(cache: AnswerCache) -> None:
    settings = Caching(enabled=True, partition=(PartitionBy.USER, PartitionBy.POLICY))
    await keep(cache, ask(), settings)
    await hit(cache, ask(), settings)
    await missed(cache, ask(rulebook="rules-2"), settings)


async def test_answers_grow_old(cache: AnswerCache, clock: Clock) -> None:
    await keep(cache, ask(), Caching(enabled=True, ttl_seconds=100))
    clock.now += 60
    await hit(cache, ask())
    await missed(cache, ask(), Caching(enabled=True, ttl_seconds=50))  # policy was made stricter
    await missed(cache, ask(control=Control(max_age_seconds=59)))
    await missed(cache, ask(control=Control(ttl_seconds=30)))
    clock.now += 40
    await missed(cache, ask())


async def test_a_client_may_have_its_answer_kept_for_less(cache: AnswerCache, clock: Clock) -> None:
    await keep(cache, ask(control=Control(ttl_seconds=10)))
    clock.now += 10
    await missed(cache, ask())
    await keep(cache, ask(control=Control(ttl_seconds=10**6)))
    clock.now += EXACT.ttl_seconds
    await missed(cache, ask())


async def test_what_a_client_asks_for(cache: AnswerCache) -> None:
    unkept = await missed(cache, ask(control=Control(store=False)))
    assert await cache.store(unkept, answer()) == "no-store"
    assert (await missed(cache, ask(control=Control(only_if_cached=True)))).refused
    await keep(cache, ask())
    await hit(cache, ask(control=Control(store=False)))
    anew = await missed(cache, ask(control=Control(read=False)))
    assert (anew.reason, anew.keep) == ("no-cache", True)
    off = await cache.lookup(ask(control=Control(read=False, store=False, only_if_cached=True)), EXACT)
    assert off == Bypass(reason="off", refused=True)
    assert off.headers == ()


@pytest.mark.parametrize(
    ("question", "settings", "reason"),
    [
        (ask(), Caching(), "off"),
        (ask(), Caching(enabled=True, exact=False), "off"),
        (ask(), Caching(enabled=True, rules=(CacheRule(id="r", apps=("ide",), use=Reach.OFF),)), "off"),
        (ask(body=b"{"), EXACT, "unreadable"),
        (ask(body=b'{"store": true}'), EXACT, "stateful"),
        (ask(decision=Decision(action=Action.REDACT)), EXACT, "changed_by_policy"),
        (ask(), Caching(enabled=True, max_temperature=0.3), "temperature"),
    ],
)
async def test_what_the_cache_has_nothing_to_do_with(
    cache: AnswerCache, question: Question, settings: Caching, reason: str
) -> None:
    assert await cache.lookup(question, settings) == Bypass(reason=reason)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"status": 429}, "status"),
        ({"complete": False}, "incomplete"),
        ({"reply": reply(finish=Finish.LENGTH)}, "finish"),
        ({"reply": None}, "unreadable"),
        ({"decision": Decision(action=Action.MASK)}, "changed_by_policy"),
    ],
)
async def test_what_is_not_kept(cache: AnswerCache, more: dict[str, object], reason: str) -> None:
    assert await cache.store(await missed(cache, ask()), answer(**more)) == reason
    await missed(cache, ask())


async def test_nothing_of_it_can_be_read_on_the_disk(
    clock: Clock, embedder: BagOfWords, tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path / "cache" / "a.db", max_entries=100, max_bytes=2**20, clock=clock)
    cache = AnswerCache(store, SECRET, embedder=embedder, clock=clock)
    await cache.open()
    await keep(cache, ask("What is project Nightjar?"), MEANING)
    await hit(cache, ask("What is project Nightjar?"), MEANING)
    await cache.close()
    stored = b"".join(each.read_bytes() for each in (tmp_path / "cache").iterdir())
    assert stored
    assert b"Nightjar" not in stored
    assert b"git reset" not in stored
    assert b"ann" not in stored


async def test_an_entry_of_another_secret_is_no_entry(store: MemoryStore, clock: Clock) -> None:
    one, other = AnswerCache(store, SECRET, clock=clock), AnswerCache(store, b"t" * 32, clock=clock)
    await one.open()
    await keep(one, ask())
    await missed(other, ask())
    await one.close()


# By meaning


async def test_a_question_that_means_the_same_has_the_same_answer(cache: AnswerCache) -> None:
    await keep(cache, ask(UNDO), MEANING)
    found = await hit(cache, ask(ALSO_UNDO), MEANING)
    assert found.use is CacheUse.SEMANTIC
    assert found.similarity == pytest.approx(1.0)
    assert b"hit-semantic; age=0; similarity=1.0000; id=" in found.headers[0][1]


async def test_one_that_differs_in_a_particular_has_not(cache: AnswerCache) -> None:
    lenient = MEANING.model_copy(update={"semantic": MEANING.semantic.model_copy(update={"threshold": 0.5})})
    await keep(cache, ask(UNDO), lenient)
    await missed(cache, ask(UNDO_PUSH), lenient)
    await missed(cache, ask(UNDO.replace("my last", "my last 2")), lenient)


async def test_a_client_may_be_stricter_but_not_more_lenient(cache: AnswerCache) -> None:
    near = UNDO + " please tell me"
    await keep(cache, ask(UNDO), MEANING)
    await missed(cache, ask(near, control=Control(threshold=0.1)), MEANING)
    lenient = MEANING.model_copy(update={"rules": (CacheRule(id="r", use=Reach.SEMANTIC, threshold=0.6),)})
    await hit(cache, ask(near), lenient)
    await missed(cache, ask(near, control=Control(threshold=0.99)), lenient)


async def test_meaning_crosses_dialects(cache: AnswerCache) -> None:
    await keep(cache, ask(UNDO), MEANING)
    await hit(cache, ask(ALSO_UNDO, dialect="anthropic-messages"), MEANING)


async def test_but_neither_users_nor_models_nor_embedders(cache: AnswerCache, embedder: BagOfWords) -> None:
    await keep(cache, ask(UNDO), MEANING)
    await missed(cache, ask(ALSO_UNDO, asker=Asker(virtual_key="vk-1", user="bob")), MEANING)
    await missed(cache, ask(ALSO_UNDO, model="openai/gpt-mini"), MEANING)
    embedder.name = "another"
    await missed(cache, ask(ALSO_UNDO), MEANING)


async def test_nobody_waits_for_a_vector_that_nothing_is_compared_with(
    cache: AnswerCache, embedder: BagOfWords
) -> None:
    miss = await missed(cache, ask(UNDO), MEANING)
    assert embedder.asked == []
    await cache.store(miss, answer())
    assert embedder.asked == [UNDO]
    await hit(cache, ask(UNDO), MEANING)  # exact
    assert embedder.asked == [UNDO]


async def test_vectors_survive_a_restart_and_go_with_their_entry(
    store: MemoryStore, clock: Clock, embedder: BagOfWords
) -> None:
    for restart in range(3):
        cache = AnswerCache(store, SECRET, embedder=embedder, clock=clock)
        await cache.open()
        if restart == 0:
            await keep(cache, ask(UNDO), MEANING)
        elif restart == 1:
            await cache.forget(await hit(cache, ask(ALSO_UNDO), MEANING))
            await missed(cache, ask(ALSO_UNDO), MEANING)
        else:
            await missed(cache, ask(ALSO_UNDO), MEANING)
        await cache.close()


async def test_without_its_embedder_the_cache_is_exact_for_a_while(
    cache: AnswerCache, embedder: BagOfWords, clock: Clock
) -> None:
    await keep(cache, ask(UNDO), MEANING)
    embedder.down = True
    await missed(cache, ask(ALSO_UNDO), MEANING)
    asked = len(embedder.asked)
    await missed(cache, ask(ALSO_UNDO), MEANING)
    assert len(embedder.asked) == asked  # it is left alone
    await hit(cache, ask(UNDO), MEANING)
    embedder.down = False
    clock.now += REST_SECONDS
    await hit(cache, ask(ALSO_UNDO), MEANING)


async def test_without_its_store_requests_go_on(cache: AnswerCache, store: MemoryStore, clock: Clock) -> None:
    await keep(cache, ask())
    store.down = True
    miss = await missed(cache, ask())
    assert miss.reason == "store_away"
    assert await cache.store(replace(miss, keep=True), answer()) == "store_away"
    with pytest.raises(CacheError):
        await cache.clear()
    store.down = False
    assert (await missed(cache, ask())).reason == "store_away"  # it is left alone
    clock.now += REST_SECONDS
    await hit(cache, ask())


async def test_entries_of_one_virtual_key_are_cleared(cache: AnswerCache) -> None:
    await keep(cache, ask())
    assert (await cache.stats()).entries == 1
    assert await cache.clear("vk-2") == 0
    assert await cache.clear("vk-1") == 1
    await missed(cache, ask())
