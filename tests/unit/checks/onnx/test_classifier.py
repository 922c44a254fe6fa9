"""The classifier: loaded once, in its thread, stopped when nobody waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agent.checks.onnx.classifier import RETRY_SECONDS, Classifier
from agent.checks.onnx.session import Model
from agent.checks.onnx.worker import Worker
from agent.checks.ports import CheckError, Failure, Mark
from agent.errors import ConfigError
from agent.model.content import Where
from agent.policy.checks import OnnxCheck
from tests.fakes.loopback import until
from tests.fakes.models import NER, FakeModel, manifest
from tests.fakes.services import check_of, piece


class Bench:
    """A classifier whose model is loaded by `load`, and a clock moved by hand."""

    def __init__(self, model: FakeModel | None = None) -> None:
        self.now = 0.0
        self.loads = 0
        self.model = model or FakeModel()
        self.before_load: Callable[[], object] = lambda: None
        self.worker = Worker()
        check = check_of("{id: a, kind: onnx, folder: /models/toy, windows: 3}")
        assert isinstance(check, OnnxCheck)
        self.classifier = Classifier(check, self._load, self.worker, clock=lambda: self.now)

    def _load(self, folder: Path) -> Model:
        assert folder == Path("/models/toy")
        self.loads += 1
        self.before_load()
        return self.model

    async def ask(self, text: str) -> tuple[Mark, ...]:
        (marks,) = await self.classifier.ask(Where.PROMPT, (piece(text),))
        return marks


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    made.worker.close()


async def test_a_window_with_an_attack_is_a_finding_with_its_place(bench: Bench) -> None:
    (mark,) = await bench.ask("please attack now")
    assert (mark.category, mark.start, mark.end) == ("ATTACK", 0, 17)
    assert await bench.ask("please be nice") == ()
    assert bench.loads == 1


async def test_of_a_long_text_so_many_windows_are_looked_at_and_no_more(bench: Bench) -> None:
    words = ["word"] * 500 + ["attack"]
    (mark,) = await bench.ask(" ".join(words))
    assert len(bench.model.runs) == 3
    assert mark.end == len(" ".join(words))


async def test_names_are_findings_with_places() -> None:
    bench = Bench(FakeModel(manifest(NER)))
    marks = await bench.ask("so Ann Lee went to Rome")
    assert [(mark.category, mark.start, mark.end) for mark in marks] == [("PER", 3, 10), ("LOC", 19, 23)]
    bench.worker.close()


async def test_a_text_without_tokens_has_no_findings(bench: Bench) -> None:
    assert await bench.ask("  ") == ()


async def test_a_model_that_cannot_be_loaded_is_tried_again_after_a_while(bench: Bench) -> None:
    def refuse() -> None:
        raise ConfigError("the file was changed", hint="Deploy it anew.")

    bench.before_load = refuse
    for _ in range(2):
        with pytest.raises(CheckError, match="was changed Deploy") as caught:
            await bench.ask("attack")
        assert caught.value.failure is Failure.MODEL
    assert bench.loads == 1
    bench.now, bench.before_load = RETRY_SECONDS, lambda: None
    assert len(await bench.ask("attack")) == 1


async def test_what_a_library_raises_is_a_model_that_cannot_be_loaded(bench: Bench) -> None:
    def crash() -> None:
        raise MemoryError("content")

    bench.before_load = crash
    with pytest.raises(CheckError, match=r"^model: MemoryError$"):
        await bench.ask("attack")


async def test_who_cannot_wait_for_the_model_leaves_it_loading_for_the_next(bench: Bench) -> None:
    gate = threading.Event()
    bench.before_load = gate.wait
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await bench.ask("attack")
    gate.set()
    assert len(await bench.ask("attack")) == 1
    assert bench.loads == 1


async def test_when_nobody_waits_any_more_no_further_window_is_run(bench: Bench) -> None:
    await bench.classifier.ready()
    gate = threading.Event()
    run = bench.model.run

    def slow(ids: range) -> object:
        gate.wait()
        return run(ids)

    bench.model.run = slow  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(bench.ask("word " * 100))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    await bench.worker.run(lambda: None)
    await until(lambda: len(bench.model.runs) == 1)
