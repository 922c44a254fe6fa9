"""Who vouches for an executable: its code signature, or the system package that it came in. Protocol and cache.

Asking takes tens of milliseconds to seconds, so nobody waits for it: the first to ask is told that it is not known yet,
and one thread finds it out.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol

from agent.errors import HostError
from agent.model.traffic import UNSIGNED, Process, Signature

log = logging.getLogger(__name__)

_MAX_KNOWN = 1024
_MAX_WAITING = 64
_AGAIN_SECONDS = 300.0  # after a tool that failed

type _File = tuple[str, int, int, int, int]  # path, device, inode, times of its last change


class Verifier(Protocol):
    """Asks the operating system about one executable."""

    def verify(self, executable: str) -> Signature:
        """Who vouches for it; `UNSIGNED` where nobody does. Blocks for seconds at worst. Raises HostError where the
        system does not answer."""
        ...

    @property
    def protects(self) -> bool:
        """Whether only root can have put a verified file where it is: then no other can have run in its place."""
        ...


def verifier(platform: str = sys.platform) -> Verifier:
    """The one of this platform."""
    match platform:
        case "darwin":
            from agent.host.signatures_darwin import CodeSignatures

            return CodeSignatures()
        case "win32":
            from agent.host.signatures_windows import Authenticode

            return Authenticode()
        case _:
            from agent.host.signatures_linux import Packages

            return Packages()


class Signatures:
    """What is known of executables. May be used from several threads."""

    def __init__(self, source: Verifier, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._known: OrderedDict[_File, tuple[Signature, float]] = OrderedDict()  # with when to ask again
        self._files: OrderedDict[tuple[int, float, str], _File | None] = (
            OrderedDict()
        )  # by process; None: nobody vouches
        self._waiting: set[_File] = set()
        self._guard = threading.Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="signatures")

    def of(self, process: Process) -> Signature | None:
        """Who vouches for what a process runs; None where that is not known yet: it is found out then. Looks at the
        file's times."""
        key = (process.pid, process.started, process.executable)
        with self._guard:
            met = key in self._files
        if not met:
            file = self._file(process)
            with self._guard:
                self._files[key] = file
                while len(self._files) > _MAX_KNOWN:
                    self._files.popitem(last=False)
        return self.told(process)

    def told(self, process: Process) -> Signature | None:
        """The same from memory, for a process that `of` was asked about; None for every other."""
        key = (process.pid, process.started, process.executable)
        with self._guard:
            if key not in self._files:
                return None
            if (file := self._files[key]) is None:
                return UNSIGNED
            known = self._known.get(file)
            if known is not None and known[1] > self._clock():
                self._known.move_to_end(file)
                return known[0]
            if file not in self._waiting and len(self._waiting) < _MAX_WAITING:
                with suppress(RuntimeError):  # closed
                    self._worker.submit(self._find_out, file)
                    self._waiting.add(file)
        return None

    def _file(self, process: Process) -> _File | None:
        if not process.executable or not process.genuine:
            return None
        try:
            facts = os.stat(process.executable)  # noqa: PTH116  a hot path
        except (OSError, ValueError):
            return None
        if not self._source.protects and process.started and facts.st_ctime > process.started + 1:
            return None  # the file was changed after the process began: it may run something else
        return (process.executable, facts.st_dev, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns)

    def settle(self) -> None:
        """Wait until everything that was asked for is known. For tests and one-off commands."""
        self._worker.submit(lambda: None).result()

    def close(self) -> None:
        """Ask no more."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _find_out(self, file: _File) -> None:
        until = float("inf")
        try:
            found = self._source.verify(file[0])
        except HostError as error:
            log.info("nobody can say who vouches for a program: %s", error)
            found, until = UNSIGNED, self._clock() + _AGAIN_SECONDS
        except Exception:
            log.exception("a program's signature could not be read")
            found, until = UNSIGNED, self._clock() + _AGAIN_SECONDS
        with self._guard:
            self._waiting.discard(file)
            self._known[file] = (found, until)
            while len(self._known) > _MAX_KNOWN:
                self._known.popitem(last=False)
