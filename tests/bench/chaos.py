"""Everything at once: providers that misbehave, clients that leave, budgets that run out; and whether the books agree.

    python -m tests.bench.chaos --requests 20000 --connections 100 --seed 7

One agent process before three providers in this process. Every request is judged by what its client heard, what the
providers know, what the audit trail, the accounts and the metrics say of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from agent.accounts.keys import hashed, new_key
from agent.accounts.ledgerfile import read_ledger
from agent.audit.store import open_for_reading
from tests.fakes.chaos_client import CHAT, GEMINI, MESSAGES, RESPONSES, Ask, Client, End, Heard, Leave, judged
from tests.fakes.chaos_provider import MIXED, ChaosProvider, Fault, Told, Truth, text_of
from tests.integration.agent_process import AgentProcess, wait_until

type Json = dict[str, object]

TOKEN = 10**6
"""Nano-dollars of each token, prompt or answer."""

WORST = 200
"""Tokens: no request here is reserved with more."""

ASSUMED = 64
"""The longest answer where the client sets no bound."""

TIGHT_TOKENS, TIGHT_USD = 4000, 4.0
BUDGETS = {
    "rich": "budgets: [{tokens: 1000000000, per: day}, {usd: 9000000, per: month}]",
    "tokens": f"budgets: [{{tokens: {TIGHT_TOKENS}, per: day}}]",
    "usd": f"budgets: [{{usd: {TIGHT_USD}, per: day}}]",
    "narrow": "budgets: [{tokens: 1000000000, per: day}], limits: {concurrency: 3}",
}
"""By virtual key."""

POLICY = """\
schema_version: 1
id: chaos
providers:
  alpha:
    uses: openai-compatible
    base_url: http://127.0.0.1:{alpha}/v1
    timeout_seconds: {silence}
    keys: [{{name: a1, key: "env:A1"}}, {{name: dead, key: "env:DEAD"}}, {{name: a2, key: "env:A2"}}]
  beta:
    uses: openai-compatible
    base_url: http://127.0.0.1:{beta}/v1
    timeout_seconds: {silence}
    key: "env:B1"
  gamma:
    uses: anthropic-compatible
    base_url: http://127.0.0.1:{gamma}
    timeout_seconds: {silence}
    keys: [{{name: dead, key: "env:DEAD"}}, {{name: g1, key: "env:G1"}}]
  gone:
    uses: openai-compatible
    base_url: http://127.0.0.1:{gone}/v1
    key: "env:B1"
models:
  pool: [alpha/m, beta/m, gamma/m]
prices:
  - {{models: ["*"], input: 1000, output: 1000}}
