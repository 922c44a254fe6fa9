"""Accounts: who asks, whether they may, and what it takes from whom. The gateway's way in.

Before a call its worst case is reserved at every tier, after it what was really used takes that place: no number of
calls at the same time gets past a limit. Refusals are values. Without an `accounts` section all of this is constants.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from agent.accounts import denials
from agent.accounts.book import EMPTY, Book, Client, KeyEntry, Plan
from agent.accounts.denials import Denial
from agent.accounts.estimate import Estimator, TextKind
from agent.accounts.keys import hashed, is_well_formed
from agent.accounts.meters import Amounts
from agent.accounts.ports import Ask, NoPrices, PriceSource, Spent
from agent.accounts.presented import Presented
from agent.accounts.quota import QuotaReport, standing
from agent.accounts.store import DAY_SECONDS, HISTORY_DAYS, AccountStore, Hold, Unreachable, Use
from agent.accounts.tally import Refusal
from agent.model.conversation import TokenCount
from agent.model.direct import direct
from agent.policy.accounts import Accounts as Section
from agent.policy.accounts import Unpriced

_MAX_MODEL = 200  # characters of a model's name in the history


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who may ask. `key` is None where nothing gives them one."""

    key: KeyEntry | None = None
    user: str = ""
    bound: bool = False  # the key was given by a binding, not presented

    @property
    def key_id(self) -> str:
        """The key's id, for records; empty without a key."""
        return self.key.row.id if self.key is not None else ""

    @property
    def team(self) -> str:
        """The team's id."""
        return self.key.team.id if self.key is not None and self.key.team is not None else ""

    @property
    def customer(self) -> str:
        """The customer's id."""
        return self.key.customer.id if self.key is not None and self.key.customer is not None else ""


ANYBODY = Principal()


class Grant(NamedTuple):
    """A call may be made. `output_tokens` is what was reserved for its answers: where the client set no bound, the
    gateway sends `max_output_tokens` as one, or the bound on spending is only as good as the guess."""

    principal: Principal
    ask: Ask | None = None
    hold: Hold | None = None
    at: float = 0.0
    input_tokens: int = 0
    output_tokens: int | None = None
    nano_usd: int | None = None  # of the worst case; None: no price

    @property
    def max_output_tokens(self) -> int | None:
        """The longest that one answer may be."""
        return self.output_tokens // max(1, self.ask.answers) if self.ask and self.output_tokens else None


FREE = Grant(principal=ANYBODY)
"""Of whom nothing is counted."""


