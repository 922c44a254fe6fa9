"""The company's way out: where programs were led before us, and the proxy for our own requests that follows of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from agent.host.earlier import read_earlier
from agent.host.settings import Settings
from agent.host.upstream import settled


class CompanyWay:
    """Whoever changes the OS's settings leaves where they led before in a file, and waits until our PAC file says so,
    too."""

    def __init__(self, given: Settings, file: Path, environ: Mapping[str, str]) -> None:
        """`given` are the settings as they were read. Blocks."""
        self._given = given
        self._file = file
        self._environ = environ
        self.earlier = read_earlier(file)
        """Where programs were led before us."""
        self.settings = settled(given, environ, self.earlier)
        """The settings with the company's proxy decided. That is built into connections, and stays."""

    async def look(self) -> bool:
        """Read the file again; whether it says something else now."""
        found = await asyncio.to_thread(read_earlier, self._file)
        changed = found != self.earlier
        self.earlier = found
        return changed

    @property
    def moved(self) -> bool:
        """Whether the company's proxy is another than the one that is built into our connections."""
        now, held = settled(self._given, self._environ, self.earlier), self.settings
        return (now.upstream_proxy, now.upstream_direct) != (held.upstream_proxy, held.upstream_direct)
