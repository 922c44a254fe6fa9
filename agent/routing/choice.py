"""Which candidates a request is tried with, and in which order: shares by weight and health, sessions kept together.

Equals are put in an order by weighted lots. A session draws its lots from a hash of its name and theirs (weighted
rendezvous hashing), so that it gets the same order each time, and only the sessions of a provider or key that is gone
move. Named fallbacks keep the order in which they are named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from math import log

from agent.policy.routes import Balance
from agent.routing.health import HealthBook
from agent.routing.pace import Peers
from agent.routing.plan import Candidate, KeyRef, NoRoute, Plan
from agent.routing.wish import Wish


def choose(wish: Wish, health: HealthBook, *, now: float, draw: Callable[[], float]) -> Plan:
    """The plan for a request. `now` is monotonic; `draw` gives numbers from 0 to 1. Raises NoRoute."""
    lots = _Lots(health, wish.balance, wish.session, now, draw)
    equals = _able(wish.candidates, wish)
    named = _without(_able(wish.fallbacks, wish), equals)
    if not equals and not named:
        raise _nobody(wish)
    if len(equals) > 1:
        equals = lots.order_candidates(equals)
    explicit = len(equals)
    chain = (*equals, *named)
    if named and equals and not any(map(lots.is_usable, equals)):
        # a circuit that is open, or a limit that lasts, need not be found out once more by each request
        chain = tuple(sorted(chain, key=lots.is_unusable))
        explicit = 1
    candidates = tuple(lots.order_keys(each) for each in chain)
    return Plan(
        candidates=candidates,
        explicit=explicit,
        session=wish.session,
        rule=wish.rule,
        limits=wish.limits,
    )


def _able(candidates: tuple[Candidate, ...], wish: Wish) -> tuple[Candidate, ...]:
    """Those that may and can serve, each with the keys that may."""
    found = []
    for candidate in candidates:
        if wish.require_private and not candidate.private:
            continue
        keys = candidate.serving_keys()
        if keys:
            found.append(candidate if len(keys) == len(candidate.keys) else replace(candidate, keys=keys))
    return tuple(found)


def _without(candidates: tuple[Candidate, ...], others: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    if not candidates:
        return candidates
    known = {each.name for each in others}
    found = []
    for each in candidates:
        if each.name not in known:
            known.add(each.name)
            found.append(each)
    return tuple(found)


def _nobody(wish: Wish) -> NoRoute:
    asked = (*wish.candidates, *wish.fallbacks)
    if wish.require_private and asked and not any(each.private for each in asked):
        return NoRoute(
            "this request may only go to a private provider, and none of those it could go to is",
            status=403,
            hint="name a provider that the policy marks as private, or give the rule candidates that are",
        )
    if asked:
        names = ", ".join(dict.fromkeys(each.name for each in asked))
        return NoRoute(
            f"no key may be used for {names}", status=403, hint="give the provider a key for this model"
        )
    return NoRoute("no provider serves this model", hint="name one as provider/model")


class _Lots:
    """Draws the lots of one request."""

    __slots__ = ("_adaptive", "_draw", "_health", "_now", "_session")

    def __init__(
        self, health: HealthBook, balance: Balance, session: str, now: float, draw: Callable[[], float]
    ) -> None:
        self._health = health
        self._adaptive = balance is Balance.ADAPTIVE
        self._session = session
        self._now = now
        self._draw = draw

    def order_candidates(self, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        routes = [(each.provider.id, key.name, each.model) for each in candidates for key in each.keys]
        peers = self._health.peers(routes) if self._adaptive and not self._session else Peers()
        ranked = []
        for place, candidate in enumerate(candidates):
            share = candidate.weight
            if share > 0 and self._adaptive and not self._session:
                share *= max(self._score(candidate, key, peers) for key in candidate.keys)
            rank = (not self.is_usable(candidate), not candidate.weight, self._lot(candidate.name, share))
            ranked.append((rank, place))
        ranked.sort()
        return tuple(candidates[place] for _, place in ranked)

    def order_keys(self, candidate: Candidate) -> Candidate:
        if len(candidate.keys) == 1:
            return candidate
        routes = [(candidate.provider.id, key.name, candidate.model) for key in candidate.keys]
        peers = self._health.peers(routes) if self._adaptive and not self._session else Peers()
        ranked = []
        for place, key in enumerate(candidate.keys):
            share = key.weight
            if share > 0 and self._adaptive and not self._session:
                share *= self._score(candidate, key, peers)
            name = f"{candidate.provider.id}\0{key.name}"
            rank = (not self._is_free(candidate, key), not key.weight, self._lot(name, share))
            ranked.append((rank, place))
        ranked.sort()
        return replace(candidate, keys=tuple(candidate.keys[place] for _, place in ranked))

    def is_usable(self, candidate: Candidate) -> bool:
        return any(self._is_free(candidate, key) for key in candidate.keys)

    def is_unusable(self, candidate: Candidate) -> bool:
        return not self.is_usable(candidate)

    def _is_free(self, candidate: Candidate, key: KeyRef) -> bool:
        provider = candidate.provider.id
        return self._health.usable(
            (provider, key.name, candidate.model), self._now
        ) and not self._health.is_full(provider, key.name, key.concurrency)

    def _score(self, candidate: Candidate, key: KeyRef, peers: Peers) -> float:
        route = (candidate.provider.id, key.name, candidate.model)
        return self._health.score(route, self._now, peers=peers, limit=key.concurrency)

    def _lot(self, name: str, share: float) -> float:
        """The smallest wins: with -ln(u)/share the chance to win is the share's part of all."""
        if self._session:
            digest = blake2b(f"{self._session}\0{name}".encode(), digest_size=8).digest()
            u = (int.from_bytes(digest) + 1) / (2**64 + 1)
        else:
            u = min(max(self._draw(), 1e-12), 1.0)
        return -log(u) / max(share, 1e-9)
