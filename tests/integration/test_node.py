"""A central node with workers: budgets hold across them, a dead one is replaced, an end has its order."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from agent.accounts.accounts import Accounts
from agent.accounts.keys import hashed, new_key
from agent.accounts.stores import store_for
from agent.central.orders import worker_paths
from agent.policy import load
from tests.fakes.accounts import RedisAt
from tests.fakes.database import no_postgres, postgres_server
from tests.fakes.misbehaviour import Canned
from tests.fakes.provider import Provider
from tests.fakes.tls import Authority
from tests.integration.agent_process import wait_until
from tests.integration.line import Answer, Line
from tests.integration.node_process import NodeProcess
from tests.integration.prompts import CHAT

KEY = new_key()
SHOWN = {"Authorization": f"Bearer {KEY}"}
CHUNK = b'data: {"choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n'

POLICY = """\
schema_version: 1
id: node
providers:
  openai: {{base_url: "http://127.0.0.1:{provider}", key: "env:HOUSE_KEY"}}
accounts:
  store: {{url: "{redis}", lease_seconds: 5, offline_seconds: {offline}}}
  {history}
  virtual_keys:
    - id: team
      hash: "{hash}"
      budgets: [{{tokens: {budget}, per: day}}]
"""


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The provider."""
    with Provider(tmp_path_factory.mktemp("provider"), tls=False) as provider:
        yield provider


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisAt]:
    """The shared store, empty."""
    with RedisAt(tmp_path) as server:
        yield server


def node(
    directory: Path,
    upstream: Provider,
    redis: RedisAt,
    *options: str,
    workers: int = 2,
    budget: int = 1_000_000,
    offline: int = 0,
    history: str = "",
) -> NodeProcess:
    """A node with a shared store, not started."""
    upstream.reset()
    house = directory / "node"
    house.mkdir()
    policy = POLICY.format(
        provider=upstream.port,
        redis=redis.url,
        offline=offline,
        hash=hashed(KEY),
        budget=budget,
        history=f"history: {{url: '{history}', tls: off}}" if history else "",
    )
    return NodeProcess(
        house,
        policy=policy,
        ca_file=upstream.ca_file,
        workers=workers,
        environ={"HOUSE_KEY": "sk-house"},
        options=("--drain-seconds", "1", *options),
    )


def chat(text: str = "hello there", **more: object) -> bytes:
    said = [{"role": "user", "content": text}]
    return json.dumps({"model": "openai/gpt-4o", "max_tokens": 60, "messages": said, **more}).encode()


def ask(node: NodeProcess, body: bytes | None = None) -> Answer:
    return node.ask("POST", "/v1/chat/completions", body or chat(), SHOWN)


def used(node: NodeProcess) -> int:
    """What the shared store holds of the key's budget."""
    section = load((node.directory / "policy.yaml").read_text(), source="p.yaml").accounts
    assert section is not None

    async def read() -> int:
        accounts = Accounts(section, store=store_for(section, state=node.directory, secret=str))
        await accounts.open()
        try:
            report = await accounts.quota("team", time.time(), history=False)
        finally:
            await accounts.close()
        assert report is not None
        return report.meters[0][1].used

    return asyncio.run(read())


def samples(node: NodeProcess, name: str) -> dict[str, float]:
    """A metric by worker."""
    page = node.as_owner("GET", "/metrics").text
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(page):
        for each in family.samples:
            if each.name == name:
                worker = each.labels.get("worker", "")
                found[worker] = found.get(worker, 0) + each.value
    return found


def test_budgets_are_exact_across_workers(tmp_path: Path, upstream: Provider, redis: RedisAt) -> None:
    budget = 2000
    with node(tmp_path, upstream, redis, budget=budget) as gate:
        assert gate.ask("POST", "/v1/chat/completions", chat()).status == 401
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ask(gate), range(120)))
        served = [answer for answer in answers if answer.status == 200]
        assert {answer.status for answer in answers} == {200, 402}
        spent = sum(answer.document["usage"]["total_tokens"] for answer in served)  # type: ignore[index]
        assert used(gate) == spent <= budget
        counted = samples(gate, "drawbridge_requests_total")
        assert sum(counted.values()) == 121
        assert sorted(counted) == ["0", "1"], "both workers take clients"
        assert samples(gate, "drawbridge_worker_up") == {"0": 1, "1": 1}
    assert sum(len(gate.trail_of(number).events(kind="exchange", limit=1000)) for number in (0, 1)) == 121
    assert all(gate.trail_of(number).verify().ok for number in (0, 1))


