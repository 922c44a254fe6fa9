"""The tray: looks at the agent, shows what it saw, tells what is new, and does what is chosen."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from agent.errors import HostError
from agent.tray.deeds import Deeds
from agent.tray.menu import Deed, Item, Menu, menu_of
from agent.tray.news import News
from agent.tray.notifiers import Notifier
from agent.tray.panels import Panel
from agent.tray.seen import Seen, SignIn
from agent.tray.watch import Watch

log = logging.getLogger(__name__)

_SUMS_SECONDS = 30.0  # a panel may close a menu that changes: sums alone do not change it more often
_THEME_SECONDS = 300.0  # between two looks at how bright the panel is
_END_SECONDS = 2.0


class Tray:
    """One person's tray. `tells` is asked before each notification whether they are wanted."""

    def __init__(
        self,
        watch: Watch,
        news: News,
        deeds: Deeds,
        notifier: Notifier,
        *,
        tells: Callable[[], bool],
        dark: Callable[[], bool],
        renew: Callable[[SignIn], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`renew` renews the sign-in when that is due, and returns at once."""
        self._watch = watch
        self._news = news
        self._deeds = deeds
        self._notifier = notifier
        self._tells = tells
        self._look_dark = dark
        self._renew = renew
        self._clock = clock
        self._panel: Panel | None = None
        self._seen = Seen()
        self._shown: tuple[Menu, bool] | None = None
        self._shown_at = 0.0
        self._dark = False
        self._dark_until = -_THEME_SECONDS
        self._wake = threading.Event()
        self._closing = False
        self.failed = False
        """Whether it ended by an error of ours."""
        self._asking = threading.Lock()
        self._quiet = self._shown_quiet = False  # as the person wishes
        self._mute = False  # whether it was said that notifications fail

    def run(self, panel: Panel) -> None:
        """Until somebody closes it; for the main thread."""
        self._panel = panel
        looking = threading.Thread(target=self._loop, name="tray", daemon=True)
        try:
            panel.run(looking.start, self.choose)
        finally:
            self.close()
            if looking.ident is not None:
                looking.join(_END_SECONDS)

    def close(self) -> None:
        """End `run`. From any thread; safe to call twice."""
        if self._closing:
            return
        self._closing = True
        self._wake.set()
        if self._panel is not None:
            self._panel.stop()

    def choose(self, item: Item) -> None:
        """Do what was chosen, beside the panel's loop: a person may take minutes to answer."""
        if item.deed is Deed.QUIT:
            self.close()
            return
        if item.deed is Deed.QUIET:
            self._quiet = not self._quiet
            self._wake.set()
            return
        threading.Thread(target=self._do, args=(item,), name="deed", daemon=True).start()

    def _do(self, item: Item) -> None:
        asks = item.deed in (Deed.PAUSE, Deed.SIGN_IN)
        if asks and not self._asking.acquire(blocking=False):
            return  # the question stands there already
        try:
            self._deeds.do(item, self._seen.pausing)
        except HostError as error:
            log.warning("%s", error)
        finally:
            if asks:
                self._asking.release()
        self._wake.set()  # the next look shows what came of it

    def _loop(self) -> None:
        try:
            while not self._closing:
                self.step()
                self._wake.wait(self._watch.pause)
                self._wake.clear()
        except Exception:
            log.exception("the tray ends")
            self.failed = True
            self.close()

    def step(self) -> None:
        """One look, and what follows from it."""
        look = self._watch.look()
        self._seen = look.seen
        now = self._clock()
        if now - self._dark_until >= 0:
            self._dark, self._dark_until = self._look_dark(), now + _THEME_SECONDS
        self._renew(look.seen.sign_in)
        quiet = self._quiet
        at_once = bool(look.fresh) or quiet is not self._shown_quiet
        self._show(menu_of(look.seen, quiet=quiet), now, at_once=at_once)
        self._shown_quiet = quiet
        for bulletin in self._news.of(look, now):
            self._tell(bulletin.title, bulletin.text, urgent=bulletin.urgent)

    def _show(self, menu: Menu, now: float, *, at_once: bool) -> None:
        if self._shown == (menu, self._dark) or self._panel is None:
            return
        if self._shown is not None and not at_once:
            before, dark = self._shown
            same = (before.state, before.title, dark) == (menu.state, menu.title, self._dark)
            if same and now - self._shown_at < _SUMS_SECONDS:
                return
        self._panel.show(menu, dark=self._dark)
        self._shown, self._shown_at = (menu, self._dark), now

    def _tell(self, title: str, text: str, *, urgent: bool) -> None:
        if self._quiet or not self._tells():
            return
        try:
            self._notifier.notify(title, text, urgent=urgent)
        except HostError as error:
            if not self._mute:
                log.warning("%s", error)
            self._mute = True
        else:
            self._mute = False
