"""The gateway beside its peers, in one run on one machine: nginx as a plain proxy, LiteLLM's proxy, Portkey's gateway.

Each contender is alone on core 0; the mock provider and the load are on core 1. Ours runs with everything on: virtual
key with a budget, guardrails of the bundled policy, audit, metrics. The peers run bare, as they are fastest. A peer
that is not installed is left out, and said so:

    nginx      on PATH
    LiteLLM    LITELLM=/path/to/bin/litellm
    Portkey    PORTKEY=/path/to/node_modules/@portkey-ai/gateway/build/start-server.js (needs node)

`python -m tests.bench.gateway [--quick] [--only ours,nginx]`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from agent.accounts.keys import new_key
from tests.bench import load, upstream
from tests.bench.bridge import free_port, percentile, start
from tests.bench.load import Aim, Times

ROOT = Path(__file__).resolve().parents[2]
GATEWAY_CORE, LOAD_CORE = 0, 1
CONNECTIONS = (1, 10, 50)
_NUMBERS = itertools.count(100)  # short ones: a clock in nanoseconds looks like a payment card
POLICY = """
providers:
  up: {{uses: openai-compatible, base_url: "http://127.0.0.1:{port}/v1", key: "env:BENCH_KEY"}}
prices: [{{models: ["*"], input: 1.0, output: 2.0}}]
telemetry: {{metrics: {{enabled: true}}}}
accounts:
  virtual_keys:
    - id: bench
      hash: "sha256:{digest}"
      budgets: [{{usd: 1000000, per: day}}, {{tokens: 1000000000000, per: month}}]
      limits: {{requests_per_minute: 100000000, concurrency: 100000}}
