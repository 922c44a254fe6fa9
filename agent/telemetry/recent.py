"""The last exchanges and those that run, in memory, for people who watch: metadata only, bounded."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, takewhile

from agent.model.decision import Action
from agent.model.direct import direct
from agent.model.record import CacheUse, Exchange, Outcome
from agent.model.traffic import Connection
from agent.telemetry.facts import account_of, failure_of, model_of, pace_of, program_of, provider_of
from agent.telemetry.labels import cleaned

CAPACITY = 500  # exchanges that are kept
WINDOW_SECONDS = 60.0  # of which rates and percentiles tell
_MOST_RUNNING = 200
_MOST_WITHIN = 3
_MOST_RULES = 5
_LONGEST_ERROR = 300  # characters


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One exchange that has ended, as a line of a table."""

    number: int  # counts up from 1 while the agent runs
    id: str
    at: float  # Unix seconds when it began
    ended: float
    app: str  # with a question mark where only the request says so
    within: tuple[str, ...]  # apps that started it, the nearest first
    user: str  # account of this machine that runs it
    account: str
    provider: str
    model: str
    operation: str
    virtual_key: str
    outcome: str
    failure: str  # class of error, empty where there was none
    error: str  # in our words
    status: int | None
    action: str
    reason: str  # of the decision, in words
    rules: tuple[str, ...]  # of the policy, that decided
    applied: bool  # whether the decision was carried out
    findings: tuple[tuple[str, int], ...]  # family/type and how often
    input_tokens: int | None
    output_tokens: int | None
    cost_nano_usd: int | None
    cache: str
    attempts: int
    stream: bool
    first_token_ms: float | None
    total_ms: float
    overhead_ms: float


@dataclass(slots=True, kw_only=True)
class Running:
    """One exchange that is under way. Whoever carries it may add what becomes known."""

    at: float
    app: str
    user: str = ""
    host: str
    path: str
    model: str = ""
    answering: Callable[[], bool]  # whether the answer has begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The last minute in numbers, and the day's spending."""

    exchanges: int
    failed: int
    blocked: int
    per_second: float
    p50_ms: float | None
    p95_ms: float | None
    overhead_p50_ms: float | None
    overhead_p95_ms: float | None
    tokens_per_second: float
    spent_today_nano_usd: int


type _Kept = tuple[int, float, Exchange]  # number, when it ended, without content


class _Run(AbstractContextManager[Running]):
    """Shows one exchange among those that run."""

    __slots__ = ("_number", "_one", "_running")

    def __init__(self, running: dict[int, Running], number: int, one: Running) -> None:
        self._running = running
        self._number = number
        self._one = one

    def __enter__(self) -> Running:
        self._running[self._number] = self._one
        return self._one

    def __exit__(self, *exc: object) -> None:
        del self._running[self._number]


