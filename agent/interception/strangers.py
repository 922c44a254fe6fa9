"""Which hosts outside the catalog AI apps talk to: counted, and each pair told once. Reads nothing of the connections,
which are tunnelled blindly; names are all there is."""

from __future__ import annotations

from collections import OrderedDict

from agent.model.app import AppKind

REMEMBERED = 1024
"""Pairs of app and host that are counted; the one that was met longest ago is forgotten first."""

SAMPLE_SECONDS = 600.0
"""Of the connections to one host, one in so long has its program looked for."""

PER_SECOND = 1.0
BURST = 16
"""So many programs are looked for in a second, and so many at once after a while of silence. One search costs about
1.5 ms of CPU where the program was not seen lately (docs/adr/0034-hosts-of-tunnels-are-sampled.md)."""

TELLING = frozenset({AppKind.AGENT, AppKind.DESKTOP, AppKind.IDE, AppKind.EXTENSION, AppKind.SERVER})
"""Programs of which it is told. Where a browser or a general tool goes is its user's business, not AI."""

_TOLD_EACH = 32  # hosts of one app that are told: a browser engine inside an app meets thousands


class Strangers:
    """Counts connections of known apps to hosts that the catalog does not have. One for the life of the agent."""

    def __init__(self) -> None:
        self._met: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._told: dict[str, int] = {}  # by app
        self._sampled: OrderedDict[str, float] = OrderedDict()  # hosts, with when
        self._budget = float(BURST)
        self._counted_at = 0.0

    def samples(self, host: str, now: float) -> bool:
        """Whether the program behind this connection is to be looked for; `now` in seconds of any clock."""
        host = host.lower().rstrip(".")
        before = self._sampled.get(host)
        if before is not None and 0 <= now - before < SAMPLE_SECONDS:
            return False
        if self._counted_at:
            self._budget = min(float(BURST), self._budget + max(0.0, now - self._counted_at) * PER_SECOND)
        self._counted_at = now
        if self._budget < 1.0:
            return False
        self._budget -= 1.0
        self._sampled.pop(host, None)
        self._sampled[host] = now
        if len(self._sampled) > REMEMBERED:
            self._sampled.popitem(last=False)
        return True

    def met(self, app: str, host: str) -> bool:
        """Count a connection; whether this is worth an event: the first of its pair, within the app's share."""
        if not app:
            return False
        pair = (app, host.lower().rstrip("."))
        times = self._met.pop(pair, 0) + 1
        self._met[pair] = times
        if len(self._met) > REMEMBERED:
            self._met.popitem(last=False)
        told = self._told.get(app, 0)
        if times > 1 or told >= _TOLD_EACH:
            return False
        self._told[app] = told + 1
        return True

    def counts(self) -> tuple[tuple[str, str, int], ...]:
        """App, host and connections, those that were met last at the end."""
        return tuple((app, host, times) for (app, host), times in self._met.items())
