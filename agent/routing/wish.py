"""Who may serve a request, as client, virtual key and routing rule have it: the question that `choice` answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from agent.model.direct import direct
from agent.policy.routes import Balance, Routing, RoutingRule
from agent.routing.plan import DEFAULT_LIMITS, Candidate, Limits, NoRoute, split_name

_LONG_SESSION = 256

type Resolve = Callable[[str, str], Candidate | None]
"""The candidate for a provider and its model, None where there is none or the caller may not use it."""


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who may serve a request. `candidates` are equals that share by weight; `fallbacks` follow in order."""

    candidates: tuple[Candidate, ...]
    fallbacks: tuple[Candidate, ...] = ()
    session: str = ""
    require_private: bool = False
    balance: Balance = Balance.ADAPTIVE
    rule: str = ""
    limits: Limits = DEFAULT_LIMITS


def wish_of(
    asked: tuple[Candidate, ...],
    *,
    routing: Routing,
    limits: Limits,
    resolve: Resolve,
    rule: RoutingRule | None = None,
    requested: Sequence[str] = (),
    usual: Sequence[str] = (),
    session: str = "",
) -> Wish:
    """Everything put together. `asked` serves what the client asked for; `limits` are those of `routing`, made once for
    all requests. The fallbacks are those of the rule that decides, else those that the request names (`requested`),
    else those of its virtual key (`usual`); names that cannot be resolved are left out. Raises NoRoute where the rule
    refuses, or names nobody that the caller may use."""
    chain: Sequence[str] = requested or usual
    if rule is not None:
        if rule.refuse:
            raise NoRoute(rule.refuse, status=403)
        chain = rule.fallbacks or chain
        if rule.candidates:
            asked = _named(rule, resolve)
    found = (resolve(*split_name(name)) for name in chain)
    return Wish(
        candidates=asked,
        fallbacks=tuple(each for each in found if each is not None),
        session=session if routing.sticky.enabled else "",
        require_private=rule is not None and rule.require_private,
        balance=routing.balance,
        rule="" if rule is None else rule.id,
        limits=limits,
    )


def _named(rule: RoutingRule, resolve: Resolve) -> tuple[Candidate, ...]:
    found = ((resolve(*split_name(each.model)), each.weight) for each in rule.candidates)
    candidates = tuple(replace(each, weight=weight) for each, weight in found if each is not None)
    if not candidates:
        raise NoRoute(
            f"routing rule '{rule.id}' sends this request where it may not go",
            status=403,
            hint="let the virtual key use one of the rule's candidates",
        )
    return candidates


def session_of(fields: Iterable[tuple[bytes, bytes]], names: Sequence[str]) -> str:
    """The name of the session a request belongs to: the value of the first of the headers `names` that it has. Long
    ones are replaced by a hash."""
    found: dict[bytes, bytes] = {}
    keys = [name.encode() for name in names]
    for name, value in fields:
        if name in keys:
            found.setdefault(name, value)
    for key in keys if found else ():
        value = found.get(key, b"").strip()
        if len(value) > _LONG_SESSION:
            return blake2b(value, digest_size=16).hexdigest()
        if value:
            return value.decode("latin-1")
    return ""
