"""A long, mixed, gentle load on one supervised agent, and whether its memory, files and threads stay where they were.

    python -m tests.bench.soak --minutes 20 --rate 10

Relayed calls, streams, base-URL calls, WebSockets, blocked requests, uploads and requests on one long HTTP/2 connection
go round at `--rate` a second. The engine and the supervisor are measured every few seconds; the table ends with the
slope of a line through the samples after the first quarter, in which caches fill.
"""

from __future__ import annotations

import argparse
import json
import socket
import ssl
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import cycle
from pathlib import Path

import psutil
from websockets.sync.client import connect

from agent.host.runfile import read_runfile
from tests.fakes.misbehaviour import Canned
from tests.fakes.provider import Provider
from tests.fakes.socket_services import SocketServices
from tests.fakes.tls import Authority
from tests.integration.agent_process import AgentProcess
from tests.integration.http2_line import Http2Line
from tests.integration.line import Line, trusting, tunnel
from tests.integration.prompts import CHAT, MESSAGES, made_up_key

MB = 2**20
HOSTS = ("api.openai.com", "api.anthropic.com")
POLICY = """\
schema_version: 1
id: soak
guardrails:
  - {id: secrets, detect: [secret], action: block}
"""
UPLOAD = 256 * 1024  # bytes
SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was measured at `minute`."""

    minute: float
    engine_mb: float  # resident
    supervisor_mb: float
    files: int  # open descriptors of the engine
    threads: int
    answered: int  # exchanges so far
    failed: int


class Client:
    """Does one thing of each kind; every method raises where the outcome is not the one it should be."""

    def __init__(self, agent: AgentProcess) -> None:
        self._agent = agent
        self.kinds: dict[str, Callable[[], None]] = {
            "relayed": self._relayed,
            "streamed": self._streamed,
            "base URL": self._base_url,
            "WebSocket": self._socket,
            "blocked": self._blocked,
            "upload": self._upload,
            "HTTP/2": self._http2,
        }
        self._browser: Http2Line | None = None

    def _line(self, host: str) -> Line:
        return Line.secured(tunnel(self._agent.proxy_port, host), trusting(self._agent.ca_file), host)

    def _relayed(self) -> None:
        with self._line(CHAT.host) as line:
            _expect(line.ask("POST", CHAT.target(), CHAT.body(f"hello at {time.time()}")).status, 200)

    def _streamed(self) -> None:
        with self._line(MESSAGES.host) as line:
            answer = line.ask("POST", MESSAGES.target(stream=True), MESSAGES.body("tell me", stream=True))
            _expect(answer.status if answer.whole else 0, 200)

    def _base_url(self) -> None:
        target = f"/openai{CHAT.target()}"
        port = self._agent.gateway_port
        with Line(socket.create_connection(("127.0.0.1", port), 15), host=f"127.0.0.1:{port}") as line:
            key = (("Content-Type", "application/json"), ("Authorization", "Bearer none"))
            _expect(line.ask("POST", target, CHAT.body("hello"), fields=key).status, 200)

    def _socket(self) -> None:
        context = ssl.create_default_context(cafile=str(self._agent.ca_file))
        # websockets' blocking client takes TLS 1.3's session tickets for an answer, and hangs once in 2,000 times; it
        # does so without an agent between, too
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        turn = {"type": "response.create", "model": "gpt-5", "input": [{"role": "user", "content": "hello"}]}
        sock = tunnel(self._agent.proxy_port, "api.openai.com")
        url = "wss://api.openai.com/v1/responses"
        with connect(url, sock=sock, ssl=context, proxy=None, open_timeout=15) as client:
            client.send(json.dumps(turn))
            while json.loads(client.recv(timeout=15))["type"] != "response.completed":
                pass

    def _blocked(self) -> None:
        with self._line(CHAT.host) as line:
            answer = line.ask("POST", CHAT.target(), CHAT.body(f"my key is {made_up_key()}"))
            if answer.status == 200:
                raise AssertionError("a secret went out")

    def _http2(self) -> None:
        if self._browser is None:  # one connection for all
            context = trusting(self._agent.ca_file)
            context.set_alpn_protocols(["h2"])
            tunnelled = tunnel(self._agent.proxy_port, CHAT.host)
            self._browser = Http2Line(Line.secured(tunnelled, context, CHAT.host))
        _expect(self._browser.ask("POST", CHAT.target(), CHAT.body("hello")).status, 200)

    def _upload(self) -> None:
        edge = "soak-edge"
        head = (
            f'--{edge}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n--{edge}\r\n'
            'Content-Disposition: form-data; name="file"; filename="notes.txt"\r\n\r\n'
        )
        body = head.encode() + b"plain words \n" * (UPLOAD // 13) + f"\r\n--{edge}--\r\n".encode()
        kind = (("Content-Type", f"multipart/form-data; boundary={edge}"),)
        with self._line(CHAT.host) as line:
            _expect(line.ask("POST", "/v1/files", body, fields=kind).status, 200)


def _expect(status: int, wanted: int) -> None:
    if status != wanted:
        raise AssertionError(f"answered with {status}")


def slope(samples: Sequence[Sample], of: str) -> float:
    """Growth of a field per hour, by least squares over the samples after the first quarter."""
    later = [each for each in samples if each.minute >= samples[-1].minute / 4]
    xs, ys = [each.minute / 60 for each in later], [float(getattr(each, of)) for each in later]
    middle, level = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - middle) ** 2 for x in xs)
    return sum((x - middle) * (y - level) for x, y in zip(xs, ys, strict=True)) / spread if spread else 0.0


class Soak:
    """One run."""

    def __init__(
        self, agent: AgentProcess, provider: Provider, client: Client, *, minutes: float, rate: float
    ) -> None:
        self._agent = agent
        self._provider = provider
        self._kinds = client.kinds
        self._end = time.monotonic() + minutes * 60
        self._begun = time.monotonic()
        self._pause = 1 / rate
        self.counts: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.samples: list[Sample] = []

    def run(self, *, every: float) -> None:
        """Load and measure until the time is over."""
        worker = threading.Thread(target=self._load, name="load")
        worker.start()
        while time.monotonic() < self._end:
            self.samples.append(self._sample())
            self._provider.forget()  # gigabytes of uploads within an hour
            _print_row(self.samples[-1])
            time.sleep(every)
        worker.join(SECONDS)

    def _load(self) -> None:
        for name, act in cycle(self._kinds.items()):
            began = time.monotonic()
            if began >= self._end:
                return
            try:
                act()
            except Exception as error:
                self.failures[f"{name}: {type(error).__name__} {error}"[:120]] += 1
            else:
                self.counts[name] += 1
            time.sleep(max(0.0, self._pause - (time.monotonic() - began)))

    def _sample(self) -> Sample:
        running = read_runfile(self._agent.paths)
        if running is None:
            raise SystemExit("the engine is gone")
        engine = psutil.Process(running.pid)
        return Sample(
            minute=(time.monotonic() - self._begun) / 60,
            engine_mb=engine.memory_info().rss / MB,
            supervisor_mb=psutil.Process(self._agent.pid).memory_info().rss / MB,
            files=engine.num_fds() if hasattr(engine, "num_fds") else engine.num_handles(),
            threads=engine.num_threads(),
            answered=self.counts.total(),
            failed=self.failures.total(),
        )


def _print_row(sample: Sample) -> None:
    values = [getattr(sample, each.name) for each in fields(sample)]
    shown = [f"{value:.1f}" if isinstance(value, float) else str(value) for value in values]
    sys.stdout.write(" | ".join(f"{text:>13}" for text in shown) + "\n")
    sys.stdout.flush()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=10.0, help="exchanges a second (default %(default)s)")
    parser.add_argument("--every", type=float, default=15.0, help="seconds between samples")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "policy.yaml").write_text(POLICY)
        authority = Authority(directory)
        with Provider(directory, hosts=HOSTS, authority=authority, sockets=SocketServices()) as provider:
            provider.script("/v1/files", Canned(body=b'{"id": "file-1"}'))
            agent = AgentProcess(
                directory,
                upstreams=dict.fromkeys(HOSTS, provider.port),
                ca_file=authority.ca_file,
                policy=directory / "policy.yaml",
                environ={"DRAWBRIDGE_LOG_LEVEL": "warning"},
                supervise=(),
            )
            with agent:
                sys.stdout.write(" | ".join(f"{each.name:>13}" for each in fields(Sample)) + "\n")
                soak = Soak(agent, provider, Client(agent), minutes=given.minutes, rate=given.rate)
                soak.run(every=given.every)
                whole = agent.trail.verify()
    sys.stdout.write(f"\nanswered: {dict(soak.counts)}\nfailed: {dict(soak.failures)}\n")
    for of in ("engine_mb", "supervisor_mb", "files", "threads"):
        sys.stdout.write(f"slope of {of}: {slope(soak.samples, of):+.2f} an hour\n")
    sys.stdout.write(f"audit chain: {'whole' if whole.ok else whole.problem}, {whole.events} events\n")
    return 0 if whole.ok and not soak.failures else 1


if __name__ == "__main__":
    sys.exit(main())
