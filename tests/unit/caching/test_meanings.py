"""Vectors in memory: loaded once, looked for again where others write, bounded."""

from __future__ import annotations

from array import array

from agent.caching.meanings import Meanings
from agent.caching.ports import Record
from agent.caching.sealing import Sealer
from tests.fakes.answer_stores import NOW, Clock, MemoryStore, name

SEALER = Sealer(b"s" * 32)
VECTOR = array("f", [1.0, 0.0, 0.0])


def made(*, shared: bool = False, most: int = 100) -> tuple[Meanings, MemoryStore, Clock]:
    clock = Clock()
    store = MemoryStore(clock)
    store.shared = shared
    return Meanings(store, SEALER, clock=clock, most=most), store, clock


async def put(store: MemoryStore, key: str, bucket: str, sealed: bytes | None = None) -> None:
    vector = Meanings(store, SEALER, clock=store.clock).seal(name(key), VECTOR)
    await store.put(
        Record(key=name(key), body=b"", bucket=name(bucket), vector=sealed or vector, expires_at=NOW + 10**6)
    )


async def test_a_bucket_is_loaded_when_it_is_asked_about() -> None:
    meanings, store, _ = made()
    await put(store, "a", "x")
    await put(store, "b", "y")
    await put(store, "damaged", "x", b"damaged")
    assert (await meanings.neighbours(name("x"))).keys == {name("a")}
    meanings.add(name("x"), name("c"), VECTOR)
    meanings.remove(name("x"), name("a"))
    meanings.add(name("z"), name("c"), VECTOR)  # not loaded: loaded when asked about
    assert (await meanings.neighbours(name("x"))).keys == {name("c")}
    assert (await meanings.neighbours(name("z"))).keys == set()


async def test_what_others_store_is_found_after_a_while() -> None:
    meanings, store, clock = made(shared=True)
    await put(store, "a", "x")
    await meanings.neighbours(name("x"))
    await put(store, "b", "x")
    await store.drop(name("a"))
    assert (await meanings.neighbours(name("x"))).keys == {name("a")}
    clock.now += 10
    assert (await meanings.neighbours(name("x"))).keys == {name("b")}


async def test_buckets_that_are_not_asked_about_go() -> None:
    meanings, store, _ = made(most=3)
    for number in range(4):
        await put(store, str(number), "x" if number < 2 else "y")
    await meanings.neighbours(name("x"))
    await meanings.neighbours(name("y"))
    assert list(meanings._buckets) == [name("y")]
    assert len(await meanings.neighbours(name("x"))) == 2
