"""Which hosts outside the catalog AI apps talk to: counted, and each pair told once. Reads nothing of the connections,
which are tunnelled blindly; names are all there is."""

from __future__ import annotations

from collections import OrderedDict

REMEMBERED = 1024
"""Pairs of app and host that are counted; the one that was met longest ago is forgotten first."""

_TOLD_EACH = 32  # hosts of one app that are told: a browser engine inside an app meets thousands


class Strangers:
    """Counts connections of known apps to hosts that the catalog does not have. One for the life of the agent."""

    def __init__(self) -> None:
        self._met: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._told: dict[str, int] = {}  # by app

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
