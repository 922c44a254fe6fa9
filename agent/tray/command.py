"""`drawbridge tray`: an icon on the desktop that shows what the agent does, and notifications of what it stopped.

Runs as long as a person is signed in: it loads nothing of the rest of the command line.
"""

from __future__ import annotations

import argparse
import getpass
import logging
import os
import signal
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.control.client import Control
from agent.errors import ConfigError, DrawbridgeError, HostError
from agent.host.files import make_private_directory
from agent.host.lock import ProcessLock, is_locked
from agent.host.managed import managed_source
from agent.host.paths import config_file, state_directory, tray_directory
from agent.host.settings import Settings, load_settings
from agent.signin.here import person_of
from agent.signin.person import Person
from agent.tray.asking import DesktopAsker
from agent.tray.backends import Backend, Choice, DesktopProbe, choose, lives
from agent.tray.deeds import Deeds
from agent.tray.desktop import Theme, dark_panel
from agent.tray.news import News
from agent.tray.notifiers import BusNotifier, DarwinNotifier, IconNotifier, Notifier
from agent.tray.panels import NoPanel, Panel, PystrayPanel
from agent.tray.renewal import Renewal
from agent.tray.session_bus import listening
from agent.tray.tray import Tray
from agent.tray.watch import Watch

EXIT_FAILED = 1
EXIT_NO_PANEL = 3
_PANEL_SECONDS = 60.0  # in which the panel of a session that begins is there
_ROUND = 2.0

type Load = Callable[[], Settings]


def main(arguments: Sequence[str]) -> int:
    """Show the icon until somebody closes it; the exit code."""
    options = parser().parse_args(arguments)
    _leave_console()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        if options.check:
            return _check(_choice(wait=False))
        choice = Choice() if options.no_icon else _choice(wait=options.if_possible)
        backend = choice.backend or (choice.later if options.if_possible else None)
        if backend is None and not (options.no_icon or options.if_possible):
            _complain(f"no icon can be shown: {choice.why}", choice.hint)
            return EXIT_NO_PANEL
        with _only_one() as alone:
            if alone:
                return _serve(backend, Theme(options.theme), _loader(options.state_dir))
            if not options.if_possible:  # at the start of a session, that it is there is what was wanted
                raise HostError("your tray runs already", hint="Its icon's menu closes it.")
    except DrawbridgeError as error:
        _complain(str(error), error.hint())
        return EXIT_FAILED
    return 0


def _leave_console() -> None:
    """On Windows, close a console that was opened for this process alone: by the start of a session, not by a shell."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        if kernel.GetConsoleProcessList((ctypes.c_uint32 * 2)(), 2) == 1:
            sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  for the rest of the process
            kernel.FreeConsole()


def _check(choice: Choice) -> int:
    shown = choice.backend or "none"
    sys.stdout.write(f"icon: {shown}, {choice.why}\n" + (f"hint: {choice.hint}\n" if choice.hint else ""))
    return 0 if choice.backend is not None else EXIT_NO_PANEL


@contextmanager
def _only_one() -> Iterator[bool]:
    """Whether this is the only tray of this person; it stays so while the context is open. Raises HostError."""
    directory = tray_directory()
    make_private_directory(directory)
    lock = directory / "lock"
    if is_locked(lock):
        yield False
        return
    with ProcessLock(lock, "tray"):
        yield True


def _serve(backend: Backend | None, theme: Theme, load: Load) -> int:
    settings = load()
    panel = _panel(backend)
    control, notifier = Control(settings), _notifier(panel)

    def person() -> Person:
        return person_of(control, load())

    tray = Tray(
        Watch(control, user=getpass.getuser()),
        News(),
        Deeds(
            control,
            show=webbrowser.open,
            asker=DesktopAsker(),
            notifier=notifier,
            folder=Path.home(),
            person=person,
        ),
        notifier,
        tells=lambda: _wanted(load),
        renew=Renewal(person, notifier),
        dark=lambda: dark_panel(os.environ) if theme is Theme.AUTO else theme is Theme.DARK,
    )
    signal.signal(signal.SIGTERM, lambda *_: tray.close())
    tray.run(panel)
    return EXIT_FAILED if tray.failed else 0


def _panel(backend: Backend | None) -> Panel:
    def alive() -> bool:
        return lives(os.environ, DesktopProbe())

    match backend:
        case None:
            return NoPanel(alive)
        case Backend.STATUS_NOTIFIER:
            from agent.tray.status_panel import StatusNotifierPanel  # only Linux needs its library

            return StatusNotifierPanel(listening(), alive)
        case _:
            return PystrayPanel(backend, scratch=tray_directory())


def _choice(*, wait: bool) -> Choice:
    """The way to show an icon; waits for a panel that is not there yet."""
    deadline = time.monotonic() + _PANEL_SECONDS
    while True:
        choice = choose(os.environ, DesktopProbe(), wanted=os.environ.get("PYSTRAY_BACKEND", ""))
        if choice.backend is not None or not (wait and choice.waits) or time.monotonic() > deadline:
            return choice
        time.sleep(_ROUND)


def _notifier(panel: Panel, *, platform: str = sys.platform) -> Notifier:
    if platform == "darwin":
        return DarwinNotifier()
    if platform == "win32":
        if not isinstance(panel, PystrayPanel):
            raise HostError("notifications need the icon on Windows", hint="Leave --no-icon away.")
        return IconNotifier(panel.balloon)
    return BusNotifier()


def _wanted(load: Load) -> bool:
    """Whether notifications are wanted now. Settings that are wrong at the moment say nothing against them."""
    try:
        return load().notifications
    except ConfigError:
        return True


def _loader(state_dir: str | None) -> Load:
    given = {"state_dir": state_dir and str(Path(state_dir).absolute())}

    def load() -> Settings:
        return load_settings(
            command_line=given,
            environ=os.environ,
            managed=managed_source(),
            config_file=config_file(),
            default_state_dir=state_directory(),
        )

    return load


def _complain(error: str, hint: str) -> None:
    sys.stderr.write(f"error: {error}\n" + (f"hint:  {hint}\n" if hint else ""))


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="drawbridge tray",
        description="Show an icon on this desktop: what the agent does, what it decided, a pause as the policy allows. "
        "Exit status 3 where no panel of this desktop shows icons; `drawbridge status`, `drawbridge top` and "
        "`drawbridge dashboard` say the same.",
    )
    parser.add_argument("--check", action="store_true", help="say how the icon would be shown, and end")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--no-icon", action="store_true", help="show notifications only")
    shown.add_argument(
        "--if-possible",
        action="store_true",
        help="wait a minute for a panel, and go on with notifications only where none comes: for session starts",
    )
    themes = [each.value for each in Theme]
    parser.add_argument("--theme", choices=themes, default=Theme.AUTO.value, help="how bright the panel is")
    parser.add_argument("--state-dir", metavar="PATH", help="state directory of the agent")
    return parser
