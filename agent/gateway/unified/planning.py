"""From the model that a client names to the plan of whom to ask: names, the key's providers, routing rules, shares.

Pure but for the clock and lots it is given.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from agent.accounts.denials import Denial
from agent.dialects.base import ParsedRequest
from agent.errors import DrawbridgeError
from agent.gateway.accounting import Account, measured
from agent.gateway.ledger import newest_turn
from agent.gateway.transport.base import Headers
from agent.gateway.unified.routebook import RouteBook
from agent.model.content import Role
from agent.model.conversation import TokenCount
from agent.model.decision import Decision
from agent.policy import Subject
from agent.policy.routes import RoutingRule
from agent.routing.choice import Wish, choose
from agent.routing.complexity import Complexity, Looks, complexity
from agent.routing.health import HealthBook
from agent.routing.names import ModelRef, UnknownModel
from agent.routing.plan import Candidate, NoRoute, Plan, named_fallbacks
from agent.routing.rules import Question, deciding_rule
from agent.routing.wish import session_of

_ASSUMED_OUTPUT = 1000  # tokens, where a rule asks for the cost and nobody said how long the answer may be
FALLBACKS_HEADER = b"x-drawbridge-fallbacks"


class NotAllowed(DrawbridgeError):
    """The principal may not use what was asked for."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.message)
        self.denial = denial


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request says of where it wants to go. `preferred` is the provider by whose door it came."""

    subject: Subject
    request: ParsedRequest
    decision: Decision
    fields: Headers
    preferred: str = ""
    fallbacks: object = None  # the body's own, unread
    tools: int = 0


class Planner:
    """Makes plans. One for all exchanges."""

    def __init__(
        self,
        health: HealthBook,
        *,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`clock` is monotonic, `draw` gives numbers from 0 to 1."""
        self._health = health
        self._clock = clock
        self._draw = draw

    def plan(self, book: RouteBook, account: Account, wanted: Wanted) -> Plan:
        """Whom to ask, in order. Raises UnknownModel, NotAllowed, NoRoute, ContentError."""
        rule = self._rule(book, account, wanted)
        if rule is not None and rule.refuse:
            raise NoRoute(rule.refuse, status=403)
        candidates = _allowed(_candidates(book, account, wanted, rule), account)
        fallbacks = _only_allowed(_fallbacks(book, account, wanted, rule, candidates), account)
        sticky = book.routing.sticky
        wish = Wish(
            candidates=candidates,
            fallbacks=fallbacks,
            session=session_of(wanted.fields, sticky.headers) if sticky.enabled else "",
            require_private=rule is not None and rule.require_private,
            balance=book.routing.balance,
            rule=rule.id if rule is not None else "",
            limits=book.limits,
        )
        plan = choose(wish, self._health, now=self._clock(), draw=self._draw)
        first = plan.candidates[0].settings
        seconds = getattr(
            getattr(getattr(first, "provider", None), "settings", None), "first_token_seconds", None
        )
        return plan if seconds is None else replace(plan, limits=replace(plan.limits, first_token=seconds))

    def _rule(self, book: RouteBook, account: Account, wanted: Wanted) -> RoutingRule | None:
        rules = book.routing.rules
        if not rules:
            return None
        principal = account.principal
        tokens = measured(wanted.request).text_bytes // 4
        conditional = any(rule.condition is not None for rule in rules)
        question = Question(
            subject=replace(
                wanted.subject,
                model=wanted.request.model,
                size=sum(len(slot.text) for slot in wanted.request.slots if len(slot.address) == 1),
                attachments=wanted.request.attachments,
            ),
            tokens=tokens,
            tier=_tier(wanted, tokens) if conditional else Complexity.SIMPLE,
            cost_usd=self._cost(book, wanted, tokens) if conditional else 0.0,
            labels=tuple(_labels(wanted.decision)),
            virtual_key=principal.key_id,
            team=principal.team,
        )
        return deciding_rule(rules, question)

    def _cost(self, book: RouteBook, wanted: Wanted, tokens: int) -> float:
        try:
            [ref, *_] = book.names.resolve(wanted.request.model, preferred=wanted.preferred)
        except UnknownModel:
            return 0.0
        output = wanted.request.max_tokens or _ASSUMED_OUTPUT
        count = TokenCount(input=tokens, output=output)
        return (book.cost(ref.provider, ref.model, count, time.time()) or 0) / 1e9


