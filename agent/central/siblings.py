"""The metrics of all workers on one page: whoever is asked asks the others, over the loopback port of each.

Every process counts for itself (one registry, nothing global: prometheus_client's multi-process mode would need an
environment variable before the first import, and files that outlive a crash). A label `worker` tells them apart, so
that a worker's restart is seen as the reset of a counter that it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from agent.gateway.local import Answer, LocalPage
from agent.telemetry.metrics import CONTENT_TYPE

log = logging.getLogger(__name__)

_SECONDS = 3.0  # for a sibling's page; a scraper waits ten
_OWN = "own"
_UP = "drawbridge_worker_up"

type Ask = Callable[[int], bytes]
"""The page of a worker, by its number; blocks. Raises DrawbridgeError."""


class CrewMetricsPage:
    """Implements `LocalPage`: a worker's page with those of its siblings. With `?own=1` its own alone, as it is."""

    def __init__(self, own: LocalPage, number: int, count: int, ask: Ask) -> None:
        self._own = own
        self._number = number
        self._count = count
        self._ask = ask

    async def answer(self, query: bytes, bearer: bytes, *, owner: bool) -> Answer:
        """See `LocalPage`."""
        status, fields, body = await self._own.answer(query, bearer, owner=owner)
        if status != 200 or _OWN in parse_qs(query.decode("latin-1"), max_num_fields=10):
            return status, fields, body
        others = [number for number in range(self._count) if number != self._number]
        found = await asyncio.gather(*(self._page(number) for number in others))
        pages = {self._number: body} | dict(zip(others, found, strict=True))
        merged = await asyncio.to_thread(merge, {number: pages[number] for number in sorted(pages)})
        return 200, ((b"content-type", CONTENT_TYPE.encode()),), merged

    async def _page(self, number: int) -> bytes | None:
        try:
            async with asyncio.timeout(_SECONDS):
                return await asyncio.to_thread(self._ask, number)
        except Exception as error:  # whatever it is, the others' metrics are wanted
            log.warning("worker %d tells no metrics: %s", number, type(error).__name__)
            return None


def merge(pages: Mapping[int, bytes | None]) -> bytes:
    """One page in Prometheus's text format out of several by their worker; None is one that did not answer. All samples
    of a metric stand together, as the format wants it."""
    heads: dict[bytes, list[bytes]] = {}
    samples: dict[bytes, list[bytes]] = {}
    for number, page in pages.items():
        name = b""
        for line in (page or b"").splitlines():
            if line.startswith((b"# HELP ", b"# TYPE ")):
                name = line.split(b" ", 3)[2]
                known = heads.setdefault(name, [])
                if line[:7] not in [each[:7] for each in known]:
                    known.append(line)
                samples.setdefault(name, [])
            elif line and not line.startswith(b"#"):
                samples.setdefault(name, []).append(_labelled(line, b'worker="%d"' % number))
    lines: list[bytes] = [b"# HELP %s Whether a worker answers." % _UP.encode()]
    lines.append(b"# TYPE %s gauge" % _UP.encode())
    lines += [
        b'%s{worker="%d"} %d' % (_UP.encode(), number, page is not None) for number, page in pages.items()
    ]
    for name, found in samples.items():
        lines += [*heads.get(name, ()), *found]
    return b"\n".join([*lines, b""])


def _labelled(sample: bytes, label: bytes) -> bytes:
    brace, space = sample.find(b"{"), sample.find(b" ")
    if 0 <= brace < space:
        return sample[: brace + 1] + label + b"," + sample[brace + 1 :]
    return sample[:space] + b"{" + label + b"}" + sample[space:]
