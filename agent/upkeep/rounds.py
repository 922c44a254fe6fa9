"""The rounds of a running agent: what others change under it is seen within seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from agent.upkeep.company_way import CompanyWay
from agent.upkeep.state import StateKeeper

ROUND_SECONDS = 2.0

log = logging.getLogger(__name__)


class Rounds:
    """Looks after where programs were led before us, and after the state directory."""

    def __init__(
        self,
        way: CompanyWay,
        state: StateKeeper,
        *,
        another: Callable[[], None] | None,
        led_elsewhere: Callable[[], None],
    ) -> None:
        """`another` has another engine take over, where somebody can; `led_elsewhere` is called when programs were led
        elsewhere before us than we knew."""
        self._way = way
        self._state = state
        self._another = another
        self._led_elsewhere = led_elsewhere

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(ROUND_SECONDS)
            await self.look()

    async def look(self) -> None:
        """One round."""
        led_elsewhere = await self._way.look()
        if await self._state.look():
            self._begin_anew()
        if led_elsewhere:
            if self._way.moved:
                self._change_company_proxy()
            self._led_elsewhere()

    def _begin_anew(self) -> None:
        if self._another is not None:
            log.error("what signs is put back, and another engine begins with the rest anew")
            self._another()
        else:
            log.error("what signs is put back; nothing is recorded until the agent is started again")

    def _change_company_proxy(self) -> None:
        """The company's proxy is built into every connection of ours."""
        if self._another is not None:
            log.info("the company's proxy is another one now: another engine takes over")
            self._another()
        else:
            log.warning("the company's proxy is another one now: it is used from the next start on")