routing:
  retries: {{each: {each}, total: 5, backoff_initial_ms: 20, backoff_max_ms: 200}}
  budget_seconds: 8
  first_token_seconds: 1
  stall_seconds: 1
{routing}
accounts:
  require_key: true
  assumed_output_tokens: {assumed}
  teams:
    - {{id: everybody, budgets: [{{usd: 8000000, per: month}}]}}
  virtual_keys:
{keys}
{more}
"""

SECRETS = {"A1": "key-a1", "A2": "key-a2", "B1": "key-b1", "G1": "key-g1", "DEAD": "key-dead"}
_ROUTES: Sequence[tuple[int, str, tuple[str, ...]]] = (
    (45, "pool", ()),
    (15, "alpha/m", ("beta/m", "gamma/m")),
    (15, "gamma/m", ("alpha/m",)),
    (15, "beta/m", ()),
    (10, "gone/m", ("gamma/m", "beta/m")),
)
"""Share, model, fallbacks."""


@dataclass(slots=True, kw_only=True)
class House:
    """An agent before its providers."""

    agent: AgentProcess
    truth: Truth
    providers: Mapping[str, ChaosProvider]
    keys: Mapping[str, str]  # virtual keys by their id


@asynccontextmanager
async def house(
    directory: Path,
    *,
    seed: int = 1,
    shares: Mapping[Fault, int] = MIXED,
    routing: str = "",
    more: str = "",
    each: int = 2,
    silence: float = 1.5,
) -> AsyncIterator[House]:
    """The agent, started. `routing` and `more` are further lines of its policy, `each` its retries at a provider,
    `silence` the seconds that one may say nothing."""
    truth = Truth()
    keys = {name: new_key() for name in BUDGETS}
    dead = frozenset({SECRETS["DEAD"]})
    with socket.create_server(("127.0.0.1", 0)) as closed:
        gone = closed.getsockname()[1]
    async with AsyncExitStack() as running:
        providers = {}
        for name in ("alpha", "beta", "gamma"):
            dialect = "anthropic-messages" if name == "gamma" else "openai-chat"
            provider = ChaosProvider(name, truth, dialect=dialect, seed=seed, shares=shares, dead_keys=dead)
            providers[name] = await running.enter_async_context(provider)
        policy = directory / "policy.yaml"
        policy.write_text(
            POLICY.format(
                **{name: one.port for name, one in providers.items()},
                gone=gone,
                routing=routing,
                each=each,
                silence=silence,
                assumed=ASSUMED,
                keys="\n".join(
                    f'    - {{id: {name}, hash: "{hashed(keys[name])}", team: everybody, {row}}}'
                    for name, row in BUDGETS.items()
                ),
                more=more,
            )
        )
        agent = AgentProcess(directory, upstreams={}, ca_file=None, policy=policy, environ=SECRETS)
        await asyncio.to_thread(agent.start)
        try:
            yield House(agent=agent, truth=truth, providers=providers, keys=keys)
        except BaseException:
            await asyncio.to_thread(agent.kill)
            raise
        if agent.running:
            await asyncio.to_thread(agent.stop)


def asks(count: int, house: House, *, seed: int = 1, first: int = 0) -> list[Ask]:
    """Requests of all kinds."""
    lots = random.Random(seed)
    shares = [share for share, _, _ in _ROUTES]
    made = []
    for number in range(first, first + count):
        _, model, fallbacks = lots.choices(_ROUTES, shares)[0]
        leave = lots.choices(list(Leave), [88, 2, 6, 4])[0]
        made.append(
            Ask(
                number=number,
                dialect=lots.choice((CHAT, RESPONSES, MESSAGES, GEMINI)),
                model=model,
                key=house.keys[lots.choices(list(BUDGETS), [76, 8, 8, 8])[0]],
                stream=lots.random() < 0.6,
                fallbacks=fallbacks,
                max_tokens=lots.choice((None, 40)),
                session=lots.choice(("", "", f"s-{number % 7}")),
                leave=leave,
                after=lots.random() * 0.3,
            )
        )
    return made


async def load(port: int, asked: Sequence[Ask], *, connections: int = 50) -> list[Heard]:
    """Make the requests, so many at a time; what was heard, in their order."""
    heard: list[Heard] = []
    left = iter(asked)

    async def work() -> None:
        client = Client(port)
        for ask in left:
            heard.append(await client.ask(ask))
        client.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return sorted(heard, key=lambda each: each.ask.number)


# What the books say.


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One exchange as the trail has it."""

    request_id: str
    virtual_key: str
    outcome: str
    tokens: int  # charged
    counted: tuple[int, int]  # as the provider reported
    estimated: bool
    attempts: int


def entries(agent: AgentProcess) -> list[Entry]:
    """All of the trail."""
    with open_for_reading(agent.paths) as store:
        rows = store.connection.execute("SELECT body FROM event WHERE kind = 'exchange' ORDER BY seq")
        documents = [json.loads(row[0]) for row in rows]
    return [_entry(each) for each in documents]