"""
NGINX = """
daemon off; worker_processes 1; error_log /dev/null; pid {directory}/nginx.pid;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {directory}; proxy_temp_path {directory};
  fastcgi_temp_path {directory}; uwsgi_temp_path {directory}; scgi_temp_path {directory};
  upstream mock {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://mock; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_buffering off; }} }} }}
"""
LITELLM = """
model_list:
  - model_name: bench
    litellm_params: {{model: openai/bench, api_base: "http://127.0.0.1:{port}/v1", api_key: sk-x}}
  - model_name: paced
    litellm_params: {{model: openai/paced, api_base: "http://127.0.0.1:{port}/v1", api_key: sk-x}}
"""


@dataclass
class Figures:
    """What was measured of one contender."""

    rates: dict[int, float] = field(default_factory=dict)  # requests a second by connections
    cpu: dict[int, float] = field(default_factory=dict)  # µs a request
    times: dict[int, list[float]] = field(default_factory=dict)  # seconds
    first_chunk: float = 0.0  # seconds
    chunk_cpu: float = 0.0  # µs
    carried: dict[int, str] = field(default_factory=dict)  # paced streams
    idle_mb: float = 0.0
    after_mb: float = 0.0
    cold: float = 0.0


@dataclass
class Contender:
    """One way to the mock. `model` is how its clients call it."""

    name: str
    aim: Aim
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    prefix: str = ""
    figures: Figures = field(default_factory=Figures)
    process: psutil.Process | None = None
    child: subprocess.Popen[str] | None = None

    def body(self, *, stream: bool = False, model: str = "bench") -> bytes:
        """A small request (0.4 KB), different each time."""
        text = f"No. {next(_NUMBERS)}. " + "Tell me in a sentence what a drawbridge is for. " * 6
        request: dict[str, object] = {
            "model": self.prefix + model,
            "max_tokens": 200,
            "messages": [{"role": "user", "content": text}],
        }
        if stream:
            request["stream"] = True
        return json.dumps(request, separators=(",", ":")).encode()

    def begin(self) -> None:
        """Start it, and wait for its first answer."""
        if not self.command:
            return
        begun = time.perf_counter()
        self.child = start(self.command, self.environment)
        self.process = psutil.Process(self.child.pid)
        self.process.cpu_affinity([GATEWAY_CORE])
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.aim.port}{self.aim.path}",
            data=self.body(),
            headers={
                "content-type": "application/json",
                "authorization": f"Bearer {self.aim.key}",
                **dict(self.aim.fields),
            },
        )
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    answer.read()
                break
            except urllib.error.HTTPError as error:
                raise RuntimeError(f"{self.name}: {error.code} {error.read()[:300]!r}") from error
            except (urllib.error.URLError, ConnectionError):
                if self.child.poll() is not None:
                    raise RuntimeError(f"{self.name} ended with {self.child.returncode}") from None
                if time.perf_counter() - begun > 90:
                    raise
                time.sleep(0.01)
        self.figures.cold = time.perf_counter() - begun
        time.sleep(2.0)
        self.figures.idle_mb = self.memory()

    def end(self) -> None:
        """Stop it."""
        if self.child is not None:
            for process in self.tree():
                process.terminate()
            self.child.wait(20)

    def tree(self) -> list[psutil.Process]:
        """The process and its children."""
        return [] if self.process is None else [self.process, *self.process.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """CPU used so far."""
        return sum(each.cpu_times().user + each.cpu_times().system for each in self.tree())

    def memory(self) -> float:
        """MB resident."""
        return sum(each.memory_info().rss for each in self.tree()) / 2**20

    def measure(self, seconds: float) -> None:
        """Every figure."""
        for connections in CONNECTIONS:
            self._whole(connections, seconds)
        self._streams()
        for count in (128, 512):
            self._paced(count)
        self.figures.after_mb = self.memory()

    def _whole(self, connections: int, seconds: float) -> None:
        probe, _ = asyncio.run(load.run(self.aim, self.body(), connections=1, requests=20, warm=self.body()))
        each = statistics.median(probe.requests)
        requests = max(5, min(4000 // connections, int(seconds / each / min(connections, 4))))
        before = self.cpu_seconds()
        times, took = asyncio.run(
            load.run(self.aim, self.body(), connections=connections, requests=requests, warm=self.body())
        )
        cpu = (self.cpu_seconds() - before) / (len(times.requests) + 20 * connections) * 1e6
        figures = self.figures
        figures.rates[connections] = max(figures.rates.get(connections, 0.0), len(times.requests) / took)
        figures.cpu[connections] = min(figures.cpu.get(connections, cpu), cpu)
        kept = figures.times.get(connections)
        if kept is None or statistics.median(times.requests) < statistics.median(kept):
            figures.times[connections] = times.requests

    def _streams(self) -> None:
        before = self.cpu_seconds()
        times, _ = asyncio.run(
            load.run(
                self.aim,
                self.body(stream=True),
                connections=10,
                requests=1,
                warm=self.body(),
                warming=2,
            )
        )
        cpu = (self.cpu_seconds() - before) / max(times.chunks, 1) * 1e6
        first = statistics.median(times.first_chunks)
        figures = self.figures
        figures.chunk_cpu = min(figures.chunk_cpu or cpu, cpu)
        figures.first_chunk = min(figures.first_chunk or first, first)

    def _paced(self, count: int) -> None:
        times, lost = asyncio.run(_paced(self.aim, self.body(stream=True, model="paced"), count))
        wanted = upstream.PACED_CHUNKS * upstream.PACED_PAUSE
        late = [each - wanted for each in times]
        if lost or not late:
            self.figures.carried[count] = f"{lost} stuck"
        else:
            self.figures.carried[count] = f"yes, {percentile(late, 99) * 1e3:.0f} ms late at p99"


async def _paced(aim: Aim, body: bytes, count: int) -> tuple[list[float], int]:
    """How long each of `count` paced streams took, and how many did not end in time."""
    limit = upstream.PACED_CHUNKS * upstream.PACED_PAUSE * 2 + 2

    async def one() -> float:
        client = load.Http1Client(aim, body)
        await client.connect()
        begun = time.perf_counter()
        await client.ask(Times())
        client.close()
        return time.perf_counter() - begun

    tasks = [asyncio.create_task(one()) for _ in range(count)]
    done, waiting = await asyncio.wait(tasks, timeout=limit)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    ended = [task for task in done if task.exception() is None]
    return [task.result() for task in ended], count - len(ended)


def ours(directory: Path, port: int) -> Contender:
    """The agent, everything on."""
    key = new_key()
    digest = hashlib.sha256(key.encode()).hexdigest()
    bundled = (ROOT / "policies" / "default" / "policy.yaml").read_text()
    policy = directory / "policy.yaml"
    policy.write_text(bundled + POLICY.format(port=port, digest=digest))
    listen = free_port()
    command = [
        sys.executable,
        "-m",
        "agent",
        "up",
        "--state-dir",
        str(directory / "state"),
        "--proxy-port",
        "0",
    ]
    command += ["--gateway-port", str(listen), "--policy", str(policy)]
    aim = Aim(port=listen, key=key)
    return Contender("Drawbridge", aim, command, {"BENCH_KEY": "sk-x"}, prefix="up/")


def nginx(directory: Path, port: int) -> Contender | str:
    """nginx as a plain proxy."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        return "nginx is not on PATH"
    listen = free_port()
    file = directory / "nginx.conf"
    file.write_text(NGINX.format(directory=directory, port=listen, upstream=port))
    return Contender("nginx", Aim(port=listen), [program, "-c", str(file), "-p", str(directory)])


def litellm(directory: Path, port: int) -> Contender | str:
    """LiteLLM's proxy, one worker, nothing on."""
    program = os.environ.get("LITELLM", "")
    if not program:
        return "LITELLM is not set"
    file = directory / "litellm.yaml"
    file.write_text(LITELLM.format(port=port))
    listen = free_port()
    command = [program, "--config", str(file), "--port", str(listen), "--host", "127.0.0.1"]
    command += ["--num_workers", "1", "--telemetry", "False"]
    environment = {
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    return Contender("LiteLLM proxy", Aim(port=listen), command, environment)


def portkey(directory: Path, port: int) -> Contender | str:
    """Portkey's gateway on node."""
    del directory
    program, node = os.environ.get("PORTKEY", ""), shutil.which("node")
    if not program or node is None:
        return "PORTKEY is not set, or node is not on PATH"
    listen = free_port()
    fields = (("x-portkey-provider", "openai"), ("x-portkey-custom-host", f"http://127.0.0.1:{port}/v1"))
    environment = {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1"}
    command = [node, program, f"--port={listen}", "--headless"]
    return Contender("Portkey gateway", Aim(port=listen, fields=fields), command, environment)


PEERS: dict[str, Callable[[Path, int], Contender | str]] = {
    "ours": ours,
    "nginx": nginx,
    "litellm": litellm,
    "portkey": portkey,
}


def main() -> None:
    """Measure each in turn, print one table and the ratios that matter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--only", default="", help=f"of {', '.join(PEERS)}")
    options = parser.parse_args()
    rounds, seconds = (1, 2.0) if options.quick else (3, 4.0)
    wanted = options.only.split(",") if options.only else list(PEERS)
    console = Console()
    psutil.Process().cpu_affinity([LOAD_CORE])
    with tempfile.TemporaryDirectory() as name:
        mock = start([sys.executable, "-m", "tests.bench.upstream"])
        assert mock.stdout is not None
        port = int(mock.stdout.readline())
        contenders = [Contender("direct", Aim(port=port))]
        try:
            for peer in wanted:
                directory = Path(name) / peer
                directory.mkdir()
                made = PEERS[peer](directory, port)
                if isinstance(made, str):
                    console.print(f"bench: without {peer}: {made}")
                else:
                    contenders.append(made)
            measured = [
                contender
                for contender in contenders
                if _measured(contender, rounds=rounds, seconds=seconds, console=console)
            ]
        finally:
            mock.terminate()
            mock.wait(20)
    show(console, measured)


def _measured(contender: Contender, *, rounds: int, seconds: float, console: Console) -> bool:
    """Measure one. A peer that fails under the load is left out, and said so; ours may not."""
    console.print(f"bench: {contender.name}")
    try:
        contender.begin()
        for _ in range(rounds):
            contender.measure(seconds)
    except RuntimeError as error:
        if contender.name in ("direct", "Drawbridge"):
            raise
        console.print(f"bench: without {contender.name}: {' '.join(str(error).split())[:200]}")
        return False
    finally:
        contender.end()
    return True


def show(console: Console, contenders: list[Contender]) -> None:
    """The table and the ratios."""
    direct = contenders[0].figures
    table = Table(title="0.4 KB requests, one core each", box=None)
    columns = ("", "req/s 1/10/50", "CPU µs 1/10/50", "added p50 / p99 ms, 1 conn", "p50 / p99 ms, 50 conn")
    for column in (
        *columns,
        "1st chunk ms",
        "CPU µs/chunk",
        "128 paced",
        "512 paced",
        "MB idle/after",
        "cold s",
    ):
        table.add_column(column)
    for each in contenders:
        figures = each.figures
        base = direct.times[1]
        one, fifty = figures.times[1], figures.times[50]
        cpu = "/".join(f"{figures.cpu[n]:.0f}" for n in CONNECTIONS) if each.command else ""
        added = (percentile(one, 50) - percentile(base, 50), percentile(one, 99) - percentile(base, 99))
        table.add_row(
            each.name,
            "/".join(f"{figures.rates[n]:.0f}" for n in CONNECTIONS),
            cpu,
            " / ".join(f"{value * 1e3:+.2f}" for value in added) if each.command else "",
            f"{percentile(fifty, 50) * 1e3:.1f} / {percentile(fifty, 99) * 1e3:.1f}",
            f"{figures.first_chunk * 1e3:.1f}",
            f"{figures.chunk_cpu:.0f}" if each.command else "",
            figures.carried[128],
            figures.carried[512],
            f"{figures.idle_mb:.0f}/{figures.after_mb:.0f}" if each.command else "",
            f"{figures.cold:.2f}" if each.command else "",
        )
    console.print(table)
    named = {each.name: each.figures for each in contenders}
    mine = named.get("Drawbridge")
    for name, theirs in named.items():
        if mine is not None and name not in ("direct", "Drawbridge"):
            ratios = ", ".join(f"{mine.rates[n] / theirs.rates[n]:.2f} at {n}" for n in CONNECTIONS)
            console.print(f"Drawbridge to {name}, requests a second: {ratios} connections")


if __name__ == "__main__":
    main()
