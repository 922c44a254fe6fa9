"""Policy and settings, read again beside the running traffic: on order, and when a setting changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from agent.assembly import Assembly, policy_path
from agent.host.settings import Settings
from agent.host.settings_watch import Renew, SettingsWatch
from agent.upkeep.authority import AuthorityKeeper

type Reread = Callable[[], Settings]
type Follow = Callable[[], Awaitable[None]]


class Changes:
    """One for the life of the engine."""

    def __init__(self, shared: Assembly, authority: AuthorityKeeper, follow: Follow) -> None:
        """`follow` is called after each reading of the policy, whatever came of it."""
        self._shared = shared
        self._authority = authority
        self._follow = follow
        self._watch: SettingsWatch | None = None

    def watch(self, held: Settings, reread: Reread, renew: Renew | None) -> None:
        """From now on see settings change that differ from `held`. `renew` has another engine begin with them."""
        self._watch = SettingsWatch(
            held,
            reread,
            live={
                "policy": self._follow_policy,
                "log_level": self._follow_log_level,
                "notifications": self._leave_to_tray,
            },
            renew=renew,
        )
        self._shared.tasks.spawn(self._watch.run(), name="settings")

    def status(self) -> Mapping[str, object]:
        """What an administrator should know of settings that changed."""
        return self._watch.status() if self._watch is not None else {}

    def read_soon(self) -> None:
        """Read settings and policy again, as SIGHUP and the supervisor ask for it."""
        self._shared.tasks.spawn(self._read_all(), name="reload")

    async def _read_all(self) -> None:
        source = self._shared.policy.path
        if self._watch is not None:
            await self._watch.look()
        if self._shared.policy.path == source:  # else it was read just now
            await self._read_policy()

    async def _read_policy(self, path: Path | None = None) -> bool:
        authority = self._authority
        await authority.reopen()
        accepted = await authority.covering(lambda cover: self._shared.reload(cover, path))
        await authority.tell()
        await self._follow()
        return accepted

    async def _follow_policy(self, settings: Settings) -> bool:
        return await self._read_policy(await asyncio.to_thread(policy_path, settings))

    async def _follow_log_level(self, settings: Settings) -> bool:
        logging.getLogger("agent").setLevel(settings.log_level.upper())
        return True

    async def _leave_to_tray(self, settings: Settings) -> bool:
        """The tray reads that itself."""
        del settings
        return True
