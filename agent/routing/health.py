"""How providers and keys fare: errors, waiting times, limits and circuits, in bounded memory. Knows no clock.

A *route* is a provider, one of its keys and a model. What is learnt here moves a route back in the order in which
routes are tried; nothing here ever forbids one: where all are bad, trying beats refusing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import exp2

from agent.routing.failures import BLAMELESS, Cause, Failure
from agent.routing.pace import NO_PEERS, Pace, Peers

type Route = tuple[str, str, str]
"""Provider id, name of the key, model."""


class State(StrEnum):
    """How a route or provider is."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"  # serves, but fails or lags: gets less
    FAILED = "failed"  # its circuit is open: tried only where nobody else can serve
    RECOVERING = "recovering"  # one request at a time tries whether it is back


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Where the lines are drawn. Times are seconds."""

    half_life: float = 30.0  # after it an error counts half
    open_after: int = 5  # failures in a row that open a route's circuit
    open_share: float = 0.5  # or this share of failures, of at least `open_tries` recent tries
    open_tries: float = 8.0
    provider_after: int = 10  # failures in a row, over all keys and models, that open a provider's
    open_for: float = 10.0  # doubles with each probe that fails
    open_longest: float = 120.0
    close_after: int = 2  # probes that must be answered
    degraded_share: float = 0.1
    limited_for: float = 5.0  # after a 429 that names no time; doubles while they go on
    refused_for: float = 30.0  # after a key was refused
    floor: float = 0.05  # the least score of a route that may be tried
    capacity: int = 2048  # routes remembered


DEFAULT_TUNING = Tuning()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fared:
    """What is known of a route, or, with empty `key` and `model`, of a provider."""

    provider: str
    key: str = ""
    model: str = ""
    state: State = State.HEALTHY
    error_share: float = 0.0  # recent
    score: float = 1.0
    first_token_ms: float = 0.0  # 0 where not known
    chunks_per_second: float = 0.0
    running: int = 0  # requests under way with the key
    cooling_seconds: float = 0.0  # until its limit is over


class HealthBook:
    """One for the whole gateway; used by one thread."""

    def __init__(self, tuning: Tuning = DEFAULT_TUNING) -> None:
        self._tuning = tuning
        self._routes: OrderedDict[Route, _Record] = OrderedDict()
        self._providers: dict[str, _Record] = {}
        self._running: dict[tuple[str, str], int] = {}

    # What the choice asks

    def usable(self, route: Route, now: float) -> bool:
        """Whether a request may go there now: no limit, no open circuit, no probe that is still out."""
        provider = self._providers.get(route[0])
        if provider is not None and not provider.admits(now):
            return False
        record = self._routes.get(route)
        return record is None or (record.cool_until <= now and record.admits(now))

    def is_full(self, provider: str, key: str, limit: int | None) -> bool:
        """Whether the key has as many requests under way as it may."""
        return limit is not None and self._running.get((provider, key), 0) >= limit

    def peers(self, routes: Iterable[Route]) -> Peers:
        """The best waiting time and speed among these, which a score compares with."""
        first, speed = 0.0, 0.0
        for route in routes:
            if (record := self._routes.get(route)) is None:
                continue
            if record.first.known and (not first or record.first.value < first):
                first = record.first.value
            if record.speed.known:
                speed = max(speed, record.speed.value)
        return Peers(first=first, speed=speed)

    def score(self, route: Route, now: float, *, peers: Peers = NO_PEERS, limit: int | None = None) -> float:
        """From 0 (not to be tried now) to 1: how much of its weight a route deserves."""
        if not self.usable(route, now):
            return 0.0
        record = self._routes.get(route)
        provider = self._providers.get(route[0])
        judged = record or provider
        running = self._running.get(route[:2], 0)
        room = 1.0 / (1.0 + 0.05 * running) if limit is None else max(1.0 - 0.9 * running / limit, 0.0)
        if judged is None:
            return max(room, self._tuning.floor)
        if judged.opened is not None or (provider is not None and provider.opened is not None):
            return self._tuning.floor
        share = judged.share(now, self._tuning.half_life)
        value = (1.0 - share) ** 3 * room
        if record is not None:
            value *= record.first.lag(peers.first) * record.speed.loss(peers.speed)
        return max(value, self._tuning.floor)

    def state(self, route: Route, now: float) -> State:
        """How the route is."""
        record = self._routes.get(route)
        return State.HEALTHY if record is None else record.state(now, self._tuning)

    def provider_state(self, provider: str, now: float) -> State:
        """How the provider is, over all its keys and models."""
        record = self._providers.get(provider)
        return State.HEALTHY if record is None else record.state(now, self._tuning)

    # What the dispatcher reports

    def began(self, route: Route, now: float, limit: int | None = None) -> bool:
        """A request wants to go there. False where the key is full; else `released` is owed."""
        place = route[:2]
        running = self._running.get(place, 0)
        if limit is not None and running >= limit:
            return False
        self._running[place] = running + 1
        for record in (self._routes.get(route), self._providers.get(route[0])):
            if record is not None and record.opened is not None and record.opened <= now:
                record.probing = True
        return True

    def released(self, route: Route) -> None:
        """The request is over, however it ended."""
        place = route[:2]
        running = self._running.get(place, 0) - 1
        if running > 0:
            self._running[place] = running
        else:
            self._running.pop(place, None)
        for record in (self._routes.get(route), self._providers.get(route[0])):
            if record is not None:
                record.probing = False

    def answered(self, route: Route, now: float, *, first_ms: float | None = None, tokens: int = 0) -> None:
        """The request is being answered. `first_ms`: until the first content of a stream; `tokens` of its input, since
        long prompts take longer."""
        record = self._record(route)
        for each in (record, self._provider(route[0])):
            each.answered(now, self._tuning)
        if first_ms is not None:
            record.first.note(first_ms / (1.0 + tokens / 20_000))

    def streamed(self, route: Route, *, chunks_per_second: float) -> None:
        """A stream has ended in order."""
        self._record(route).speed.note(chunks_per_second)

    def failed(self, route: Route, failure: Failure, now: float) -> None:
        """The request came to nothing, or its answer broke off."""
        cause = failure.cause
        if cause in BLAMELESS:
            return
        record, tuning = self._record(route), self._tuning
        if cause is Cause.RATE_LIMITED:
            usual = tuning.limited_for * (1 << min(record.limits, 5))
            record.limits += 1
            record.cool_until = max(record.cool_until, now + (failure.retry_after or usual))
        elif cause in (Cause.CREDENTIALS, Cause.EXHAUSTED):
            record.cool_until = max(record.cool_until, now + tuning.refused_for)
        else:
            record.failed(now, tuning, after=tuning.open_after)
            self._provider(route[0]).failed(now, tuning, after=tuning.provider_after)

    # For status pages and metrics

    def snapshot(self, now: float) -> tuple[Fared, ...]:
        """Every provider and route that is remembered."""
        providers = (
            Fared(
                provider=name,
                state=record.state(now, self._tuning),
                error_share=record.share(now, self._tuning.half_life),
                running=sum(count for (at, _), count in self._running.items() if at == name),
            )
            for name, record in self._providers.items()
        )
        routes = (
            Fared(
                provider=route[0],
                key=route[1],
                model=route[2],
                state=record.state(now, self._tuning),
                error_share=record.share(now, self._tuning.half_life),
                score=self.score(route, now),
                first_token_ms=record.first.value,
                chunks_per_second=record.speed.value,
                running=self._running.get(route[:2], 0),
                cooling_seconds=max(record.cool_until - now, 0.0),
            )
            for route, record in self._routes.items()
        )
        return (*providers, *routes)

    # Inside

    def _record(self, route: Route) -> _Record:
        found = self._routes.get(route)
        if found is None:
            found = self._routes[route] = _Record()
            if len(self._routes) > self._tuning.capacity:
                self._routes.popitem(last=False)
        self._routes.move_to_end(route)
        return found

    def _provider(self, name: str) -> _Record:
        found = self._providers.get(name)
        if found is None:
            if len(self._providers) >= self._tuning.capacity:
                self._providers.clear()  # more providers than a policy can name: nothing of value
            found = self._providers[name] = _Record()
        return found


class _Record:
    """Of one route or provider. Counts halve with each half-life."""

    __slots__ = (
        "cool_until",
        "errors",
        "first",
        "limits",
        "noted_at",
        "open_for",
        "opened",
        "probes",
        "probing",
        "row",
        "speed",
        "tries",
    )

    def __init__(self) -> None:
        self.tries = 0.0
        self.errors = 0.0
        self.noted_at = 0.0
        self.row = 0  # failures since the last answer
        self.opened: float | None = None  # the circuit is open until then, and then half open
        self.open_for = 0.0
        self.probing = False
        self.probes = 0  # answered while half open
        self.cool_until = 0.0
        self.limits = 0  # 429s since the last answer
        self.first = Pace()
        self.speed = Pace()

    def admits(self, now: float) -> bool:
        return self.opened is None or (self.opened <= now and not self.probing)

    def share(self, now: float, half_life: float) -> float:
        """The share of errors, one good try assumed."""
        faded = exp2((self.noted_at - now) / half_life)
        return self.errors * faded / (self.tries * faded + 1.0)

    def state(self, now: float, tuning: Tuning) -> State:
        if self.opened is not None:
            return State.FAILED if self.opened > now else State.RECOVERING
        if self.share(now, tuning.half_life) >= tuning.degraded_share or self.first.lag(0.0) < 0.6:
            return State.DEGRADED
        return State.HEALTHY

    def answered(self, now: float, tuning: Tuning) -> None:
        self._fade(now, tuning)
        self.tries += 1.0
        self.row = self.limits = 0
        if self.opened is not None:
            self.probing = False
            self.probes += 1
            if self.probes >= tuning.close_after:
                self.opened, self.open_for, self.errors = None, 0.0, 0.0

    def failed(self, now: float, tuning: Tuning, *, after: int) -> None:
        self._fade(now, tuning)
        self.tries += 1.0
        self.errors += 1.0
        self.row += 1
        many = self.tries >= tuning.open_tries and self.errors >= tuning.open_share * self.tries
        if self.opened is not None and self.opened > now:
            self.probes = 0  # who was tried all the same, for want of others
            return
        if self.opened is not None or self.row >= after or many:
            doubled = min(self.open_for * 2.0, tuning.open_longest)
            self.open_for = doubled if self.opened is not None else tuning.open_for
            self.opened = now + self.open_for
            self.probes = 0
            self.probing = False

    def _fade(self, now: float, tuning: Tuning) -> None:
        if now > self.noted_at:
            faded = exp2((self.noted_at - now) / tuning.half_life)
            self.tries *= faded
            self.errors *= faded
            self.noted_at = now
