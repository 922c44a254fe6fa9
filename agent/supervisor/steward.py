"""Keeps the operating system's settings in step with the engine: they lead here while one serves, and only then.

In the supervisor because it outlives the engine, knows first that none serves, and is what a service manager stops.
What is changed is decided by `agent.host.arrangement`; where that is root's to do and we are not, root is asked.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.errors import ConfigError, HostError
from agent.host.arrangement import Aims, Arrangement, Row, State
from agent.host.canary import SILENT
from agent.host.capture_nftables import KIND as CAPTURE
from agent.host.capture_nftables import SCOPE as CAPTURE_SCOPE
from agent.host.journal import Undone
from agent.host.setting_drift import Drift, Patience, Verdict
from agent.host.settings_request import Request, ask
from agent.host.settings_state import Led, write_state

log = logging.getLogger(__name__)

_ROOTS = 30.0  # seconds for root to do what it was asked for
_OUTSIDE = (
    ("192.0.2.1", socket.AF_INET),
    ("2001:db8::1", socket.AF_INET6),
)  # addresses of nobody (RFC 5737, 3849)


def network() -> str:
    """What changes when the machine comes to another network: its interfaces, and the address by which it leaves.

    Nothing is sent: connecting a datagram socket only asks the routing table. Standard library only, unlike psutil.
    """
    told = [name for _, name in socket.if_nameindex()] if hasattr(socket, "if_nameindex") else []
    for address, family in _OUTSIDE:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            told.append(str(probe.getsockname()[0]))
    return " ".join(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """What a steward works with. `aims` says what is wanted, and raises for settings that cannot be; `asks` is the file
    in which root is asked, None where we may change settings ourselves; `state` tells how it is."""

    arrangement: Arrangement
    aims: Callable[[], Aims]
    state: Path
    asks: Path | None = None
    canary: Callable[[], bool | None] | None = (
        None  # whether captured traffic arrives; None: nothing is captured
    )
    ports: tuple[int, int] = (0, 0)
    surveys: bool = True  # whether anybody wants to know where programs were led before us
    in_charge: bool = True  # whether the settings ask for anything at all
    patience: Patience = field(default_factory=Patience)
    network: Callable[[], str] = network
    clock: Callable[[], float] = time.monotonic
    glance: float = 5.0  # seconds between looks at the network …
    round: float = 60.0  # … at the settings …
    hour: float = 3600.0  # … and at the company's PAC file


class Steward:
    """What it does takes place one at a time, off the loop, and never raises: a supervisor has more to care for."""

    def __init__(self, mandate: Mandate) -> None:
        self._mandate = mandate
        self._one = asyncio.Lock()
        self._wanted = False
        self._applied = False
        self._drift = Drift(mandate.patience)
        self._reasons: tuple[str, ...] = ()
        self._surveyed = mandate.clock()
        self._uncaptured = ""  # why capture has switched itself off
        self._undone = False  # whether root was asked to take everything back, and not yet to put it again
        self._asked: float | None = None  # since when root has been asked for what is not seen yet
        self.led: Led | None = None
        """How it is, as last told."""

    async def begin(self) -> None:
        """What another supervisor has left is taken back, unless it leads exactly here, where we answer already."""
        await self._off_loop(self._begin)

    async def survey(self, *, hurried: bool = False) -> None:
        """Where programs are led but by us, so that the engine knows; `hurried`: it is about to start."""
        mandate = self._mandate
        if mandate.surveys:
            self._surveyed = mandate.clock()
            await self._off_loop(lambda: mandate.arrangement.survey(mandate.ports, hurried=hurried))

    async def serving(self) -> None:
        """An engine serves: lead programs here."""
        self._wanted = True
        if self._mandate.in_charge:
            await self._off_loop(self._apply)
        while self._asked is not None:  # nobody is left with half of it
            await asyncio.sleep(self._mandate.patience.settle)
            await self._check()

    async def away(self) -> None:
        """No engine serves, and none will soon: lead them back to where they went before us."""
        self._wanted = False
        await self._off_loop(self._restore)

    async def gone(self) -> None:
        """The engine has ended. Captured connections know no other way: they are let go at once, until one serves."""
        if self._mandate.canary is not None:
            await self.away()

    async def run(self) -> None:
        """Look after the settings, for ever: at once where the network changes, and now and then."""
        mandate = self._mandate
        known, looked = mandate.network(), mandate.clock()
        hurried = False
        while mandate.in_charge or mandate.surveys:
            await asyncio.sleep(mandate.patience.settle if hurried else mandate.glance)
            now = mandate.network()
            changed, known = now != known, now
            if changed:  # and may go on changing: a look now would see half of it
                hurried = True
                continue
            if hurried or mandate.clock() - self._surveyed >= mandate.hour:
                await self.survey()
            if hurried or mandate.clock() - looked >= mandate.round:
                looked = mandate.clock()
                hurried = await self._check()

    async def _check(self) -> bool:
        """Look; whether to look again soon."""
        if not self._wanted or not self._mandate.in_charge:
            return False
        verdicts: list[Verdict] = []
        await self._off_loop(lambda: verdicts.append(self._look()))
        return Verdict.WAIT in verdicts

    async def _off_loop(self, act: Callable[[], object]) -> None:
        async with self._one:
            await asyncio.get_running_loop().run_in_executor(None, self._try, act)

    # What blocks.

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except (HostError, ConfigError) as error:
            self._tell(Led.FAILED, str(error))
        except Exception as error:  # whatever it is: the engine is to be supervised all the same
            log.exception("settings could not be looked after")
            self._tell(Led.FAILED, type(error).__name__)

    def _begin(self) -> None:
        arrangement = self._mandate.arrangement
        if self._mandate.asks is not None:
            return  # the service manager has root do it, before us
        if not self._mandate.in_charge:
            self._restore()
            return
        left = arrangement.following
        settled = {
            (row.kind, row.scope) for row in arrangement.look(self._aims()) if row.state is State.ALREADY
        }
        if any((each.kind, each.scope) not in settled for each in left):
            self._restore()

    def _apply(self) -> None:
        if not self._wanted:
            return
        if self._mandate.asks is not None:
            rows = self._seen()
            # what is seen may be about to go: root may not have come to it yet
            if self._undone or any(row.state is State.CHANGES for row in rows):
                self._undone = False
                self._ask()
                return
            self._asked = None
        else:
            rows = self._mandate.arrangement.apply(self._aims())
            if any(row.kind == CAPTURE and row.reason.startswith(SILENT) for row in rows):
                self._give_up(
                    SILENT
                )  # it is taken back already; put again each minute it would cost a network
                rows = tuple(row for row in rows if row.kind != CAPTURE)
        self._report(rows)

    def _ask(self) -> None:
        assert self._mandate.asks is not None
        ask(self._mandate.asks, Request.SETUP_UNCAPTURED if self._uncaptured else Request.SETUP)
        if self._asked is None:
            self._asked = self._mandate.clock()
        self._tell(Led.ASKED)

    def _seen(self, *, tried: bool = False) -> tuple[Row, ...]:
        """How things are. Only root sees the table of what is captured; whether it works, the canary tells, unless it
        was `tried` just now."""
        aims, mandate = self._aims(), self._mandate
        if mandate.asks is None or mandate.canary is None or not aims.capture:
            return mandate.arrangement.look(aims)
        rows = mandate.arrangement.look(replace(aims, capture=""))
        if tried:
            return rows
        sings = mandate.canary()
        if sings is None and self._asked is None and self.led is not Led.HERE:
            sings = False  # without a network it cannot be told: root is asked all the same
        state = State.CHANGES if sings is False else State.ALREADY
        return (*rows, Row(kind=CAPTURE, scope=CAPTURE_SCOPE, state=state))

    def _aims(self) -> Aims:
        aims = self._mandate.aims()
        return replace(aims, capture="") if self._uncaptured else aims

    def _try_canary(self) -> None:
        """Capture that does not work is switched off, until we are started again."""
        canary = self._mandate.canary
        if canary is None or self._uncaptured or not self._applied or not self._aims().capture:
            return
        if canary() is not False:
            return
        self._give_up(SILENT)

    def _give_up(self, why: str) -> None:
        """Capture no more, until we are started again."""
        self._uncaptured = why
        log.error("capture is switched off: %s", why)
        if self._mandate.asks is not None:
            ask(self._mandate.asks, Request.SETUP_UNCAPTURED)
            self._tell(Led.CAPTURE_FAILED, why)
            return
        report = self._mandate.arrangement.release()
        failed = report is not None and report.undone is Undone.FAILED
        self._tell(Led.CAPTURE_FAILED, self._uncaptured, *((report.reason,) if report and failed else ()))

    def _restore(self) -> None:
        self._applied, self._asked = False, None
        if self._mandate.asks is not None:
            if self._mandate.in_charge:
                ask(self._mandate.asks, Request.RESTORE)
                self._undone = True
                self._tell(Led.NOT)
            return
        if not self._mandate.in_charge and not self._leads_here():
            return  # whatever is changed, another agent is behind it
        reports = self._mandate.arrangement.restore(everything=False)
        failed = [
            f"{each.change.kind} {each.change.scope}: {each.reason}"
            for each in reports
            if each.undone is Undone.FAILED
        ]
        if reports:
            log.info("%d settings are restored", len(reports) - len(failed))
        if reports or self.led is not None:
            self._tell(Led.FAILED if failed else Led.NOT, *failed)

    def _leads_here(self) -> bool:
        here = f"127.0.0.1:{self._mandate.ports[0]}"
        return any(
            each.kind == CAPTURE or here in (each.ours or "") for each in self._mandate.arrangement.following
        )

    def _look(self) -> Verdict:
        if not self._wanted:
            return Verdict.CALM
        if not self._applied and self._mandate.asks is None:
            self._apply()
            return Verdict.CALM
        if self._asked is not None:
            return self._look_after_root()
        self._try_canary()
        rows = self._seen(tried=True)
        drifted = [row for row in rows if row.state is State.CHANGES]
        verdict = self._drift.seen(self._mandate.clock(), drifted=bool(drifted))
        names = ", ".join(map(_name, drifted))
        if verdict is Verdict.REAPPLY:
            log.warning("%s: not as it should be, and set again", names)
            self._apply()
        elif verdict is Verdict.OVERRIDDEN and self.led is not Led.OVERRIDDEN:
            log.error("%s: changed again and again by somebody else, and left to them", names)
            self._tell(Led.OVERRIDDEN, *map(_name, drifted))
        elif verdict is Verdict.CALM:
            failed = _failures(rows)
            led = Led.FAILED if failed else Led.HERE
            if led is not self.led and not (self._uncaptured and led is Led.HERE):
                self._tell(led, *failed)
        return verdict

    def _look_after_root(self) -> Verdict:
        """Whether root has done what it was asked for; what it cannot capture is asked for no more."""
        assert self._asked is not None
        rows = self._seen()
        waits = [row for row in rows if row.state is State.CHANGES]
        if waits and self._mandate.clock() - self._asked < _ROOTS:
            return Verdict.WAIT
        self._asked = None
        if any(row.kind == CAPTURE for row in waits):
            self._give_up("root was asked for it, and it does not work: see the log of drawbridge-setup")
        elif waits:
            self._tell(Led.FAILED, *(f"{_name(row)}: root has not set it" for row in waits))
        else:
            self._report(rows)
        return Verdict.CALM

    def _report(self, rows: tuple[Row, ...]) -> None:
        failed = _failures(rows)
        changed = sum(row.state is State.CHANGED for row in rows)
        if changed:
            log.info("%d settings lead here now", changed)
        # what cannot be captured holds nothing else up, and is tried again like all that failed
        self._applied = not failed
        self._tell(Led.FAILED if failed else Led.HERE, *failed)

    def _tell(self, led: Led, *reasons: str) -> None:
        if led is Led.HERE and self._uncaptured:
            led, reasons = Led.CAPTURE_FAILED, (self._uncaptured,)
        if (led, reasons) == (self.led, self._reasons):
            return  # what cannot be done is tried again and again, and told once
        self.led, self._reasons = led, reasons
        if led is Led.FAILED:
            for reason in reasons:
                log.error("settings of the system: %s", reason)
        try:
            write_state(self._mandate.state, led, time.time(), reasons)
        except HostError as error:
            log.warning("%s", error)


def _name(row: Row) -> str:
    return f"{row.kind} {row.scope}".strip()


def _failures(rows: tuple[Row, ...]) -> list[str]:
    return [f"{_name(row)}: {row.reason}" for row in rows if row.state is State.FAILED]
