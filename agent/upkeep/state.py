"""The state directory while the agent runs: what signs is put back where somebody has removed it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, MutableMapping

from agent.errors import HostError
from agent.host.paths import StatePaths
from agent.host.state_presence import StatePresence

log = logging.getLogger(__name__)


class StateKeeper:
    """One for the life of the engine, since it remembers the directory that there was."""

    def __init__(
        self, paths: StatePaths, put_back: Callable[[], None], missing: MutableMapping[str, str]
    ) -> None:
        """`put_back` writes what signs, and raises HostError; `missing` is told what is gone. Blocks."""
        self._paths = paths
        self._put_back = put_back
        self._missing = missing
        self._presence = StatePresence(paths)
        self._lost = False
        self._done = False

    async def look(self) -> bool:
        """Whether the directory was removed, and the root that is trusted was put back just now: then another engine
        should begin with the rest anew. Not at the first look, since whoever removes it would remove that, too."""
        if self._done:
            return False
        before, self._lost = self._lost, await asyncio.to_thread(self._presence.lost)
        if self._lost and before:
            self._done = await self._restore()
        return self._done

    async def _restore(self) -> bool:
        paths, missing = self._paths, self._missing

        def put_back() -> None:
            paths.prepare()
            self._put_back()

        if "state" not in missing:
            missing["state"] = f"the state directory {paths.root} was removed while the agent ran"
            log.error("%s", missing["state"])
        try:
            await asyncio.to_thread(put_back)
        except HostError as error:
            if str(error) not in missing["state"]:
                log.warning("%s", error)
                missing["state"] += f" ({error})"
            return False
        return True