def _entry(document: Json) -> Entry:
    more: dict[str, dict[str, object]] = document["unmapped"]  # type: ignore[assignment]
    served: Json = more["drawbridge"].get("served", {})  # type: ignore[assignment]
    attempts = served.get("attempts", ())
    return Entry(
        request_id=document["http_request"]["uid"],  # type: ignore[index]
        virtual_key=str(served.get("virtual_key", "")),
        outcome=str(more["drawbridge"]["outcome"]),
        tokens=int(served.get("cost_nano_usd", 0)) // TOKEN,  # type: ignore[call-overload]
        counted=(
            more.get("gen_ai.usage.input_tokens", 0),  # type: ignore[arg-type]
            more.get("gen_ai.usage.output_tokens", 0),
        ),
        estimated=bool(served.get("estimated")),
        attempts=len(attempts),  # type: ignore[arg-type]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """What the accounts have on the disk. `open` counts reservations."""

    tokens: Mapping[str, int]  # by virtual key, from the history
    nano_usd: Mapping[str, int]
    requests: Mapping[str, int]
    meters: Mapping[str, int]  # by id
    open: int


def accounts(agent: AgentProcess) -> Accounts:
    """As they are now."""
    path = agent.paths.root / "accounts" / "accounts.db"
    tokens, nano, requests = Counter[str](), Counter[str](), Counter[str]()
    with read_ledger(path) as file:
        meters = {meter: sum(slots.values()) for meter, slots in file.slots().items()}
        for key in BUDGETS:
            for use in file.history(key, 0):
                tokens[key] += use.input_tokens + use.output_tokens
                nano[key] += use.nano_usd
                requests[key] += use.requests
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        [count] = connection.execute("SELECT count(*) FROM open").fetchone()
    return Accounts(tokens=tokens, nano_usd=nano, requests=requests, meters=meters, open=count)


def metrics(agent: AgentProcess) -> Mapping[str, float]:
    """Sums over all labels, by the sample's name; tokens apart by kind."""
    with closing(HTTPConnection("127.0.0.1", agent.gateway_port, timeout=10)) as connection:
        token = agent.paths.control_token.read_text().strip()
        connection.request("GET", "/metrics", headers={"authorization": f"Bearer {token}"})
        page = connection.getresponse().read().decode()
    sums: Counter[str] = Counter()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            kind = sample.labels.get("kind", "")
            sums[f"{sample.name}/{kind}" if kind else sample.name] += sample.value  # type: ignore[assignment]
    return sums


async def settled(house: House) -> None:
    """Wait until nothing runs any more."""

    def still() -> bool:
        return house.agent.status()["exchanges_running"] == 0

    await asyncio.to_thread(wait_until, still, "all exchanges to end", seconds=15)
    deadline = time.monotonic() + 5
    while (house.truth.busy or accounts(house.agent).open) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)


# Whether they agree.


@dataclass(slots=True)
class Report:
    """What came of a run."""

    asked: int = 0
    seconds: float = 0.0
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[Fault] = field(default_factory=Counter)
    attempts: int = 0
    tokens: int = 0
    estimated: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ends = ", ".join(f"{count} {name.lower()}" for name, count in self.ends.most_common())
        faults = ", ".join(f"{count} {name}" for name, count in self.faults.most_common())
        lines = [
            f"{self.asked} requests in {self.seconds:.1f} s: {ends}",
            f"{self.attempts} tries; providers: {faults}",
            f"{self.tokens} tokens charged, of {self.estimated} requests estimated",
            f"{len(self.problems)} problems",
            *self.problems[:40],
        ]
        return "\n".join(lines)


def examine(house: House, heard: Sequence[Heard], report: Report, *, crashed: bool = False) -> None:
    """Compare what clients, providers and the trail say of each request, and the sums. `crashed`: the agent was killed
    meanwhile: clients may have lost answers with it, and its metrics begin anew."""
    trail: dict[str, list[Entry]] = {}
    for entry in entries(house.agent):
        trail.setdefault(entry.request_id, []).append(entry)
    report.faults = house.truth.faults()
    for each in heard:
        found = trail.get(each.ask.request_id, [])
        end, problem = _examined(house.truth, each, found, crashed=crashed)
        report.asked += 1
        report.ends[end.name] += 1
        report.attempts += sum(entry.attempts for entry in found)
        report.tokens += sum(entry.tokens for entry in found)
        report.estimated += sum(entry.estimated for entry in found)
        if problem:
            kind = f"{each.ask.dialect}{' stream' if each.ask.stream else ''} {each.ask.model}"
            told = [(one.number, one.provider, one.fault.value) for one in house.truth.of(each.ask.name)]
            report.problems.append(
                f"{each.ask.name} {kind} {each.ask.leave.name}: {problem}; {told}; {found}"
            )
    if not crashed:
        report.problems += _sums(house, [entry for few in trail.values() for entry in few])
    report.problems += _limits(house)


