"""The store of a fleet: Valkey or Redis. One script reserves over all tiers, one settles; see `scripts`.

Where it cannot be reached, a device goes on for a bounded time with what it set aside (`leases`). Budgets then stay
within the fleet's; limits on speed are counted by the device alone. What it could not report is reported later; until
then, or for ever, the reservation's worst case stands, never less.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Sequence
from math import ceil

from redis.asyncio import Redis
from redis.exceptions import RedisError

from agent.accounts import layout
from agent.accounts.contact import QUIET_SECONDS, Contact
from agent.accounts.journal import Clock
from agent.accounts.layout import Argument, Space
from agent.accounts.leases import SHARE, Lease, Leases
from agent.accounts.ledgerfile import MAX_MODELS
from agent.accounts.meters import NOTHING, Amounts, Meter
from agent.accounts.scripts import RESERVE, SETTLE
from agent.accounts.store import DAY_SECONDS, HISTORY_DAYS, UNREACHABLE, Answer, Hold, Use
from agent.accounts.tally import NO_CLAIMS, Claims, Reading, Refusal, Tally
from agent.accounts.windows import Calendar
from agent.errors import UpstreamError
from agent.host.tasks import TaskGroup

HOLD_SECONDS = DAY_SECONDS
"""How long a reservation can still be settled; later its worst case stays."""
UNDER_WAY_SECONDS = 900
"""When a request that was never settled stops counting as under way."""

_HISTORY_SECONDS = (HISTORY_DAYS + 5) * DAY_SECONDS
_MAX_OWED = 10_000  # reports that wait for contact
_FAILURES = (RedisError, OSError, TimeoutError)

type _Row = tuple[Meter, int | None]
"""A meter, and what is wanted of it; None where only an earlier hold has something of it."""


class FleetStore:
    """See `AccountStore`. `client` decodes its answers. With `server_time` windows go by the server's clock, else by
    the callers'."""

    def __init__(
        self,
        client: Redis,
        *,
        namespace: str = "accounts",
        lease_seconds: float = 60,
        offline_seconds: float = 900,
        server_time: bool = True,
        clock: Clock = time.time,
    ) -> None:
        self._client = client
        self._space = Space(namespace)
        self._reserve_script = client.register_script(RESERVE)
        self._settle_script = client.register_script(SETTLE)
        self._lease_seconds = lease_seconds
        self._offline_seconds = offline_seconds
        self._server_time = server_time
        self._clock = clock
        self._leases = Leases(stretches=ceil(offline_seconds / lease_seconds))
        self._tally = Tally()  # limits, while there is no contact
        self._contact = Contact(clock)
        self._owed: deque[tuple[Hold, Amounts, Use | None]] = deque(maxlen=_MAX_OWED)
        # holds that may have taken another's place, without our being told
        self._doubts: dict[int, Hold] = {}
        self._open: set[int] = set()
        self._next = secrets.randbits(62)
        self._tasks = TaskGroup("accounts")

    async def open(self) -> str:
        """See `AccountStore`. A store that cannot be reached now may be later."""
        await self.reachable()
        if self._offline_seconds:
            self._tasks.spawn(self._renew_for_ever(), name="leases")
        return ""

    async def close(self) -> None:
        """See `AccountStore`. Gives leases back."""
        await self._tasks.cancel()
        try:
            await self._report()
            for name in list(self._leases.held):
                await self._give_back(name)
        except _FAILURES as error:
            self._contact.lost(error)
        await self._client.aclose()

    async def reachable(self) -> bool:
        """See `AccountStore`."""
        try:
            if not self._contact.silent:
                await self._client.ping()
                self._contact.made()
        except _FAILURES as error:
            self._contact.lost(error)
        lasts = max(self._offline_seconds, QUIET_SECONDS)
        return self._contact.within(lasts, self._clock())

    async def reserve(
        self,
        meters: Sequence[Meter],
        amounts: Amounts,
        now: float,
        *,
        worst: Use | None = None,
        instead: Hold | None = None,
    ) -> Answer:
        """See `AccountStore`."""
        del worst  # the store has the claims already
        if instead is not None and instead.id not in self._open:
            instead = None
        self._leases.note(meters, amounts)
        answer = await self._reserve(meters, amounts, now, instead)
        if isinstance(answer, Hold):
            self._open.add(answer.id)
            if instead is not None:
                self._open.discard(instead.id)
        return answer

    async def settle(self, hold: Hold, used: Amounts, use: Use | None) -> None:
        """See `AccountStore`. What cannot be reported now is reported later."""
        if hold.id not in self._open:
            return
        self._open.discard(hold.id)
        if hold.offline:
            self._settle_offline(hold, used)
            hold = Hold(hold.id, NO_CLAIMS)
        if (twin := self._doubts.pop(hold.id, None)) is not None:
            self._owed.append((twin, used, use))  # only one of the two is there
        if self._contact.silent:
            self._owed.append((hold, used, use))
            return
        try:
            await self._run_settle(hold, used, use)
        except _FAILURES as error:
            self._contact.lost(error)
            self._owed.append((hold, used, use))
            return
        except asyncio.CancelledError:
            self._owed.append((hold, used, use))  # may come twice: the second time does nothing
            raise
        try:
            await self._report()
        except _FAILURES as error:
            self._contact.lost(error)

    async def release(self, hold: Hold) -> None:
        """See `AccountStore`."""
        await self.settle(hold, NOTHING, None)

    async def read(self, meters: Sequence[Meter], now: float) -> Sequence[Reading]:
        """See `AccountStore`."""
        moment = self._moment(now)
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                for meter in meters:
                    if meter.window is None:
                        pipe.zcount(self._space.meter(meter), moment, "+inf")
                    else:
                        pipe.hgetall(self._space.meter(meter))
                found = await pipe.execute()
        except _FAILURES as error:
            raise self._unreachable(error) from error
        return [layout.reading(meter, each, moment) for meter, each in zip(meters, found, strict=True)]

    async def history(self, key: str, since_day: int) -> Sequence[Use]:
        """See `AccountStore`."""
        days = range(since_day, since_day + HISTORY_DAYS)
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                for day in days:
                    pipe.hgetall(self._space.history(key, day))
                found = await pipe.execute()
        except _FAILURES as error:
            raise self._unreachable(error) from error
        return [use for day, each in zip(days, found, strict=True) for use in layout.uses(key, day, each)]

    async def renew(self) -> None:
        """Report what is owed, and set aside anew what this device would need without contact."""
        try:
            await self._client.ping()  # without contact, what is set aside stays
            await self._report()
            for name in [each for each in self._leases.held if each not in self._leases.needs]:
                await self._give_back(name)
            for name in list(self._leases.needs):
                await self._lease(name)
        except _FAILURES as error:
            self._contact.lost(error)
        self._leases.turn()

    # With contact.

    async def _reserve(
        self, meters: Sequence[Meter], amounts: Amounts, now: float, instead: Hold | None
    ) -> Answer:
        hold = self._new_hold(meters, amounts)
        if not meters and instead is None:
            return hold
        if self._contact.silent:
            return self._reserve_offline(meters, amounts, now, instead)
        try:
            answer = await self._ask(hold, now, instead)
            if isinstance(answer, Refusal) and await self._give_back(answer.meter.id):
                answer = await self._ask(hold, now, instead)  # with what this very device had set aside
        except _FAILURES as error:
            self._contact.lost(error)
            offline = self._reserve_offline(meters, amounts, now, instead)
            self._doubt(hold, None if isinstance(offline, Hold) else instead)
            return offline
        except asyncio.CancelledError:
            self._doubt(hold, instead)
            raise
        if instead is not None and instead.offline and isinstance(answer, Hold):
            self._settle_offline(instead, NOTHING)
        return answer

    def _doubt(self, hold: Hold, instead: Hold | None) -> None:
        """Nobody knows whether a reservation got there. Where it would have taken the place of a hold that goes on, it
        is settled with that, else taken back."""
        if instead is None or instead.offline:
            self._owed.append((hold, NOTHING, None))
        else:
            self._doubts[instead.id] = hold

    async def _ask(self, hold: Hold, now: float, instead: Hold | None) -> Hold | Refusal:
        rows: list[_Row] = [(meter, hold.claims.amounts[meter.column]) for meter in hold.claims.meters]
        if instead is not None and not instead.offline:
            wanted = {meter.id for meter, _ in rows}
            rows += [(meter, None) for meter in instead.claims.meters if meter.id not in wanted]
        else:
            instead = None
        return await self._run_reserve(hold, rows, now, (instead or hold).id)

    async def _run_reserve(self, hold: Hold, rows: list[_Row], now: float, old: int) -> Hold | Refusal:
        keys = [*map(self._space.hold, (hold.id, old)), *(self._space.meter(meter) for meter, _ in rows)]
        while True:
            moment = self._moment(now)
            given = "" if self._server_time else now
            arguments: list[Argument] = [given, HOLD_SECONDS, UNDER_WAY_SECONDS, hold.id, old]
            for meter, amount in rows:
                arguments += layout.reserve_arguments(meter, amount, moment)
            word, index, server, slots = await self._reserve_script(keys=keys, args=arguments)
            self._contact.made()
            if self._server_time:
                self._contact.ahead = float(server) - now
            if word != "clock":
                break
        if word == "held":
            return hold
        meter, wanted = rows[int(index) - 1]
        return layout.refusal(meter, wanted or 0, slots, self._moment(now))

    async def _run_settle(self, hold: Hold, used: Amounts, use: Use | None) -> None:
        meters = hold.claims.meters
        if use is None and not meters:
            return
        own = self._space.hold(hold.id)
        history = own if use is None else self._space.history(use.key, use.day)
        figures: Sequence[Argument] = ("", 0, 0, 0, 0, 0) if use is None else use[2:]
        arguments: list[Argument] = [hold.id, _HISTORY_SECONDS, MAX_MODELS, *figures]
        for meter in meters:
            arguments += layout.settle_arguments(meter, used)
        await self._settle_script(keys=[own, history, *map(self._space.meter, meters)], args=arguments)
        self._contact.made()

    async def _report(self) -> None:
        """Settle all that is owed, oldest first."""
        while self._owed:
            owed = self._owed.popleft()
            try:
                await self._run_settle(*owed)
            except BaseException:
                self._owed.appendleft(owed)
                raise

    # Without.

    def _reserve_offline(
        self, meters: Sequence[Meter], amounts: Amounts, now: float, instead: Hold | None
    ) -> Answer:
        if not self._contact.within(self._offline_seconds, now):
            return UNREACHABLE
        limits = [meter for meter in meters if not meter.budget]
        claims = self._tally.reserve(limits, amounts, now)
        if isinstance(claims, Refusal):
            return claims
        if not self._leases.reserve(meters, amounts, now):
            self._tally.settle(claims, NOTHING)
            return UNREACHABLE
        if instead is not None and instead.offline:
            self._settle_offline(instead, NOTHING)
        elif instead is not None:
            self._owed.append((instead, NOTHING, None))
        slots = dict(zip((meter.id for meter in limits), claims.slots, strict=True))
        self._next += 1
        every = Claims(tuple(meters), [slots.get(meter.id, 0) for meter in meters], amounts)
        return Hold(self._next, every, offline=True)

    def _settle_offline(self, hold: Hold, used: Amounts) -> None:
        meters = hold.claims.meters
        self._leases.settle(meters, hold.claims.amounts, used)
        limits = [
            (each, slot) for each, slot in zip(meters, hold.claims.slots, strict=True) if not each.budget
        ]
        claims = Claims([each for each, _ in limits], [slot for _, slot in limits], hold.claims.amounts)
        self._tally.settle(claims, used)

    # Leases.

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds)
            await self.renew()

    async def _lease(self, name: str) -> None:
        need = self._leases.needs[name]
        old = self._leases.held.get(name)
        if old is not None and old.touched and not await self._give_back(name):
            return  # calls are under way that live on it
        old = self._leases.held.get(name)
        now = self._clock()
        [reading] = await self.read([need.meter], now)
        left = need.meter.limit - reading.used + (old.amount if old is not None else 0)
        amount = min(left // SHARE, self._leases.wanted(name))
        if amount <= 0:
            await self._give_back(name)
            return
        hold = self._new_hold((need.meter,), Amounts(amount, amount, 0))
        self._leases.held.pop(name, None)  # nothing may be taken of it while it is replaced
        try:
            answer = await self._run_reserve(
                hold, [(need.meter, amount)], now, old.hold.id if old is not None else hold.id
            )
        except BaseException:
            self._owed.append((hold, NOTHING, None))
            self._take_back(old)
            raise
        if isinstance(answer, Refusal):
            self._take_back(old)
            return
        until = now + self._offline_seconds
        if isinstance(need.meter.window, Calendar):
            until = min(until, need.meter.window.span(self._moment(now)).until - self._contact.ahead)
        self._leases.held[name] = Lease(hold=hold, amount=amount, until=until)

    def _take_back(self, lease: Lease | None) -> None:
        if lease is not None:
            self._owed.append((lease.hold, NOTHING, None))

    async def _give_back(self, name: str) -> bool:
        """Say what was used of a lease; whether there was one that could be given back."""
        lease = self._leases.held.get(name)
        if lease is None or lease.calls:
            return False
        del self._leases.held[name]
        used = Amounts(lease.used, lease.used, 0)
        try:
            await self._run_settle(lease.hold, used, None)
        except BaseException:
            self._owed.append((lease.hold, used, None))
            raise
        return True

    # Small things.

    def _new_hold(self, meters: Sequence[Meter], amounts: Amounts) -> Hold:
        self._next += 1
        return Hold(self._next, Claims(tuple(meters), [0] * len(meters), amounts))

    def _unreachable(self, error: BaseException) -> UpstreamError:
        self._contact.lost(error)
        return UpstreamError("the shared accounts cannot be reached", hint="Try again when you are online.")

    def _moment(self, now: float) -> float:
        return now + self._contact.ahead
