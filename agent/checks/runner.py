"""Asks checks, all at once, each under its own deadline. Composed once, by the daemon."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from agent.checks.adapters import Means, build_adapter
from agent.checks.asking import AskedCheck
from agent.checks.http import AioHttp, HttpConfig
from agent.checks.keys import KeyRing
from agent.checks.onnx.classifier import Classifier
from agent.checks.onnx.worker import Worker
from agent.checks.ports import CheckError
from agent.inspection.outside import Report, Segment
from agent.policy.checks import Check

log = logging.getLogger(__name__)

MAX_CONFIGURATIONS = 60
"""Of checks whose memory is kept: three policies full of them."""


class Checks:
    """Every check that some policy in force has asked for. A changed configuration is another check."""

    def __init__(
        self,
        http: HttpConfig,
        secret: Callable[[str], str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`secret` resolves references and may block. Nothing is opened before a check is asked."""
        self._clock = clock
        self._http = AioHttp(http)
        self._worker = Worker()
        self._means = Means(
            http=self._http, keys=KeyRing(secret, clock=clock), worker=self._worker, clock=clock
        )
        self._asked: OrderedDict[bytes, AskedCheck] = OrderedDict()

    async def run(self, wanted: tuple[tuple[Check, tuple[Segment, ...]], ...]) -> tuple[Report, ...]:
        """A report for each check on its segments. Never raises."""
        reports = [self._check(check).report(segments) for check, segments in wanted]
        return tuple(await asyncio.gather(*reports))

    async def prepare(self, checks: tuple[Check, ...]) -> None:
        """A policy with these checks has come into force: forget the others, with their models, and load what takes
        long to load, so that the first exchange need not wait for it. Never raises."""
        current = {check.digest for check in checks}
        for key in self._asked.keys() - current:
            del self._asked[key]  # who still asks it keeps it
        for check in checks:
            adapter = self._check(check).adapter
            if isinstance(adapter, Classifier):
                try:
                    await adapter.ready()
                except CheckError as error:
                    log.error("check %s: %s", check.id, error)  # noqa: TRY400  said in full

    async def aclose(self) -> None:
        """Close every connection and end the worker."""
        await self._http.aclose()
        self._worker.close()

    def _check(self, check: Check) -> AskedCheck:
        key = check.digest
        found = self._asked.get(key)
        if found is None:
            found = self._asked[key] = AskedCheck(check, build_adapter(check, self._means), clock=self._clock)
            if len(self._asked) > MAX_CONFIGURATIONS:
                self._asked.popitem(last=False)
        self._asked.move_to_end(key)
        return found
