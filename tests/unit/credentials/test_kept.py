"""Secrets are read once, off the event loop, and kept for a while."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agent.credentials.kept import FAILED_KEPT, KEPT, SecretCache
from agent.errors import ConfigError
from tests.fakes.credentials import Hand


class Source:
    def __init__(self) -> None:
        self.reads: list[str] = []
        self.threads: set[int] = set()
        self.broken = False

    def __call__(self, reference: str) -> str:
        self.reads.append(reference)
        self.threads.add(threading.get_ident())
        if self.broken:
            raise ConfigError("no", hint="mend it")
        return f"secret {len(self.reads)}"


async def test_a_secret_is_read_anew_after_a_while_or_when_it_was_refused() -> None:
    source, clock = Source(), Hand()
    cache = SecretCache(source, clock=clock)
    assert [await cache.read("env:A") for _ in range(3)] == ["secret 1"] * 3
    clock.now = KEPT - 1
    assert await cache.read("env:A") == "secret 1"
    clock.now = KEPT
    assert await cache.read("env:A") == "secret 2"
    cache.forget("env:A")
    assert await cache.read("env:A") == "secret 3"
    assert threading.get_ident() not in source.threads


async def test_many_that_ask_at_once_read_once() -> None:
    source = Source()
    cache = SecretCache(source, clock=Hand())
    assert await asyncio.gather(*(cache.read("env:A") for _ in range(20))) == ["secret 1"] * 20
    assert source.reads == ["env:A"]


async def test_a_failure_is_kept_for_seconds() -> None:
    source, clock = Source(), Hand()
    source.broken = True
    cache = SecretCache(source, clock=clock)
    for _ in range(2):
        with pytest.raises(ConfigError, match="no") as caught:
            await cache.read("exec:/x")
        assert caught.value.hint() == "mend it"
    assert len(source.reads) == 1
    source.broken, clock.now = False, FAILED_KEPT
    assert await cache.read("exec:/x") == "secret 2"