def test_a_killed_worker_comes_back_and_nothing_settled_is_lost(
    tmp_path: Path, upstream: Provider, redis: RedisAt
) -> None:
    with node(tmp_path, upstream, redis) as gate:
        for _ in range(20):
            assert ask(gate).status == 200
        before, members = used(gate), gate.members
        os.kill(members[0], signal.SIGKILL)
        assert all(ask(gate).status == 200 for _ in range(5)), "the other one goes on meanwhile"
        wait_until(lambda: gate.members.get(0, members[0]) != members[0], "a new worker", seconds=15)
        wait_until(
            lambda: samples(gate, "drawbridge_worker_up") == {"0": 1, "1": 1}, "both to answer", seconds=20
        )
        assert gate.members[1] == members[1]
        assert used(gate) == before * 25 // 20
        kept = sum(len(gate.trail_of(number).events(kind="exchange", limit=1000)) for number in (0, 1))
        assert kept == 25
    assert all(gate.trail_of(number).verify().ok for number in (0, 1))
    assert "worker 0 ended (exit code -9)" in gate.log


def told(state: Path, *words: str) -> dict[str, object]:
    """What a command says of a node or worker, as JSON."""
    command = [sys.executable, "-m", "agent", *words, "--json", "--state-dir", str(state)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_commands_tell_what_passes_through_it(
    tmp_path: Path, upstream: Provider, redis: RedisAt, workers: int
) -> None:
    with node(tmp_path, upstream, redis, workers=workers) as gate:
        assert all(ask(gate).status == 200 for _ in range(4))
        root = gate.paths.root
        states = (
            [root] if workers == 1 else [worker_paths(gate.paths, number).root for number in range(workers)]
        )
        assert {told(state, "status")["state"] for state in states} == {"serving"}
        lines = [line for state in states for line in told(state, "top")["exchanges"]]  # type: ignore[attr-defined]
        assert [(line["virtual_key"], line["outcome"]) for line in lines] == [("team", "completed")] * 4


class Stream:
    """An answer that streams, read in the background."""

    def __init__(self, gate: NodeProcess) -> None:
        self.line: Line = gate.line()
        fields = (("Content-Type", "application/json"), *SHOWN.items())
        self.line.request("POST", "/v1/chat/completions", chat(stream=True), fields=fields)
        self.answer: Answer | None = None
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        self.answer = self.line.answer()

    def result(self) -> Answer:
        self._thread.join(20)
        self.line.close()
        assert self.answer is not None
        return self.answer


@pytest.mark.parametrize("how", ["signal", "page"])
@pytest.mark.parametrize("workers", [1, 2])
def test_an_end_says_so_takes_no_more_and_finishes_what_runs(
    tmp_path: Path, upstream: Provider, redis: RedisAt, workers: int, how: str
) -> None:
    words = [b"word%d " % number for number in range(12)]
    events = ((b"content-type", b"text/event-stream"),)
    gate = node(tmp_path, upstream, redis, workers=workers).start()
    script = Canned(headers=events, body=(*(CHUNK % word for word in words), b"data: [DONE]\n\n"), pause=0.25)
    upstream.script("/v1/chat/completions", script)
    try:
        stream = Stream(gate)
        upstream.wait_for_requests(1)
        assert gate.is_ready()
        if how == "signal":
            gate.signal(signal.SIGTERM)
        else:
            assert gate.ask("POST", "/-/drain").status == 401
            assert gate.as_owner("POST", "/-/drain").status == 202
        wait_until(lambda: not gate.is_ready(), "the load balancer to be told")
        assert gate.ask("GET", "/healthz").status == 200, "it serves on while they hear it"
        wait_until(lambda: refused(gate), "the listener to close")
        answer = stream.result()
        assert (answer.status, answer.whole) == (200, True)
        assert CHAT.streamed(answer.body).split() == b"".join(words).decode().split()
        assert gate.wait() == 0
    finally:
        gate.kill()
    assert "Traceback" not in gate.log


def refused(gate: NodeProcess) -> bool:
    try:
        gate.line().close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_second_signal_cuts_what_runs(tmp_path: Path, upstream: Provider, redis: RedisAt) -> None:
    events = ((b"content-type", b"text/event-stream"),)
    gate = node(tmp_path, upstream, redis).start()
    upstream.script("/v1/chat/completions", Canned(headers=events, body=(CHUNK % b"word ",) * 100, pause=0.3))
    try:
        stream = Stream(gate)
        upstream.wait_for_requests(1)
        gate.signal(signal.SIGTERM)
        time.sleep(0.5)
        gate.signal(signal.SIGTERM)
        assert gate.wait(10) == 0
        assert not stream.result().whole
    finally:
        gate.kill()


def test_not_ready_while_the_shared_store_is_away(tmp_path: Path, upstream: Provider, redis: RedisAt) -> None:
    with node(tmp_path, upstream, redis) as gate:
        assert ask(gate).status == 200
        redis.stop()
        wait_until(lambda: not gate.is_ready(), "it to say so", seconds=10)
        assert ask(gate).status == 503
        assert gate.ask("GET", "/healthz").status == 200
        redis.start()
        wait_until(gate.is_ready, "it to be ready again", seconds=35)
        # each worker finds out by itself
        wait_until(lambda: all(ask(gate).status == 200 for _ in range(4)), "both to serve again", seconds=35)


def test_without_the_store_it_stays_ready_for_as_long_as_it_may(
    tmp_path: Path, upstream: Provider, redis: RedisAt
) -> None:
    with node(tmp_path, upstream, redis, offline=900) as gate:
        for _ in range(4):
            assert ask(gate).status == 200
        redis.stop()
        time.sleep(3)
        assert gate.is_ready()


def test_workers_end_when_their_parent_is_killed(tmp_path: Path, upstream: Provider, redis: RedisAt) -> None:
    gate = node(tmp_path, upstream, redis).start()
    members = [psutil.Process(pid) for pid in gate.members.values()]
    try:
        os.kill(gate.pid, signal.SIGKILL)
        _, left = psutil.wait_procs(members, timeout=15)
        assert left == []
    finally:
        for each in members:
            if each.is_running():
                each.kill()
        gate.kill()


def test_a_policy_that_breaks_the_terms_is_refused_and_the_one_in_force_stays(
    tmp_path: Path, upstream: Provider, redis: RedisAt
) -> None:
    with node(tmp_path, upstream, redis) as gate:
        file = gate.directory / "policy.yaml"
        text = file.read_text()
        file.write_text(
            text.replace(f'url: "{redis.url}", lease_seconds: 5, offline_seconds: 0', "url: sqlite")
        )
        gate.signal(signal.SIGHUP)
        wait_until(lambda: gate.log.count("the policy was refused") == 2, "both to refuse it")
        assert ask(gate).status == 200
        file.write_text(text.replace("id: node", "id: renamed"))
        gate.signal(signal.SIGHUP)
        wait_until(lambda: gate.log.count("policy renamed revision 0 is in force") == 2, "both to take it")


def test_its_own_certificate_is_read_again(tmp_path: Path, upstream: Provider, redis: RedisAt) -> None:
    authority = Authority(tmp_path)
    leaf = authority.leaf("localhost")
    chain, key = tmp_path / "node.pem", tmp_path / "node.key"
    chain.write_bytes(leaf.chain_file.read_bytes())
    key.write_bytes(leaf.key_file.read_bytes())
    options = ("--tls-cert", str(chain), "--tls-key", str(key))
    with node(tmp_path, upstream, redis, *options) as gate:

        def secured() -> Line:
            return Line.secured(gate.line().sock, authority.client_context(), "localhost")

        with secured() as line:
            fields = (("Content-Type", "application/json"), *SHOWN.items())
            assert line.ask("POST", "/v1/chat/completions", chat(), fields=fields).status == 200
            first = line.certificate.serial_number
        fresh = authority.leaf("localhost")
        chain.write_bytes(fresh.chain_file.read_bytes())
        key.write_bytes(fresh.key_file.read_bytes())
        gate.signal(signal.SIGHUP)

        def replaced() -> bool:
            with secured() as line:
                return line.certificate.serial_number != first

        wait_until(replaced, "the new certificate")


def test_it_is_called_by_names_it_knows(tmp_path: Path, upstream: Provider, redis: RedisAt) -> None:
    with (
        node(tmp_path, upstream, redis, "--allowed-host", "llm.example.com", workers=1) as gate,
        gate.line() as line,
    ):
        assert line.ask("GET", "/readyz", host="llm.example.com").status == 200
        assert line.ask("GET", "/readyz", host="evil.example").status == 403
        assert line.ask("GET", "/readyz", fields=(("Origin", "http://127.0.0.1"),)).status == 403


@pytest.mark.skipif(bool(no_postgres()), reason=no_postgres() or "there is one")
def test_usage_reaches_the_history(tmp_path: Path, upstream: Provider, redis: RedisAt) -> None:
    with postgres_server() as url:
        with node(tmp_path, upstream, redis, history=url) as gate:
            for _ in range(10):
                assert ask(gate).status == 200
            spent = used_tokens(redis)
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "SELECT key, model, requests, input_tokens + output_tokens FROM drawbridge_usage"
            )
            assert rows.fetchall() == [("team", "openai/gpt-4o", 10, spent)]


def used_tokens(redis: RedisAt) -> int:
    """By the history that the shared store keeps itself."""
    with Redis(port=redis.port, decode_responses=True) as client:
        found = [client.hgetall(key) for key in client.keys("drawbridge:*:u:*")]
    return sum(
        int(value)
        for each in found
        for name, value in each.items()  # type: ignore[union-attr]
        if name.startswith(("input_tokens:", "output_tokens:"))
    )
