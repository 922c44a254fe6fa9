"""The process that reads files: started when needed, ended when it hangs, dies or grows, and nobody else is touched."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import psutil
import pytest

from agent.extraction.budget import Limits
from agent.extraction.extractor import WORKER, Extractor
from agent.host.run import Servant
from agent.model.reading import Problem, Reading
from tests.fakes import documents

LIMITS = Limits(seconds=30)


class Script:
    """Implements what an extractor asks of a `Servant`, with a script of the test's own in its process."""

    def __init__(self, script: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.asks, self.answers = self._process.stdin, self._process.stdout
        self.pid = self._process.pid

    @property
    def code(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self.kill()
        self._process.wait()
        for pipe in (self.asks, self.answers):
            with suppress(OSError):
                pipe.close()


@asynccontextmanager
async def extractor(start: Callable[[], object] | None = None, **more: float) -> AsyncIterator[Extractor]:
    made = Extractor(start=start or (lambda: Servant(WORKER)), **more)  # type: ignore[arg-type,return-value]
    try:
        yield made
    finally:
        await asyncio.to_thread(made.close)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def until(what: Callable[[], bool]) -> None:
    for _ in range(400):
        if what():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to that")


async def ask(made: Extractor, data: bytes, limits: Limits = LIMITS, name: str = "") -> Reading:
    return await made.read(data, name=name, declared="", limits=limits)


async def test_the_process_reads_one_file_after_the_other_and_ends_when_idle() -> None:
    async with extractor(idle=0.3) as made:
        assert made.pid is None
        found = await ask(made, documents.docx("a word"))
        pid = made.pid
        assert pid is not None
        assert found.type == "docx"
        assert "a word" in [each.text for each in found.passages]
        readings = await asyncio.gather(*(ask(made, documents.pdf(f"page {number}")) for number in range(3)))
        assert [each.passages[0].text.strip() for each in readings] == ["page 0", "page 1", "page 2"]
        assert made.pid == pid
        await until(lambda: made.pid is None and gone(pid))
        assert (await ask(made, documents.docx("again"))).type == "docx"


async def test_the_process_has_no_keys_of_ours_and_little_left_to_do_harm_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_KEY", "one-of-ours")
    async with extractor() as made:
        await ask(made, documents.docx("a word"))
        assert made.pid is not None
        process = psutil.Process(made.pid)
        assert "OPENAI_KEY" not in process.environ()
        if sys.platform == "linux":
            assert process.rlimit(psutil.RLIMIT_FSIZE)[0] == 0
            assert process.rlimit(psutil.RLIMIT_NPROC)[0] == 0
            assert process.rlimit(psutil.RLIMIT_AS)[0] == LIMITS.memory


async def test_a_process_that_hangs_is_ended_and_the_next_file_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agent.extraction.extractor._START_SECONDS", 0.2)
    scripts = [Script("import time; time.sleep(600)")]
    async with extractor(lambda: scripts.pop() if scripts else Servant(WORKER)) as made:
        pid = scripts[0].pid
        found = await ask(made, documents.docx("a word"), Limits(seconds=0.2))
        assert found.problem is Problem.TIMEOUT
        await until(lambda: gone(pid))
        monkeypatch.setattr("agent.extraction.extractor._START_SECONDS", 60)
        assert (await ask(made, documents.docx("a word"))).problem is None


@pytest.mark.parametrize(
    "script",
    ["", "import os; os.write(1, b'nonsense' * 4)", "import os; os.write(1, b'\\0\\0\\0\\0\\0\\0\\0\\2{}')"],
    ids=["ends", "nonsense", "no reading"],
)
async def test_a_process_that_dies_or_lies_is_replaced(script: str) -> None:
    scripts = [Script(script)]
    async with extractor(lambda: scripts.pop() if scripts else Servant(WORKER)) as made:
        assert (await ask(made, documents.docx("a word"))).problem is Problem.CRASHED
        assert (await ask(made, documents.docx("a word"))).problem is None


async def test_a_process_that_grows_is_ended() -> None:
    scripts = [Script("import time; x = b'x' * 300_000_000; time.sleep(600)")]
    async with extractor(scripts.pop) as made:
        found = await ask(made, documents.docx("a word"), Limits(seconds=60, memory=150_000_000))
        assert found.problem is Problem.MEMORY


async def test_who_waits_too_long_for_a_turn_is_told() -> None:
    scripts = [Script("import time; time.sleep(600)")]
    async with extractor(scripts.pop, waiting=0.1) as made:
        first = asyncio.create_task(ask(made, documents.docx("a word")))
        await asyncio.sleep(0.05)
        assert (await ask(made, b"%PDF-1.4")).problem is Problem.BUSY
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


async def test_a_client_that_leaves_ends_the_reading() -> None:
    scripts = [Script("import time; time.sleep(600)")]
    pid = scripts[0].pid
    async with extractor(lambda: scripts.pop() if scripts else Servant(WORKER)) as made:
        reading = asyncio.create_task(ask(made, documents.docx("a word")))
        await until(lambda: made.pid == pid)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await until(lambda: gone(pid))
        assert (await ask(made, documents.docx("a word"))).problem is None


async def test_the_loop_goes_on_while_a_file_is_read() -> None:
    async with extractor() as made:
        await ask(made, documents.docx("warm"))
        pages = documents.pdf(*("many words on it" for _ in range(60)))
        reading = asyncio.create_task(ask(made, pages))
        turns = 0
        while not reading.done():
            turns += 1
            await asyncio.sleep(0.001)
        assert turns > 5
        assert reading.result().pages == 60


def test_the_worker_brings_nothing_of_the_command_line_along() -> None:
    """It starts with the first file that needs it: somebody waits."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import sys, agent.extraction.worker\n"
                "found = {'typer', 'rich', 'mitmproxy', 'uvicorn', 'pydantic', 'aiohttp'} & set(sys.modules)\n"
                "assert not found, found"
            ),
        ],
        capture_output=True,
        text=True,
        env={**os.environ},
    )
    assert done.returncode == 0, done.stderr