def _examined(truth: Truth, heard: Heard, found: Sequence[Entry], *, crashed: bool) -> tuple[End, str]:
    verdict = judged(heard)
    lost = verdict.end is End.LOST and not heard.stuck
    if verdict.problem and not (crashed and lost):
        return verdict.end, verdict.problem
    may_be_unknown = not heard.sent or (crashed and verdict.end in (End.LOST, End.LEFT))
    if len(found) != 1 and not (may_be_unknown and not found):
        return verdict.end, f"{len(found)} audit events"
    charged = sum(entry.tokens for entry in found)
    told = truth.told.get(heard.answer)
    problem = ""
    match verdict.end:
        case End.ANSWERED:
            problem = _answered(heard, verdict.text, told, found[0])
        case End.FAILED if verdict.began:
            problem = "" if 0 < charged <= WORST else f"{charged} tokens for a stream that broke"
        case End.FAILED:
            problem = f"{charged} tokens for an error" if charged else ""
        case _:
            problem = f"{charged} tokens" if charged > WORST else ""
    return verdict.end, problem


def _answered(heard: Heard, text: str, told: Told | None, entry: Entry) -> str:
    if told is None or told.ask != heard.ask.name:
        return "an answer to somebody else"
    if text != ("" if told.fault is Fault.SILENT else text_of(told)):
        return f"other words than the provider's: {text!r}"
    if told.bound is None or told.bound > ASSUMED:
        return f"the provider was told a bound of {told.bound}"
    if told.reported and (entry.tokens != told.input + told.output or entry.estimated):
        return f"{entry.tokens} tokens (estimated: {entry.estimated}), not {told.input} + {told.output}"
    return "" if 0 < entry.tokens <= WORST else f"{entry.tokens} tokens, unreported"


def _sums(house: House, trail: Sequence[Entry]) -> list[str]:
    """Trail, accounts and metrics add up to the same."""
    problems = []
    book = accounts(house.agent)
    for key in BUDGETS:
        tokens = sum(entry.tokens for entry in trail if entry.virtual_key == key)
        if not book.tokens.get(key, 0) == tokens == book.nano_usd.get(key, 0) // TOKEN:
            problems.append(
                f"{key}: the trail has {tokens} tokens, the accounts {book.tokens.get(key)} and "
                f"{book.nano_usd.get(key)} nano-dollars"
            )
    counted = metrics(house.agent)
    expected = {
        "drawbridge_requests_total": len(trail),
        "drawbridge_cost_usd_total": sum(entry.tokens for entry in trail) * TOKEN / 1e9,
        "drawbridge_tokens_total/input": sum(entry.counted[0] for entry in trail),
        "drawbridge_tokens_total/output": sum(entry.counted[1] for entry in trail),
        "drawbridge_attempts_total": sum(entry.attempts for entry in trail),
    }
    for name, value in expected.items():
        if abs(counted.get(name, 0.0) - value) > 1e-6 * max(1.0, value):
            problems.append(f"{name} is {counted.get(name)}, by the trail {value}")
    return problems


def _limits(house: House) -> list[str]:
    """No budget is passed, nothing stays reserved, nothing stays open."""
    problems = []
    book = accounts(house.agent)
    for key, most in (("tokens", TIGHT_TOKENS), ("usd", int(TIGHT_USD * 1e9) // TOKEN)):
        if book.tokens.get(key, 0) > most:
            problems.append(f"{key}: {book.tokens[key]} tokens of {most}")
    for meter, used in book.meters.items():
        if meter.startswith(("key/tokens/", "virtual_key/tokens/")) and used > TIGHT_TOKENS:
            problems.append(f"{meter}: {used}")
    if book.open:
        problems.append(f"{book.open} reservations stay open")
    if house.truth.busy or house.truth.open > 32 * len(house.providers):
        problems.append(f"{house.truth.busy} connections busy, {house.truth.open} open")
    log = house.agent.log
    problems += [f"the log says: {word}" for word in ("Traceback", "event lost", "crashed") if word in log]
    if not house.agent.trail.verify().ok:
        problems.append("the audit chain does not hold")
    return problems


async def soak(directory: Path, *, requests: int, connections: int, seed: int) -> Report:
    """One run."""
    report = Report()
    async with house(directory, seed=seed) as built:
        begun = time.monotonic()
        heard = await load(
            built.agent.gateway_port, asks(requests, built, seed=seed), connections=connections
        )
        report.seconds = time.monotonic() - begun
        await settled(built)
        examine(built, heard, report)
    return report


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        report = asyncio.run(
            soak(
                Path(directory),
                requests=given.requests,
                connections=given.connections,
                seed=given.seed,
            )
        )
    print(report)
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
