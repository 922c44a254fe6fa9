"""The spool: what was acknowledged is on the disk, whatever happens next."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

import pytest

from agent.audit import spool as spool_module
from agent.audit.spool import Spool
from agent.audit.trail import Trail, VerifyReport
from agent.errors import AuditError
from agent.host.paths import StatePaths
from agent.model.record import Timing
from tests.fakes.audit import DEVICE, NOW, make_exchange, make_incident

ROOT = Path(__file__).parents[3]


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths.under(tmp_path)


@pytest.fixture
async def spool(paths: StatePaths) -> AsyncIterator[Spool]:
    spool = Spool(paths, device=DEVICE, clock=lambda: NOW)
    await spool.open()
    yield spool
    await spool.close()


async def verified(paths: StatePaths) -> VerifyReport:
    return await asyncio.to_thread(Trail(paths).verify)


async def test_an_acknowledged_event_can_be_read_at_once(spool: Spool, paths: StatePaths) -> None:
    event = make_exchange()
    await spool.append(event)
    assert (await asyncio.to_thread(Trail(paths).show, event.id)).row.id == event.id
    assert spool.count == 1


async def test_concurrent_events_share_commits_and_keep_the_chain(spool: Spool, paths: StatePaths) -> None:
    await asyncio.gather(*(spool.append(make_exchange()) for _ in range(500)))
    report = await verified(paths)
    assert (report.ok, report.events) == (True, 500)


async def test_closing_writes_what_waits_and_the_head_record(spool: Spool, paths: StatePaths) -> None:
    waiting = asyncio.gather(*(spool.append(make_exchange()) for _ in range(50)))
    await asyncio.sleep(0)
    await spool.close()
    await waiting
    report = await verified(paths)
    assert (report.ok, report.events, report.notes) == (True, 50, ())


async def test_closing_twice_or_without_opening_is_fine(spool: Spool, paths: StatePaths) -> None:
    await spool.close()
    await spool.close()
    await Spool(paths, device=DEVICE).close()


async def test_a_closed_spool_refuses_events(spool: Spool) -> None:
    await spool.close()
    with pytest.raises(AuditError, match="not open"):
        await spool.append(make_exchange())


async def test_a_spool_can_be_opened_again_and_goes_on(spool: Spool, paths: StatePaths) -> None:
    await spool.append(make_exchange())
    await spool.close()
    await spool.open()
    await spool.append(make_exchange())
    assert (await verified(paths)).events == spool.count == 2


async def test_a_second_spool_on_the_same_files_is_refused(spool: Spool, paths: StatePaths) -> None:
    with pytest.raises(AuditError, match="written by another process"):
        await Spool(paths, device=DEVICE).open()
    with pytest.raises(AuditError, match="already open"):
        await spool.open()
    await spool.append(make_exchange())


async def test_a_caller_that_gives_up_does_not_recall_its_event(spool: Spool, paths: StatePaths) -> None:
    appending = asyncio.ensure_future(spool.append(make_exchange()))
    await asyncio.sleep(0)
    appending.cancel()
    with suppress(asyncio.CancelledError):
        await appending
    await spool.append(make_incident())
    assert (await verified(paths)).events == 2


async def test_an_event_that_cannot_be_recorded_fails_for_its_caller_only(spool: Spool) -> None:
    bad = make_exchange(timing=Timing(total_ms=float("inf"), overhead_ms=0))
    failed, fine = await asyncio.gather(
        spool.append(bad), spool.append(make_exchange()), return_exceptions=True
    )
    assert isinstance(failed, AuditError)
    assert fine is None


async def test_who_is_faster_than_the_disk_waits_for_room(
    paths: StatePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Measured(SimpleQueue):  # type: ignore[type-arg]
        deepest = 0

        def put(self, item: object, *args: object, **kwargs: object) -> None:
            Measured.deepest = max(Measured.deepest, self.qsize() + 1)
            super().put(item)

    monkeypatch.setattr(spool_module, "CAPACITY", 4)
    spool = Spool(paths, device=DEVICE, clock=lambda: NOW)
    spool._queue = Measured()
    await spool.open()
    await asyncio.gather(*(spool.append(make_exchange()) for _ in range(200)))
    await spool.close()
    assert 0 < Measured.deepest <= 4
    assert (await verified(paths)).events == 200


async def test_the_head_record_follows_within_a_second_or_so(spool: Spool, paths: StatePaths) -> None:
    await spool.append(make_exchange())
    async with asyncio.timeout(5):
        while not paths.audit_head.exists():
            await asyncio.sleep(0.01)
    assert (await verified(paths)).notes == ()


CHILD = """
import asyncio, sys
from pathlib import Path
from agent.audit.spool import Spool
from agent.host.paths import StatePaths
from tests.fakes.audit import DEVICE, NOW, make_exchange

async def main():
    spool = Spool(StatePaths.under(Path(sys.argv[1])), device=DEVICE, clock=lambda: NOW)
    await spool.open()

    async def appender():
        while True:
            event = make_exchange()
            await spool.append(event)
            sys.stdout.write(event.id + "\\n")
            sys.stdout.flush()

    await asyncio.gather(*(appender() for _ in range(5)))

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_after_kill_9_every_acknowledged_event_is_there_and_the_chain_goes_on(
    paths: StatePaths, tmp_path: Path
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert child.stdout is not None
    with child.stdout as acknowledgements:
        acknowledged = [acknowledgements.readline().strip() for _ in range(40)]
        child.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in acknowledgements if line.endswith("\n")]
    child.wait()

    async def go_on() -> None:
        spool = Spool(paths, device=DEVICE, clock=lambda: NOW)
        await spool.open()
        await spool.append(make_incident())
        await spool.close()

    asyncio.run(go_on())
    trail = Trail(paths)
    stored = {row.id for row in trail.events(limit=10_000)}
    report = trail.verify()
    assert all(acknowledged)
    assert stored >= set(acknowledged)
    assert report.ok
    assert report.events == len(stored) > 40


async def test_how_many_events_wait_is_told(paths: StatePaths) -> None:
    spool = Spool(paths, device=DEVICE)
    assert spool.waiting == 0