class Recent:
    """Remembers. For one thread, the event loop's."""

    def __init__(self, *, clock: Callable[[], float] = time.time, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._kept: deque[_Kept] = deque(maxlen=capacity)
        self._running: dict[int, Running] = {}
        self._number = 0
        self._begun = 0
        self._began = clock()
        self._tomorrow = 0.0
        self._spent = 0

    def running(
        self, connection: Connection, *, host: str, path: str, answering: Callable[[], bool]
    ) -> AbstractContextManager[Running]:
        """An exchange that runs while the context is open."""
        process = connection.process
        self._begun += 1
        one = Running(
            at=self._clock(),
            app=cleaned(connection.app or (process.name if process else "")),
            user=cleaned(process.user if process else ""),
            host=cleaned(connection.connect_host or host),
            path=cleaned(path),
            answering=answering,
        )
        return _Run(self._running, self._begun, one)

    def add(self, exchange: Exchange) -> None:
        """Remember an exchange that has ended. Lines are written when somebody looks."""
        self._number += 1
        now = self._clock()
        if exchange.prompt or exchange.answer:
            exchange = replace(exchange, prompt="", answer="")
        self._kept.append((self._number, now, exchange))
        if cost := exchange.served.cost_nano_usd:
            if now >= self._tomorrow:
                self._turn_page(now)
            self._spent += cost

    def since(self, cursor: int, *, limit: int = CAPACITY) -> tuple[Line, ...]:
        """The newest `limit` of the exchanges that ended after the one of that number, oldest first."""
        new = min(self._number - cursor, len(self._kept), limit)
        kept = islice(self._kept, len(self._kept) - new, None) if new > 0 else ()
        return tuple(_line(exchange, number, ended) for number, ended, exchange in kept)

    @property
    def latest(self) -> int:
        """The number of the newest line, 0 where there is none."""
        return self._number

    @property
    def in_flight(self) -> int:
        """How many exchanges run."""
        return len(self._running)

    @property
    def streams_open(self) -> int:
        """How many answers are being written."""
        return sum(one.answering() for one in self._running.values())

    def under_way(self) -> list[dict[str, object]]:
        """The exchanges that run, the oldest first."""
        return [
            {
                "at": one.at,
                "app": one.app,
                "user": one.user,
                "host": one.host,
                "path": one.path,
                "model": one.model,
                "answering": one.answering(),
            }
            for one in islice(self._running.values(), _MOST_RUNNING)
        ]

    def summary(self) -> Summary:
        """The last minute."""
        now = self._clock()
        if now >= self._tomorrow:
            self._turn_page(now)
        kept = [*takewhile(lambda each: each[1] >= now - WINDOW_SECONDS, reversed(self._kept))]
        # the agent may be younger, and a full memory may not reach back that far: then the time it covers counts
        full = len(kept) == self._kept.maxlen
        covered = now - (kept[-1][1] if full else self._began)
        seconds = min(max(covered, 0.001 if full else 1.0), WINDOW_SECONDS)
        exchanges = [exchange for _, _, exchange in kept]
        totals = sorted(each.timing.total_ms for each in exchanges if each.operation)
        overheads = sorted(each.timing.overhead_ms for each in exchanges if each.operation)
        return Summary(
            exchanges=len(exchanges),
            failed=sum(bool(failure_of(each)) for each in exchanges),
            blocked=sum(each.outcome is Outcome.BLOCKED for each in exchanges),
            per_second=len(exchanges) / seconds,
            p50_ms=_percentile(totals, 0.5),
            p95_ms=_percentile(totals, 0.95),
            overhead_p50_ms=_percentile(overheads, 0.5),
            overhead_p95_ms=_percentile(overheads, 0.95),
            tokens_per_second=sum(each.usage.output_tokens or 0 for each in exchanges) / seconds,
            spent_today_nano_usd=self._spent,
        )

    def _turn_page(self, now: float) -> None:
        """Spending is that of a calendar day of this machine."""
        today = datetime.fromtimestamp(now).astimezone().date()
        midnight = datetime.combine(today + timedelta(days=1), datetime.min.time()).astimezone()
        self._tomorrow, self._spent = midnight.timestamp(), 0


def as_json(line: Line) -> dict[str, object]:
    """A line for the local page."""
    return asdict(line)


def _line(exchange: Exchange, number: int, now: float) -> Line:
    decision, usage, served = exchange.decision, exchange.usage, exchange.served
    found: Counter[str] = Counter()
    for hit in decision.hits:
        if hit.action is not Action.ALLOW:
            found[f"{hit.family}/{hit.type}"] += hit.count
    return Line(
        number=number,
        id=exchange.id,
        at=exchange.started_at,
        ended=now,
        app=cleaned(program_of(exchange)),
        within=tuple(map(cleaned, exchange.asker.within[:_MOST_WITHIN])),
        user=cleaned(process.user if (process := exchange.connection.process) is not None else ""),
        account=cleaned(account_of(exchange)),
        provider=cleaned(provider_of(exchange)),
        model=cleaned(model_of(exchange)),
        operation=exchange.operation,
        virtual_key=served.virtual_key,
        outcome=exchange.outcome.value,
        failure=failure_of(exchange),
        error=exchange.error[:_LONGEST_ERROR],
        status=exchange.status,
        action=decision.action.word,
        reason=decision.reason,
        rules=decision.rule_ids[:_MOST_RULES],
        applied=decision.applied,
        findings=tuple(found.most_common(5)),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_nano_usd=served.cost_nano_usd,
        cache=served.cache.value if served.cache is not CacheUse.NONE else "",
        attempts=len(served.attempts),
        stream=exchange.stream,
        first_token_ms=first * 1e3 if (first := pace_of(exchange).first) is not None else None,
        total_ms=exchange.timing.total_ms,
        overhead_ms=exchange.timing.overhead_ms,
    )


def _percentile(ordered: list[float], part: float) -> float | None:
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else None