def _candidates(
    book: RouteBook, account: Account, wanted: Wanted, rule: RoutingRule | None
) -> tuple[Candidate, ...]:
    if rule is not None and rule.candidates:
        return tuple(
            _candidate(book, account, ref, weight=each.weight)
            for each in rule.candidates
            for ref in book.names.resolve(each.model)
        )
    name = wanted.request.model
    key = account.principal.key
    if key is not None and key.row.providers and name not in book.names.aliases and "/" not in name:
        refs = book.names.all_serving(name, among=[each.provider for each in key.row.providers])
        if refs:
            return tuple(_candidate(book, account, ref) for ref in refs)
    refs = book.names.resolve(name, preferred=wanted.preferred)
    return tuple(_candidate(book, account, ref) for ref in refs[:1])


def _fallbacks(
    book: RouteBook,
    account: Account,
    wanted: Wanted,
    rule: RoutingRule | None,
    candidates: tuple[Candidate, ...],
) -> tuple[Candidate, ...]:
    """In this order: those of the rule, else those that the request names, else those of the key; and the other models
    of an alias always."""
    names: list[str] = []
    if rule is not None and rule.fallbacks:
        names += rule.fallbacks
    else:
        header = next((value for name, value in wanted.fields if name == FALLBACKS_HEADER), b"")
        names += named_fallbacks(wanted.fallbacks, header.decode("latin-1"))
        if not names:
            names += _of_key(account, candidates)
    aliased = () if rule is not None and rule.candidates else book.names.aliases.get(wanted.request.model, ())
    refs = [ref for name in (*aliased, *names) for ref in book.names.resolve(name)]
    return tuple(_candidate(book, account, ref) for ref in refs)


def _of_key(account: Account, candidates: tuple[Candidate, ...]) -> Iterator[str]:
    key = account.principal.key
    if key is None:
        return
    for candidate in candidates:
        row = key.provider(candidate.provider.id)
        for fallback in row.fallbacks if row is not None else ():
            yield fallback if "/" in fallback else f"{fallback}/{candidate.model}"


def _candidate(book: RouteBook, account: Account, ref: ModelRef, *, weight: float | None = None) -> Candidate:
    key = account.principal.key
    row = key.provider(ref.provider) if key is not None else None
    share = weight if weight is not None else row.weight if row is not None else 1.0
    return book.candidate(ref, weight=share, keys=row.keys if row is not None else None)


def _allowed(candidates: tuple[Candidate, ...], account: Account) -> tuple[Candidate, ...]:
    """Those that the principal may use. Raises NotAllowed where it may use none."""
    kept = _only_allowed(candidates, account)
    if candidates and not kept:
        first = candidates[0]
        denial = account.may_use(first.provider.id, first.model)
        assert denial is not None
        raise NotAllowed(denial)
    return kept


def _only_allowed(candidates: tuple[Candidate, ...], account: Account) -> tuple[Candidate, ...]:
    return tuple(each for each in candidates if account.may_use(each.provider.id, each.model) is None)


def _labels(decision: Decision) -> Iterator[str]:
    """Families and `family/type` of what was found in the request."""
    seen: set[str] = set()
    for hit in decision.hits:
        for label in (hit.family.value, f"{hit.family.value}/{hit.type}"):
            if label not in seen:
                seen.add(label)
                yield label


def _tier(wanted: Wanted, tokens: int) -> Complexity:
    slots = wanted.request.slots
    newest = newest_turn(slots)
    turns = len({slot.address[0][:2] for slot in slots if slot.role in (Role.USER, Role.ASSISTANT)})
    looks = Looks(
        newest="\n".join(slot.text for slot in newest if slot.role is Role.USER),
        tokens=tokens,
        turns=max(0, turns - 1),
        tools=wanted.tools,
    )
    return complexity(looks)
