"""`make bench`: what the bridge costs, beside going direct and beside bare mitmproxy, in one run on loopback.

Every figure is the least disturbed of several rounds, taken in turns so that noise hits all alike; CPU is the
process's own, from the operating system. `--quick` takes fewer requests.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import load, upstream
from tests.bench.load import Aim, Times
from tests.fakes.tls import Authority

_NUMBERS = itertools.count(100)  # short ones: a clock in nanoseconds looks like a payment card
HOSTS = ("api.openai.com", "chatgpt.com")
PROMPT = (
    "Please review this function and tell me what could be simpler. "
    "def area(width: float, height: float) -> float: return width * height  # plain and good\n"
)


def prompt(size: int, *, stream: bool = False) -> bytes:
    """A chat request with a prompt of about `size` bytes, different each time so that no verdict is cached."""
    text = f"No. {next(_NUMBERS)}. " + (PROMPT * (size // len(PROMPT) + 1))[:size]
    request = {"model": "bench", "messages": [{"role": "user", "content": text}]}
    if stream:
        request["stream"] = True
    return json.dumps(request, separators=(",", ":")).encode()


@dataclass
class Contender:
    """One way to the upstream."""

    name: str
    aim: Aim
    process: psutil.Process | None
    singles: list[Times] = field(default_factory=list)
    tens: list[Times] = field(default_factory=list)
    streams: list[Times] = field(default_factory=list)
    rate: float = 0.0
    cpu: list[float] = field(default_factory=list)
    cpu_ten: list[float] = field(default_factory=list)
    chunk_cpu: list[float] = field(default_factory=list)
    idle_mb: float = 0.0

    def cpu_seconds(self) -> float:
        """CPU that the process has used so far."""
        if self.process is None:
            return 0.0
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def measure(self, requests: int) -> None:
        """One round."""
        times, _, cpu = self._run(prompt(4096), connections=1, requests=requests)
        self.cpu.append(cpu / (len(times.requests) + 20))
        self.singles.append(times)
        times, took, cpu = self._run(prompt(4096), connections=10, requests=requests // 4)
        self.cpu_ten.append(cpu / (len(times.requests) + 200))
        self.tens.append(times)
        self.rate = max(self.rate, len(times.requests) / took)
        times, _, cpu = self._run(prompt(512, stream=True), connections=8, requests=1, warming=1)
        self.streams.append(times)
        self.chunk_cpu.append(cpu / max(times.chunks, 1))

    def _run(self, body: bytes, **how: int) -> tuple[Times, float, float]:
        before = self.cpu_seconds()
        times, took = asyncio.run(load.run(self.aim, body, warm=prompt(4096), **how))
        return times, took, self.cpu_seconds() - before

    def row(self, direct: Contender) -> list[str]:
        """The figures as text."""
        single = min(self.singles, key=lambda times: statistics.median(times.requests)).requests
        ten = min(self.tens, key=lambda times: statistics.median(times.requests)).requests
        base = min(statistics.median(times.requests) for times in direct.singles)
        first = min(statistics.median(times.first_chunks) for times in self.streams)
        rss = (
            ""
            if self.process is None
            else f"{self.idle_mb:.0f} / {self.process.memory_info().rss / 2**20:.0f}"
        )
        return [
            self.name,
            f"{statistics.median(single) * 1e3:.2f} / {percentile(single, 99) * 1e3:.2f}",
            f"{(statistics.median(single) - base) * 1e3:+.2f}",
            f"{statistics.median(ten) * 1e3:.2f} / {percentile(ten, 99) * 1e3:.2f}",
            f"{self.rate:.0f}",
            f"{min(self.cpu) * 1e6:.0f} / {min(self.cpu_ten) * 1e6:.0f}" if self.process else "",
            f"{first * 1e3:.2f}",
            f"{min(self.chunk_cpu) * 1e6:.0f}" if self.process else "",
            rss,
        ]


def percentile(values: list[float], percent: int) -> float:
    """The value below which `percent` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def start(command: list[str], environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """A child process, its standard output readable."""
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen(
        command,
        env={**os.environ, **(environment or {})},
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if "--debug" not in sys.argv else None,
        text=True,
    )


def trusting(ca: Path, *alpn: str) -> ssl.SSLContext:
    """A client context that trusts one root."""
    context = ssl.create_default_context(cafile=str(ca))
    context.set_alpn_protocols(list(alpn or ("http/1.1",)))
    return context


def start_agent(
    directory: Path, upstream_port: int, ca: Path
) -> tuple[subprocess.Popen[str], dict[str, int], float]:
    """The agent as a user runs it; its process, its run file, and the seconds until it was ready."""
    ready = directory / "ready.json"
    begun = time.perf_counter()
    resolve = ",".join(f"{host}:443=127.0.0.1:{upstream_port}" for host in HOSTS)
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
    command += ["--gateway-port", "0", "--ready-file", str(ready)]
    process = start(command, {"DRAWBRIDGE_UPSTREAM_CA_FILE": str(ca), "DRAWBRIDGE_RESOLVE": resolve})
    wait_for(ready, process)
    return process, json.loads(ready.read_text()), time.perf_counter() - begun


def start_mitmproxy(directory: Path, upstream_port: int, ca: Path) -> tuple[subprocess.Popen[str], int]:
    """mitmdump as it is installed, all default addons on; only its upstream is sent to the mock."""
    port = free_port()
    redirect = directory / "redirect.py"
    redirect.write_text(
        "def server_connect(data):\n"
        f"    data.server.address = ('127.0.0.1', {upstream_port})\n"
        "    data.server.sni = 'api.openai.com'\n"
    )
    confdir = directory / "mitmproxy"
    options = {"confdir": confdir, "ssl_verify_upstream_trusted_ca": ca, "flow_detail": 0}
    command = [
        str(Path(sys.executable).with_name("mitmdump")),
        "-q",
        "--listen-host",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    command += ["-s", str(redirect)]
    for name, value in options.items():
        command += ["--set", f"{name}={value}"]
    process = start(command)
    wait_for(confdir / "mitmproxy-ca-cert.pem", process)
    time.sleep(1.5)
    return process, port


def free_port() -> int:
    """A port that is free now."""
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Until `path` exists."""
    for _ in range(600):
        if path.exists() and path.stat().st_size:
            return
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}")
        time.sleep(0.05)
    raise RuntimeError(f"{path} did not appear")


def main() -> None:
    """Start everything, measure in turns, print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer requests and rounds")
    parser.add_argument("--debug", action="store_true", help="show the children's own output")
    parser.add_argument("--only", default="", help="comma-separated names of contenders")
    options = parser.parse_args()
    rounds, requests = (2, 200) if options.quick else (4, 600)
    console = Console()
    children: list[subprocess.Popen[str]] = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        try:
            console.print("bench: starting the mock provider, the agent and a bare mitmproxy")
            authority = Authority(directory)
            leaf = authority.leaf(*HOSTS, "127.0.0.1")
            mock = start(
                [sys.executable, "-m", "tests.bench.upstream", str(leaf.chain_file), str(leaf.key_file)]
            )
            children.append(mock)
            assert mock.stdout is not None
            port = int(mock.stdout.readline())
            agent, run, ready = start_agent(directory, port, authority.ca_file)
            children.append(agent)
            mitm, mitm_port = start_mitmproxy(directory, port, authority.ca_file)
            children.append(mitm)
            ours = psutil.Process(agent.pid)
            contenders = contend(
                directory, port, authority.ca_file, run, ours, psutil.Process(mitm.pid), mitm_port
            )
            if options.only:
                contenders = [
                    each for each in contenders if each.name in ("direct", *options.only.split(","))
                ]
            for each in contenders:
                each.idle_mb = each.process.memory_info().rss / 2**20 if each.process else 0.0
            for number in range(rounds):
                for each in contenders:
                    console.print(f"bench: round {number + 1} of {rounds}, {each.name}")
                    each.measure(requests)
            show(console, contenders, ready)
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait(20)


def contend(
    directory: Path,
    port: int,
    ca: Path,
    run: dict[str, int],
    agent: psutil.Process,
    mitm: psutil.Process,
    mitm_port: int,
) -> list[Contender]:
    """All ways to the mock."""
    root = directory / "state" / "ca" / "root.pem"
    mitm_ca = directory / "mitmproxy" / "mitmproxy-ca-cert.pem"
    h2 = Aim(port=0, proxy=run["proxy_port"], tls=trusting(root, "h2"), http2=True)
    return [
        Contender("direct", Aim(port=port, tls=trusting(ca)), None),
        Contender("mitmproxy", Aim(port=0, proxy=mitm_port, tls=trusting(mitm_ca)), mitm),
        Contender("relay", Aim(port=0, proxy=run["proxy_port"], tls=trusting(root)), agent),
        Contender("http", h2, agent),
        Contender("base", Aim(port=run["gateway_port"], path="/openai/v1/chat/completions"), agent),
    ]


def show(console: Console, contenders: list[Contender], ready: float) -> None:
    """The table, and the ratios that matter."""
    table = Table(
        "path",
        "1 conn p50/p99 ms",
        "added p50",
        "10 conn p50/p99 ms",
        "req/s",
        "CPU µs/req, 1 / 10 conn",
        "SSE 1st chunk ms",
        "CPU µs/chunk",
        "RSS MB idle/after",
        title=f"4 KB prompts, {upstream.CHUNKS}-chunk streams (8 at once); scan and audit on",
    )
    for each in contenders:
        table.add_row(*each.row(contenders[0]))
    console.print(table)
    named = {each.name: each for each in contenders}
    if "relay" in named and "mitmproxy" in named:
        relay, bare = named["relay"], named["mitmproxy"]
        console.print(
            f"relay / bare mitmproxy, CPU per request: {min(relay.cpu) / min(bare.cpu):.2f} at 1 connection, "
            f"{min(relay.cpu_ten) / min(bare.cpu_ten):.2f} at 10"
        )
    console.print(f"ready after {ready:.2f} s")


if __name__ == "__main__":
    main()