class Accounts:
    """See the module. Without `section` everybody may do everything, and nothing is counted."""

    def __init__(
        self,
        section: Section | None,
        *,
        store: AccountStore,
        prices: PriceSource | None = None,
        estimator: Estimator | None = None,
        corrected: Callable[[float], float] = lambda moment: moment,
    ) -> None:
        """`corrected` makes a moment by the clock, which anybody may set, one by which is counted."""
        self._book = Book(section) if section is not None else None
        self._store = store
        self._prices = prices or NoPrices()
        self.estimator = estimator or Estimator()
        self._opened = False
        self._corrected = corrected
        self.damaged = ""
        """The name under which accounts that could not be read are kept; what was used is counted from zero."""

    @property
    def active(self) -> bool:
        """Whether there is anything to count or to refuse."""
        return self._book is not None

    @property
    def edition(self) -> object:
        """Another object after the section was replaced: who is who may be another matter then."""
        return self._book

    async def open(self) -> None:
        """Take up what was used before, if anything is counted. Raises HostError."""
        if self._book is not None and not self._opened:
            self.damaged = await self._store.open()
            self._opened = True

    async def reload(self, section: Section | None) -> None:
        """Go on under another policy, with what was used. Another store takes a restart. Raises HostError."""
        self._book = await asyncio.to_thread(Book, section) if section is not None else None
        await self.open()

    async def reachable(self) -> bool:
        """Whether calls can be reserved; what is not counted always can."""
        return self._book is None or await self._store.reachable()

    async def close(self) -> None:
        """Write down what is not yet. Safe to call twice, and without `open`."""
        if self._opened:
            self._opened = False
            await self._store.close()

    def principal(
        self,
        presented: Presented | None,
        *,
        now: float,
        user: str = "",
        name: str = "",
        groups: tuple[str, ...] = (),
        device: str = "",
        app: str = "",
        intercepted: bool = False,
    ) -> Principal | Denial:
        """Who asks: by the key that was presented, else by the first binding that fits. `user` is the account, `name`
        that of its sign-in. `intercepted` is traffic that did not choose to come here: it is never asked for a key,
        only given one."""
        book = self._book
        if book is None:
            return ANYBODY
        client = Client(user=user, name=name, groups=groups, device=device, app=app)
        if presented is not None:
            entry = book.by_hash(hashed(presented.value))
            if entry is None:
                return denials.KEY_UNKNOWN if is_well_formed(presented.value) else denials.KEY_MISTYPED
        else:
            entry = book.bound(client)
        if entry is None:
            if book.key_required and not intercepted:
                return denials.KEY_REQUIRED
            return Principal(user=book.person(client)) if book.section.users else ANYBODY
        if entry.expires_at is not None and self._corrected(now) >= entry.expires_at:
            return denials.key_expired(entry.row.id)
        if not entry.row.active:
            return denials.key_inactive(entry.row.id)
        return Principal(key=entry, user=book.person(client), bound=presented is None)

    def may_use(self, principal: Principal, provider: str, model: str, name: str = "") -> Denial | None:
        """Why somebody may not use a model, whatever it takes; None if they may. `name` is what clients call it there,
        where that is another."""
        return principal.key.denial(provider, model, name) if principal.key is not None else None

    def may_go_uncounted(self, principal: Principal, provider: str) -> Denial | None:
        """Why somebody may not make a call of which nobody knows which model it asks and what it takes, None if they
        may: no budget holds it, and no list of models or tools."""
        book, key = self._book, principal.key
        if book is None or key is None:
            return None
        row = key.provider(provider)
        if key.row.mcp_tools is not None:
            return denials.uncounted(key.row.id)
        if row is not None and (row.models is not None or row.deny_models):
            return denials.uncounted(key.row.id)
        return (
            denials.uncounted(key.row.id) if book.plan(key, principal.user, provider) is not EMPTY else None
        )

    def key_ids(self) -> tuple[str, ...]:
        """The ids of the policy's virtual keys."""
        return tuple(self._book.keys) if self._book is not None else ()

    async def reserve(self, principal: Principal, ask: Ask, now: float) -> Grant | Denial:
        """Reserve the worst case of a call."""
        return await self._reserve(principal, ask, self._corrected(now), None)

    async def move(self, grant: Grant, ask: Ask, now: float) -> Grant | Denial:
        """Reserve another call in place of one that did not work out. If that is refused, `grant` stays as it was."""
        return await self._reserve(grant.principal, ask, self._corrected(now), grant.hold)

    def price(self, grant: Grant, tokens: TokenCount) -> int | None:
        """What a call cost, in nano-dollars, by the price of the moment at which it was reserved; None where nobody
        knows."""
        ask = grant.ask
        return None if ask is None else self._prices.cost(ask.provider, ask.model, tokens, grant.at)

    async def settle(self, grant: Grant, spent: Spent) -> int | None:
        """The call is over, well or not, and this is what it took. Returns when that is durable: nano-dollars, None
        where nobody knows the price. Everything is counted before it waits for the first time."""
        ask = grant.ask
        if ask is None:
            return None
        tokens = spent.tokens
        self._learn(grant, spent)
        used_in, used_out = tokens.input or 0, tokens.output or 0
        cost = spent.nano_usd
        if cost is None:
            cost = self.price(grant, tokens)
        if grant.hold is not None:
            used = Amounts(cost or 0, used_in + used_out)
            await self._store.settle(
                grant.hold, used, _use(grant.principal, ask, grant.at, used_in, used_out, cost)
            )
        return cost

    async def release(self, grant: Grant) -> None:
        """The call was never made."""
        if grant.hold is not None:
            await self._store.release(grant.hold)

    async def quota(
        self, key: str, now: float, *, user: str = "", history: bool = True
    ) -> QuotaReport | None:
        """What a key (in the hands of an account) has used and has left; None if there is no such key. Without its
        days where `history` is not wanted."""
        book = self._book
        if book is None or (entry := book.keys.get(key)) is None:
            return None
        asked = book.meters_of(entry, user)
        now = self._corrected(now)
        readings = await self._store.read(asked, now)
        since = int(now) // DAY_SECONDS - HISTORY_DAYS + 1
        days = await self._store.history(key, since) if history else ()
        return standing(entry, list(zip(asked, readings, strict=True)), days, now)

    async def _reserve(
        self, principal: Principal, ask: Ask, now: float, instead: Hold | None
    ) -> Grant | Denial:
        book = self._book
        if book is None or (principal.key is None and not principal.user and instead is None):
            if instead is not None:
                await self._store.release(instead)
            return FREE
        if (denial := self.may_use(principal, ask.provider, ask.model, ask.name)) is not None:
            return denial
        plan = book.plan(principal.key, principal.user, ask.provider)
        if plan is EMPTY and principal.key is None and instead is None:
            return FREE
        wanted = self._worst_case(book, plan, ask, now)
        if isinstance(wanted, Denial):
            return wanted
        prompt, output, cost = wanted
        worst = _use(principal, ask, now, prompt, output, cost)
        amounts = Amounts(cost or 0, prompt + output)
        answer = await self._store.reserve(plan.meters, amounts, now, worst=worst, instead=instead)
        if isinstance(answer, Refusal):
            return answer.meter.denial(answer.wanted, answer.retry_after)
        if isinstance(answer, Unreachable):
            return denials.UNAVAILABLE
        return Grant(principal, ask, answer, now, prompt, output, cost)

    def _worst_case(
        self, book: Book, plan: Plan, ask: Ask, now: float
    ) -> tuple[int, int, int | None] | Denial:
        """The largest that a call can become: tokens in, tokens out, nano-dollars."""
        prompt = self.estimator.prompt(ask.model, ask.measure)
        answers = max(1, ask.answers)
        if ask.max_output_tokens is not None:
            output = max(0, ask.max_output_tokens) * answers
        else:
            output = book.section.assumed_output_tokens * answers
            if (most := plan.ceiling) is not None and prompt < most < prompt + output:
                output = most - prompt  # the gateway tells the model so
        if plan.ceilings and (denial := plan.too_large(prompt + output)) is not None:
            return denial
        cost = self._dearest(ask, prompt, output, now)
        if cost is None and book.section.unpriced is Unpriced.REFUSE:
            return denials.unpriced(ask.provider)
        return prompt, output, cost

    def _dearest(self, ask: Ask, prompt: int, output: int, now: float) -> int | None:
        """Nano-dollars of a prompt that is new to the provider's cache, where keeping it there may cost more than
        reading it: some providers keep prompts without being asked to."""
        hour = prompt if ask.cache_hour else None
        plain = TokenCount(input=prompt, output=output)
        written = TokenCount(input=prompt, output=output, cache_write=prompt, cache_write_1h=hour)
        cost = self._prices.cost(ask.provider, ask.model, plain, now)
        return cost and max(cost, self._prices.cost(ask.provider, ask.model, written, now) or 0)

    def _learn(self, grant: Grant, spent: Spent) -> None:
        ask, counted = grant.ask, spent.tokens.input
        if ask is not None and counted is not None and not spent.estimated and not ask.measure.other_tokens:
            self.estimator.learn(ask.model, TextKind.PROMPT, ask.measure.text_bytes, counted)


def _use(
    principal: Principal, ask: Ask, at: float, input_tokens: int, output_tokens: int, cost: int | None
) -> Use | None:
    if principal.key is None:
        return None
    model = f"{ask.provider}/{ask.model}"[:_MAX_MODEL]
    day = int(at) // DAY_SECONDS
    return Use(principal.key.row.id, day, model, 1, input_tokens, output_tokens, cost or 0, int(cost is None))
