"""What the verbs that only look answer: documents made of what the running agent knows."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from agent import __version__
from agent.audit import Trail
from agent.audit.retention import Limits
from agent.control import words
from agent.control.caller import Caller
from agent.control.health import Health
from agent.control.pausing import PauseKeeper
from agent.control.signing_in import account_of
from agent.control.verbs import EventWish, LiveWish, Nothing
from agent.errors import AuditError
from agent.host.appearances import AppearanceFile
from agent.host.paths import StatePaths
from agent.host.settings import Settings
from agent.host.settings_state import read_state
from agent.inspection import RuleBook
from agent.signin.keeping import Keeper
from agent.telemetry.observatory import Observatory

_MOST_APPS = 500
_TOLD = ("manage_proxy", "manage_environment", "manage_trust", "capture")
"""Settings that say what becomes of this machine, and are no secret to who works on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the facts come from. `facts` are those of the running engine."""

    rules: Callable[[], RuleBook]
    facts: Callable[[], Mapping[str, object]]
    observatory: Observatory
    settings: Settings
    paths: StatePaths
    people: Keeper
    roots: Callable[[], bytes] = bytes  # to trust, as PEM
    supervised: bool = False


class Reading:
    """Answers. Nothing here changes anything."""

    def __init__(
        self, sources: Sources, health: Health, pauses: PauseKeeper, watch: Callable[[], object]
    ) -> None:
        """`watch` brings the health up to date."""
        self._from = sources
        self._health = health
        self._pauses = pauses
        self._watch = watch
        self._trail = Trail(sources.paths)

    def state(self) -> dict[str, object]:
        """What the agent does now, in one word, and what is wrong with it."""
        self._watch()
        warnings = self._health.warnings()
        pause = self._pauses.current
        observing = any(each.about.code == "observing" for each in warnings)
        if pause is not None:
            word = "paused"
        elif self._health.degraded:
            word = "degraded"
        else:
            word = "observing" if observing else "guarding"
        return {
            "state": word,
            "health": [each.document() for each in warnings],
            "pause": None
            if pause is None
            else {
                "user": pause.user,
                "reason": pause.reason,
                "begun_at": pause.begun_at,
                "ends_at": time.time() + self._pauses.seconds_left,
            },
        }

    async def status(self, caller: Caller, wish: Nothing) -> dict[str, object]:
        """Is it up, what does it do, under which policy, and as whom the one who asks has signed in."""
        del wish
        standing = self._from.people.standing(await account_of(caller))
        told = {name: standing[name] for name in ("state", "name", "until", "why") if name in standing}
        return {"running": True, **self.state(), "sign_in": told, **self._from.facts()}

    async def health(self, caller: Caller, wish: Nothing) -> dict[str, object]:
        """What is wrong."""
        del caller, wish
        return self.state()

    async def policy(self, caller: Caller, wish: Nothing) -> dict[str, object]:
        """The policy in force, in words, and the hosts that are decrypted."""
        del caller, wish
        book = self._from.rules()
        policy = book.policy
        return {
            "id": policy.id,
            "revision": policy.revision,
            "description": policy.description,
            "digest": book.digest,
            "mode": policy.mode.value,
            "capture": policy.capture.value,
            "notes": list(words.notes(policy)),
            "rules": [asdict(each) for each in words.rules(policy)],
            "kept": words.kept(policy),
            "kept_for": words.kept_for(Limits()),
            "services": words.services(book),
        }

    async def live(self, caller: Caller, wish: LiveWish) -> dict[str, object]:
        """The exchanges that run and those that ended last; of others than operators, only their own."""
        view = self._from.observatory.view(wish.since, limit=wish.limit)
        if (about := caller.about) is not None:
            view |= {name: _own(view[name], about) for name in ("running", "exchanges")}
            view |= {"keys": [], "budgets": []}  # of the whole machine
        return view

    async def events(self, caller: Caller, wish: EventWish) -> dict[str, object]:
        """Events of the audit trail. Raises AuditError."""
        rows = await asyncio.to_thread(
            self._trail.events,
            after=wish.after,
            kind=wish.kind,
            decision=wish.decision,
            host=wish.host,
            user=caller.about,
            limit=wish.limit,
        )
        return {"events": [asdict(row) for row in rows]}

    async def event(self, caller: Caller, reference: str) -> dict[str, Any]:
        """One event, whole. Raises AuditError, also where it is about somebody else."""
        document: dict[str, Any] = (await asyncio.to_thread(self._trail.show, reference)).document
        actor = document.get("actor") or {}
        if caller.about is not None and (actor.get("user") or {}).get("name") != caller.about:
            raise AuditError(f"no event '{reference}'")
        return document

    async def inventory(self, caller: Caller, wish: Nothing) -> dict[str, object]:
        """Which programs were seen asking models."""
        del wish
        seen = await asyncio.to_thread(AppearanceFile(self._from.paths.appearances).read)
        apps = [
            {
                "name": each.name,
                "surface": each.surface,
                "host": each.host,
                "user": each.user,
                "first_seen": each.first_seen,
                "last_seen": each.last_seen,
                "requests": each.requests,
                "blocked": each.blocked,
            }
            for each in sorted(seen, key=lambda each: -each.last_seen)
            if caller.about is None or each.user == caller.about
        ]
        return {"apps": apps[:_MOST_APPS]}

    async def service(self, caller: Caller, wish: Nothing) -> dict[str, object]:
        """What an account that may not read the agent's files cannot see of it: for the doctor."""
        del caller, wish
        return await asyncio.to_thread(self._service)

    def _service(self) -> dict[str, object]:
        """Blocks."""
        paths, settings = self._from.paths, self._from.settings
        led = read_state(paths.settings_state)
        newest = self._newest()
        trail = None
        with suppress(OSError):
            trail = paths.spool.stat().st_size
        return {
            "supervised": self._from.supervised,
            "state_dir": str(paths.root),
            "roots": self._from.roots().decode("ascii"),
            "settings": {name: getattr(settings, name) for name in _TOLD},
            "led": None if led is None else {"state": led.led, "at": led.at, "reasons": list(led.reasons)},
            "free_bytes": shutil.disk_usage(paths.root).free if paths.root.is_dir() else None,
            "trail_bytes": trail,
            "trail_limit": Limits().max_bytes,
            "newest_event": newest,
        }

    def _newest(self) -> float | None:
        """When the newest event was recorded; None where that cannot be told."""
        with suppress(AuditError):
            for row in self._trail.events(limit=1):
                return row.time_ms / 1e3
        return None

    async def diag(self, caller: Caller, wish: Nothing) -> dict[str, object]:
        """What support asks for first. Holds no secret: settings hold none, and no policy text is in it."""
        settings = self._from.settings
        return {
            **await self.status(caller, wish),
            "settings": {
                name: {
                    "value": str(getattr(settings, name)),
                    "source": origin.source.value,
                    "place": origin.place,
                }
                for name, origin in settings.origins.items()
            },
            "machine": await asyncio.to_thread(_machine),
        }


def _machine() -> dict[str, object]:
    """Blocks: the system is asked for its name."""
    return {
        "os": platform.platform(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "user": os.geteuid() if sys.platform != "win32" else None,
        "version": __version__,
    }


def _own(found: object, user: str) -> list[dict[str, object]]:
    each = found if isinstance(found, list) else []
    return [one for one in each if one.get("user") == user]
