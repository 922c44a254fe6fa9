"""From the model that a client names to the plan of whom to ask: names, the key's providers, routing rules, shares.

Pure but for the clock and lots it is given.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from agent.accounts.denials import Denial
from agent.dialects.base import ParsedRequest
from agent.errors import DrawbridgeError
from agent.gateway import headers
from agent.gateway.accounting import Account, measured
from agent.gateway.ledger import newest_turn
from agent.gateway.transport.base import Headers
from agent.gateway.unified.routebook import Backing, RouteBook
from agent.model.content import Role
from agent.model.conversation import TokenCount
from agent.model.decision import Decision
from agent.model.direct import direct
from agent.policy import Subject
from agent.policy.routes import RoutingRule
from agent.routing.choice import choose
from agent.routing.complexity import Complexity, Looks, complexity
from agent.routing.health import HealthBook
from agent.routing.names import ModelRef, UnknownModel
from agent.routing.plan import Candidate, Plan, named_fallbacks
from agent.routing.rules import Question, deciding_rule
from agent.routing.wish import session_of, wish_of

_ASSUMED_OUTPUT = 1000  # tokens, where a rule asks for the cost and nobody said how long the answer may be
FALLBACKS_HEADER = b"x-drawbridge-fallbacks"


class NotAllowed(DrawbridgeError):
    """The principal may not use what was asked for."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.message)
        self.denial = denial


@direct
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
    thought: bool = False  # the client wants the model to think


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
        header = headers.get(wanted.fields, FALLBACKS_HEADER)
        sticky = book.routing.sticky
        session = session_of(wanted.fields, sticky.headers) if sticky.enabled else ""
        if book.routing.rules or header or session or wanted.fallbacks is not None:
            return self._made(book, account, wanted, header, session)
        key, model = account.principal.key, wanted.request.model
        plan = book.sole.find(key, model, wanted.preferred)
        if plan is None:
            plan = self._made(book, account, wanted, header, session)
            book.sole.keep(key, model, wanted.preferred, plan)
        return plan

    def _made(self, book: RouteBook, account: Account, wanted: Wanted, header: bytes, session: str) -> Plan:
        rule = self._rule(book, account, wanted)
        redirected = rule is not None and bool(rule.candidates or rule.refuse)
        asked = () if redirected else _asked(book, account, wanted)
        named = named_fallbacks(wanted.fallbacks, header.decode("latin-1"))
        others = book.names.aliases.get(wanted.request.model, ())[1:]
        wish = wish_of(
            asked,
            routing=book.routing,
            limits=book.limits,
            resolve=partial(_resolved, book, account),
            rule=rule,
            requested=() if redirected else (*others, *named),  # a rule's word stands above the client's
            usual=tuple(_of_key(account, asked)),
            session=session,
        )
        plan = choose(wish, self._health, now=self._clock(), draw=self._draw)
        serving = plan.candidates[0].settings
        assert isinstance(serving, Backing)
        seconds = serving.provider.settings.first_token_seconds
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


def _asked(book: RouteBook, account: Account, wanted: Wanted) -> tuple[Candidate, ...]:
    """Who serves the model that the client names: a key's providers that all do share it, else the one that the name
    means. Raises NotAllowed where the principal may use none of them."""
    name = wanted.request.model
    key = account.principal.key
    refs: tuple[ModelRef, ...] = ()
    if key is not None and key.row.providers and name not in book.names.aliases and "/" not in name:
        refs = book.names.all_serving(name, among=[each.provider for each in key.row.providers])
    refs = refs or book.names.resolve(name, preferred=wanted.preferred)[:1]
    kept = [ref for ref in refs if account.may_use(ref.provider, ref.model, ref.name) is None]
    if not kept:
        denial = account.may_use(refs[0].provider, refs[0].model, refs[0].name)
        assert denial is not None
        raise NotAllowed(denial)
    return tuple(_candidate(book, account, ref) for ref in kept)


def _resolved(book: RouteBook, account: Account, provider: str, model: str) -> Candidate | None:
    """See `routing.wish.Resolve`."""
    try:
        [ref, *_] = book.names.resolve(f"{provider}/{model}")
    except UnknownModel:
        return None
    return (
        _candidate(book, account, ref) if account.may_use(ref.provider, ref.model, ref.name) is None else None
    )


def _of_key(account: Account, candidates: tuple[Candidate, ...]) -> Iterator[str]:
    key = account.principal.key
    if key is None:
        return
    for candidate in candidates:
        row = key.provider(candidate.provider.id)
        for fallback in row.fallbacks if row is not None else ():
            yield fallback if "/" in fallback else f"{fallback}/{candidate.model}"


def _candidate(book: RouteBook, account: Account, ref: ModelRef) -> Candidate:
    key = account.principal.key
    row = key.provider(ref.provider) if key is not None else None
    if row is None:
        return book.candidate(ref)
    return book.candidate(ref, weight=row.weight, keys=row.keys)


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
        reasoning=wanted.thought,
    )
    return complexity(looks)
