"""The cache of answers: what the gateway asks before it asks a provider, and tells after.

It never makes a request fail and never makes it wait for long: where a store is away or an embedder late, there is no
answer, and for a while it is not asked again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from agent.caching.admission import answer_obstacle, request_obstacle
from agent.caching.canonical import read_request
from agent.caching.entry import Entry, read, written
from agent.caching.lexicon import lexicon
from agent.caching.meanings import Meanings
from agent.caching.particulars import difference
from agent.caching.ports import Embedder, Record, Store, StoreStats
from agent.caching.prompts import Prompt, prompt_of
from agent.caching.question import Answer, Bypass, Found, Hit, Miss, Question
from agent.caching.sealing import Sealer
from agent.caching.terms import terms_for
from agent.caching.vectors import Vector, unit
from agent.errors import CacheError
from agent.model.record import CacheUse
from agent.policy.caching import Caching

log = logging.getLogger(__name__)

STORE_SECONDS = 0.5
"""How long a request waits for the store."""
REST_SECONDS = 30.0
"""How long a store or embedder that failed is left alone."""
_TRIED = 8  # neighbours whose prompts are compared word for word


class AnswerCache:
    """For one event loop. Owns `store`: opens and closes it. `clock` gives Unix seconds.

    `tally` counts what came of it: exact, semantic, miss, stored, and the reasons for anything else.
    """

    def __init__(
        self,
        store: Store,
        secret: bytes,
        *,
        embedder: Embedder | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises ConfigError where `secret` is too short."""
        self._store = store
        self._sealer = Sealer(secret)
        self._embedder = embedder
        self._clock = clock
        self._meanings = Meanings(store, self._sealer, clock=clock)
        self._store_rests_until = 0.0
        self._embedder_rests_until = 0.0
        self.tally: Counter[str] = Counter()

    async def open(self) -> None:
        """Get the store ready. Raises CacheError: the gateway may go on without a cache."""
        if self._embedder is not None:
            await asyncio.to_thread(lexicon)  # read once, not on the way of a request
        await self._store.open()

    async def close(self) -> None:
        """Let go of the store and of the embedder. Safe to call twice."""
        if self._embedder is not None:
            self._embedder.close()
        await self._store.close()

    async def lookup(self, question: Question, settings: Caching) -> Found:
        """An answer to `question`, or what to `store` one with. Raises nothing."""
        found = await self._lookup(question, settings)
        self.tally[found.reason if isinstance(found, Bypass) else found.use.value] += 1
        return found

    async def store(self, miss: Miss, answer: Answer) -> str:
        """Keep `answer` where it may be; else why it is not, in a word. Not for the way of a request: it may wait for
        the embedder. Raises nothing."""
        why = await self._keep(miss, answer)
        self.tally[why or "stored"] += 1
        return why

    async def forget(self, hit: Hit) -> None:
        """An answer that may not be given any more. Raises nothing."""
        try:
            await self._store.drop(hit.key)
        except CacheError as error:
            self._rest(error)

    async def clear(self, owner: str | None = None) -> int:
        """Forget all answers, or those of one virtual key; how many. Raises CacheError."""
        return await self._store.clear(owner)

    async def stats(self) -> StoreStats:
        """What the store holds. Raises CacheError."""
        return await self._store.stats()

    async def _lookup(self, question: Question, settings: Caching) -> Found:
        control = question.control
        if not settings.enabled:
            return Bypass(reason="off", refused=control.only_if_cached)
        terms = terms_for(settings, question.subject)
        if terms.off or not (control.read or control.store):
            return Bypass(reason="off", refused=control.only_if_cached)
        request = read_request(question.dialect, question.body, settings.safe_tools)
        obstacle = request_obstacle(request, question.decision, settings)
        if obstacle:
            return Bypass(reason=obstacle, refused=control.only_if_cached)
        miss = Miss(
            settings=settings,
            terms=terms,
            key=question.key(self._sealer.naming, settings, request.canonical),
            ttl_seconds=min(terms.ttl_seconds, control.ttl_seconds or terms.ttl_seconds),
            rulebook=question.rulebook,
            owner=question.asker.virtual_key,
            keep=control.store,
            refused=control.only_if_cached,
        )
        if terms.semantic and self._embedder is not None and question.conversation is not None:
            miss = self._with_prompt(miss, question, self._embedder)
        if not control.read:
            return replace(miss, reason="no-cache")
        if self._clock() < self._store_rests_until:
            return replace(miss, reason="store_away", keep=False)
        return await self._search(question, miss)

    def _with_prompt(self, miss: Miss, question: Question, embedder: Embedder) -> Miss:
        assert question.conversation is not None
        settings = miss.settings
        prompt = prompt_of(question.conversation, settings.semantic)
        if prompt is None:
            return miss
        name = f"{embedder.name} {settings.semantic.dimensions or ''}"
        bucket = question.bucket(self._sealer.naming, settings, name, prompt.rest)
        return replace(miss, prompt=prompt, bucket=bucket)

    async def _search(self, question: Question, miss: Miss) -> Found:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                if miss.terms.exact:
                    entry = await self._entry(miss.key)
                    if entry is not None and self._is_young(entry, question, miss):
                        return self._hit(CacheUse.EXACT, miss.key, entry, question)
                if miss.prompt is None:
                    return miss
                neighbours = await self._meanings.neighbours(miss.bucket)
            if not len(neighbours):
                return miss  # the vector is made when there is an answer, and nobody waits for it
            vector = await self._vector(miss.prompt, miss.settings)
            if vector is None:
                return miss
            miss = replace(miss, vector=vector)
            async with asyncio.timeout(STORE_SECONDS):
                return await self._alike(question, miss, miss.prompt, vector)
        except (CacheError, TimeoutError) as error:
            self._rest(error)
            return replace(miss, reason="store_away", keep=False)

    async def _alike(self, question: Question, miss: Miss, prompt: Prompt | None, vector: Vector) -> Found:
        """The most alike of the answers whose questions agree in all particulars."""
        assert prompt is not None
        threshold = max(miss.terms.threshold, question.control.threshold or 0.0)
        neighbours = await self._meanings.neighbours(miss.bucket)
        for similarity, key in neighbours.nearest(vector, threshold)[:_TRIED]:
            entry = await self._entry(key)
            if entry is None:
                self._meanings.remove(miss.bucket, key)
            elif self._is_young(entry, question, miss) and not difference(prompt.text, entry.prompt):
                hit = self._hit(CacheUse.SEMANTIC, key, entry, question)
                return replace(hit, similarity=similarity)
        return miss

    async def _entry(self, key: bytes) -> Entry | None:
        record = await self._store.get(key)
        if record is None:
            return None
        data = self._sealer.unseal(record.body, key)
        return None if data is None else read(data)

    def _is_young(self, entry: Entry, question: Question, miss: Miss) -> bool:
        limits = (miss.terms.ttl_seconds, question.control.ttl_seconds, question.control.max_age_seconds)
        age = self._clock() - entry.stored_at
        return all(age <= limit for limit in limits if limit is not None)

    def _hit(self, use: CacheUse, key: bytes, entry: Entry, question: Question) -> Hit:
        return Hit(
            use=use,
            entry=entry,
            key=key,
            age_seconds=max(0, int(self._clock() - entry.stored_at)),
            reinspect=entry.rulebook != question.rulebook,
        )

    async def _vector(self, prompt: Prompt, settings: Caching) -> Vector | None:
        """The prompt's vector; None where there is none in time."""
        if self._embedder is None or self._clock() < self._embedder_rests_until:
            return None
        try:
            async with asyncio.timeout(settings.semantic.timeout_ms / 1000):
                [numbers] = await self._embedder.embed([prompt.text])
        except Exception as error:  # somebody else's code: whatever it is, the request goes on
            self._embedder_rests_until = self._clock() + REST_SECONDS
            log.warning("the embedder of the cache failed (%s): exact only for a while", type(error).__name__)
            return None
        return None if numbers is None else unit(numbers)

    async def _keep(self, miss: Miss, answer: Answer) -> str:
        if not miss.keep:
            return "no-store"
        obstacle = answer_obstacle(
            status=answer.status,
            size=len(answer.body),
            reply=answer.reply,
            complete=answer.complete,
            decision=answer.decision,
            settings=miss.settings,
        )
        if obstacle:
            return obstacle
        vector = miss.vector
        if vector is None and miss.prompt is not None:
            vector = await self._vector(miss.prompt, miss.settings)
        try:
            async with asyncio.timeout(2 * STORE_SECONDS):
                await self._store.put(self._record(miss, answer, vector))
        except (CacheError, TimeoutError) as error:
            self._rest(error)
            return "store_away"
        if vector is not None:
            self._meanings.add(miss.bucket, miss.key, vector)
        return ""

    def _record(self, miss: Miss, answer: Answer, vector: Vector | None) -> Record:
        now = self._clock()
        entry = Entry(
            form=answer.form,
            body=answer.body,
            content_type=answer.content_type,
            reply=answer.reply,
            prompt=miss.prompt.text if miss.prompt is not None and vector is not None else "",
            rulebook=miss.rulebook,
            model=answer.model,
            provider=answer.provider,
            stored_at=now,
        )
        return Record(
            key=miss.key,
            body=self._sealer.seal(written(entry), miss.key),
            expires_at=now + miss.ttl_seconds,
            bucket=b"" if vector is None else miss.bucket,
            vector=b"" if vector is None else self._meanings.seal(miss.key, vector),
            owner=miss.owner,
            stored_at=now,
        )

    def _rest(self, error: Exception) -> None:
        self._store_rests_until = self._clock() + REST_SECONDS
        log.warning("the store of the cache failed (%s): no cache for a while", type(error).__name__)
