"""Which groups a user of this machine is in. Protocol, choice by platform, and what is remembered.

A directory service may take seconds to answer, so one thread asks, and nobody waits for it longer than a moment. What
it says is used for some minutes; then it is asked again while the old answer goes on to count.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import Protocol

log = logging.getLogger(__name__)

MAX_GROUPS = 512
"""Of one user. The rest is left out."""

WAIT_SECONDS = 0.1
_MAX_NAME = 256  # characters
_AGAIN_SECONDS = 300.0
_MAX_USERS = 256

type Names = tuple[str, ...]


class GroupSource(Protocol):
    """Asks the operating system."""

    def groups(self, user: str) -> Names:
        """The names of a user's groups, none where the system knows no such user. Blocks. May raise any exception."""
        ...


def group_source(platform: str = sys.platform) -> GroupSource:
    """The one of this platform."""
    if platform == "win32":
        from agent.host.groups_windows import WindowsGroups

        return WindowsGroups()
    from agent.host.groups_posix import PosixGroups

    return PosixGroups()


class UserGroups:
    """What is known of users. May be used from several threads."""

    def __init__(
        self,
        source: GroupSource,
        clock: Callable[[], float] = time.monotonic,
        *,
        wait: float = WAIT_SECONDS,
    ) -> None:
        """`wait` is how long the first to ask about a user waits for the answer."""
        self._source = source
        self._clock = clock
        self._wait = wait
        self._known: OrderedDict[str, tuple[Names, float]] = OrderedDict()  # with when to ask again
        self._asked: dict[str, Future[None]] = {}
        self._guard = threading.Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="groups")

    def of(self, user: str) -> Names:
        """A user's groups; nothing where the system does not say in time. Blocks for a moment at worst."""
        asked = self._ask(user)
        if asked is not None and user not in self._known:
            with suppress(FutureTimeout):
                asked.result(self._wait)
        return self._names(user)

    def told(self, user: str) -> Names:
        """What is known by now. Never waits."""
        self._ask(user)
        return self._names(user)

    def close(self) -> None:
        """Ask no more."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _names(self, user: str) -> Names:
        known = self._known.get(user)
        return known[0] if known is not None else ()

    def _ask(self, user: str) -> Future[None] | None:
        """The question that is under way about a user, None where nothing is to be asked."""
        if not user:
            return None
        known = self._known.get(user)
        if known is not None and self._clock() < known[1]:
            return None
        with self._guard:
            asked = self._asked.get(user)
            if asked is None and len(self._asked) < _MAX_USERS:
                with suppress(RuntimeError):  # closed
                    asked = self._asked[user] = self._worker.submit(self._find, user)
        return asked

    def _find(self, user: str) -> None:
        names: Names | None = None
        try:
            found = (each for each in self._source.groups(user) if 0 < len(each) <= _MAX_NAME)
            names = tuple(sorted(set(found)))[:MAX_GROUPS]
        except Exception:
            log.exception("the groups of a user could not be found out")
        with self._guard:
            if names is None:
                names = self._names(user)
            self._known[user] = (names, self._clock() + _AGAIN_SECONDS)
            while len(self._known) > _MAX_USERS:
                self._known.popitem(last=False)
            self._asked.pop(user, None)
