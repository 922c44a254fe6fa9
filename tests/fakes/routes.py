"""Candidates and plans with short names, and lots that are known beforehand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

from agent.model.provider import Provider
from agent.model.traffic import Target
from agent.routing.plan import Candidate, KeyRef, Limits, Plan

QUIET = Limits(backoff_initial=1.0, backoff_max=4.0)


def provider(name: str) -> Provider:
    return Provider(id=name, name=name.title(), genai=name, origin=f"https://{name}.test", speaks=())


def candidate(
    name: str,
    *keys: str | KeyRef,
    weight: float = 1.0,
    private: bool = False,
    target: Target | None = None,
) -> Candidate:
    """`provider/model` with these keys, by default one that is called `k`."""
    who, _, model = name.partition("/")
    refs = tuple(key if isinstance(key, KeyRef) else KeyRef(name=key) for key in keys or ("k",))
    return Candidate(
        provider=provider(who), model=model or "m", keys=refs, weight=weight, private=private, settings=target
    )


def plan(*candidates: Candidate | str, explicit: int = 1, limits: Limits = QUIET) -> Plan:
    """The first `explicit` are equals, the others named fallbacks."""
    made = tuple(each if isinstance(each, Candidate) else candidate(each) for each in candidates)
    return Plan(candidates=made, explicit=explicit, limits=limits)


def lots(*numbers: float) -> Callable[[], float]:
    """Gives these numbers, again and again."""
    endless = cycle(numbers)
    return lambda: next(endless)
