"""Renews a person's sign-in before it ends, as long as the tray runs: beside its loop, for a provider may be slow."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from agent.errors import DrawbridgeError, HostError
from agent.signin.person import Person
from agent.signin.problems import EndedError
from agent.tray.notifiers import Notifier
from agent.tray.seen import SignIn, SignInState

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = (
    60.0,
    900.0,
)  # seconds after a renewal that failed: offline, or a provider in trouble
_NOTHING_TO_RENEW = frozenset({SignInState.NOT_SET_UP, SignInState.SIGNED_OUT})


class Renewal:
    """To be called at each look; returns at once."""

    def __init__(
        self, person: Callable[[], Person], notifier: Notifier, *, now: Callable[[], float] = time.time
    ) -> None:
        self._person = person
        self._notifier = notifier
        self._now = now
        self._pause = FIRST_PAUSE
        self._not_before = 0.0
        self._running: threading.Thread | None = None

    def __call__(self, known: SignIn) -> None:
        """Begin a renewal where one is due."""
        if known.state in _NOTHING_TO_RENEW or not known.renew_at:
            return
        if self._now() < max(known.renew_at, self._not_before) or self._busy:
            return
        self._not_before = self._now() + self._pause
        self._running = threading.Thread(target=self._renew, name="renewal", daemon=True)
        self._running.start()

    def wait(self) -> None:
        """Until what was begun is over."""
        if self._running is not None:
            self._running.join()

    @property
    def _busy(self) -> bool:
        return self._running is not None and self._running.is_alive()

    def _renew(self) -> None:
        try:
            self._person().renew()
        except EndedError as error:
            self._tell(str(error))
        except DrawbridgeError as error:
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            log.info("the sign-in is not renewed: %s", error)
        except Exception:
            log.exception("the sign-in is not renewed")
        else:
            self._pause = FIRST_PAUSE

    def _tell(self, why: str) -> None:
        try:
            self._notifier.notify("You are signed out", why, urgent=True)
        except HostError as error:
            log.warning("%s", error)
