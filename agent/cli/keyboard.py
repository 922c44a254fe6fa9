"""Single keys from the terminal, without Enter, where there is a terminal; elsewhere only time passes."""

from __future__ import annotations

import os
import select
import sys
import time
from types import TracebackType
from typing import Any, Self

_STEP = 0.05  # seconds; Windows' console cannot be waited for


class Keyboard:
    """Reads keys while the context is open, and leaves the terminal as it was."""

    def __init__(self) -> None:
        self._terminal = sys.stdin.isatty()
        self._before: list[Any] | None = None

    def __enter__(self) -> Self:
        """Let keys come at once and unseen."""
        if self._terminal and sys.platform != "win32":
            import termios
            import tty

            descriptor = sys.stdin.fileno()
            try:
                self._before = termios.tcgetattr(descriptor)
                tty.setcbreak(descriptor)  # Ctrl-C still interrupts
            except termios.error:
                self._terminal = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the terminal back."""
        if self._before is not None and sys.platform != "win32":
            import termios

            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)

    def key(self, seconds: float) -> str:
        """The next key, empty where none comes in `seconds`."""
        if not self._terminal:
            time.sleep(seconds)
            return ""
        if sys.platform == "win32":
            return _windows_key(seconds)
        descriptor = sys.stdin.fileno()
        ready, _, _ = select.select([descriptor], [], [], seconds)
        return os.read(descriptor, 32).decode(errors="replace")[:1] if ready else ""


def _windows_key(seconds: float) -> str:
    if sys.platform == "win32":
        import msvcrt

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if msvcrt.kbhit():
                return msvcrt.getwch()
            time.sleep(_STEP)
    return ""
