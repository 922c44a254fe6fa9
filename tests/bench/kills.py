"""Kill the engine again and again under load, and say how long clients waited, what they saw, and what the books say.

    python -m tests.bench.kills --kills 100

The wait is a client's: from the signal until a new client has a whole answer of the next engine. A stream that is in
its middle when the engine dies must end, and must not look finished.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import DrawbridgeError
from agent.host.runfile import read_runfile
from tests.fakes.misbehaviour import Canned
from tests.integration.agent_process import AgentProcess, wait_until
from tests.integration.line import Line, NoTunnel, trusting, tunnel
from tests.integration.prompts import CHAT, RESPONSES
from tests.integration.stage import Stage, staged

EVENT = b'event: ping\ndata: {"type": "ping"}\n\n'
SOON = 30.0  # seconds
STEADY = (
    0.2  # seconds that count as a long life here; with the usual ten, a kill a second would be a crash loop
)


def engine_of(agent: AgentProcess) -> int:
    """The engine that serves now; 0: none."""
    with suppress(DrawbridgeError):
        running = read_runfile(agent.paths)
        return running.pid if running is not None else 0
    return 0


@dataclass(slots=True)
class Outcome:
    """What came of it. `waits` are seconds, one for each kill."""

    waits: list[float] = field(default_factory=list)
    served: int = 0
    failed: int = 0  # an honest error, or an answer that visibly broke off
    refused: int = 0
    streams_cut: int = 0
    streams_hung: int = 0
    streams_false: int = 0  # looked finished, and were not
    finished: list[str] = field(default_factory=list)  # the models that answered clients asked for
    lost: int = 0  # of these, not in the audit trail
    chain: str = ""

    def __str__(self) -> str:
        waits = sorted(self.waits)
        rows = [
            ("kills", str(len(waits))),
            ("back after, median", f"{statistics.median(waits):.2f} s"),
            ("back after, 95 of 100", f"{waits[int(0.95 * (len(waits) - 1))]:.2f} s"),
            ("back after, longest", f"{waits[-1]:.2f} s"),
            ("within 2 s", f"{sum(each <= 2 for each in waits)} of {len(waits)}"),
            ("connections refused", str(self.refused)),
            ("answers served", str(self.served)),
            ("exchanges that failed, and said so", str(self.failed)),
            ("streams cut", str(self.streams_cut)),
            ("streams that hung", str(self.streams_hung)),
            ("streams cut that looked finished", str(self.streams_false)),
            ("answered but not in the trail", str(self.lost)),
            ("audit chain", self.chain),
        ]
        return "\n".join(f"{name:36} {value:>12}" for name, value in rows)


class Killing:
    """One run against one agent."""

    def __init__(self, agent: AgentProcess, *, clients: int = 2) -> None:
        self._agent = agent
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._clients = clients
        self.outcome = Outcome()

    def run(self, kills: int) -> Outcome:
        """Kill so often; the outcome."""
        threads = [threading.Thread(target=self._load, args=(n,)) for n in range(self._clients)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(kills):
                self._kill()
        finally:
            self._over.set()
            for thread in threads:
                thread.join(SOON)
        self._examine()
        return self.outcome

    def _kill(self) -> None:
        engine = engine_of(self._agent)
        seen = self.outcome.served
        wait_until(lambda: self.outcome.served > seen + 3, "exchanges", seconds=SOON)
        streams = [self._stream() for _ in range(2)]
        time.sleep(STEADY)
        os.kill(engine, signal.SIGKILL)
        began = time.monotonic()
        while not self._ask("probe"):
            if time.monotonic() - began > SOON:
                raise AssertionError("the engine did not come back")
            time.sleep(0.01)
        self.outcome.waits.append(time.monotonic() - began)
        wait_until(lambda: engine_of(self._agent) not in (0, engine), "another engine", seconds=SOON)
        for line in streams:
            self._end_of(line)

    def _stream(self) -> Line:
        line = self._line(RESPONSES.host)
        line.request("POST", RESPONSES.target(), RESPONSES.body("hello", stream=True, model="endless"))
        line.sock.settimeout(SOON)
        return line

    def _end_of(self, line: Line) -> None:
        began = time.monotonic()
        with line:
            whole = line.answer().whole
        if time.monotonic() - began >= SOON:
            self.outcome.streams_hung += 1
        elif whole:
            self.outcome.streams_false += 1
        else:
            self.outcome.streams_cut += 1

    def _load(self, worker: int) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            self._ask(f"m-{worker}-{number}")

    def _ask(self, model: str) -> bool:
        status, whole, refused = 0, False, False
        try:
            with self._line(CHAT.host) as line:
                answer = line.ask("POST", CHAT.target(), CHAT.body("hello", model=model))
                status, whole = answer.status, answer.whole
        except ConnectionRefusedError:
            refused = True
        except (OSError, NoTunnel):
            pass
        good = status == 200 and whole
        with self._lock:
            self.outcome.refused += refused
            self.outcome.served += good
            self.outcome.failed += not good and not refused
            if good:
                self.outcome.finished.append(model)
        return good

    def _line(self, host: str) -> Line:
        return Line.secured(tunnel(self._agent.proxy_port, host), trusting(self._agent.ca_file), host)

    def _examine(self) -> None:
        recorded = {row.model for row in self._agent.trail.events(kind="exchange", limit=10_000)}
        newest = self.outcome.finished[-5000:]  # as many as are listed, at least
        self.outcome.lost = sum(model not in recorded for model in newest)
        found = self._agent.trail.verify()
        self.outcome.chain = "whole" if found.ok else str(found.problem)


def kill_again_and_again(stage: Stage, directory: Path, kills: int) -> Outcome:
    """An agent of its own under that treatment."""
    endless = Canned(headers=((b"content-type", b"text/event-stream"),), body=(EVENT,) * 20_000, pause=0.05)
    stage.provider.script(RESPONSES.target(), endless)
    with stage.agent(directory, supervise=("--steady", str(STEADY))) as agent:
        return Killing(agent).run(kills)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        upstreams, own = Path(name) / "upstreams", Path(name) / "agent"
        upstreams.mkdir()
        own.mkdir()
        with staged(upstreams) as stage:
            outcome = kill_again_and_again(stage, own, given.kills)
    sys.stdout.write(f"{outcome}\n")
    bad = outcome.refused + outcome.streams_hung + outcome.streams_false + outcome.lost
    return 1 if bad or outcome.chain != "whole" else 0


if __name__ == "__main__":
    sys.exit(main())
