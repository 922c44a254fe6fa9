"""Capture of single programs: the operating system's redirector hands us their connections.

mitmproxy brings one for each system: a network extension on macOS, WinDivert on Windows, eBPF on Linux. Which programs
is said by parts of their names. Nothing is led here before a canary, a process of ours, has shown that a connection
really arrives; one is sent every minute, and where two in a row are lost, the redirector is let go of until the next
engine.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from agent.errors import ConfigError, HostError
from agent.host import canary_process
from agent.host.tasks import TaskGroup
from agent.interception.captured import Redirected
from agent.interception.datagrams import relay
from agent.interception.frontdoor import FrontDoor
from agent.interception.redirected_stream import RedirectedTransport, Stream

log = logging.getLogger(__name__)


class Redirector(Protocol):
    """The part of the operating system that leads connections here (`mitmproxy_rs.local.LocalRedirector`)."""

    def set_intercept(self, spec: str, /) -> None:
        """Lead those of these programs here: parts of names and process ids, with commas; `!` in front: not those."""
        ...

    def close(self) -> None:
        """Lead nothing here any more."""
        ...

    async def wait_closed(self) -> None:
        """Until it is gone."""
        ...


type Handler = Callable[[Stream], Awaitable[None]]
type Open = Callable[[Handler, Handler], Awaitable[Redirector]]
"""Start the redirector, with what takes its TCP connections and its datagrams. Raises RuntimeError, OSError."""

type Send = Callable[[Callable[[int], Awaitable[None]]], Awaitable[bool]]
"""Send a canary: start a process, tell its id, have it connect; whether it was answered. Raises HostError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often, in seconds, canaries are sent, and how many may be lost."""

    between: float = 60.0
    again: float = 1.0
    losses: int = 2
    first: int = 10  # the redirector needs a moment to stand
    aiming: float = 0.2  # until the redirector has taken a change


class Redirection:
    """Leads the connections of `programs` to the front door while `run` runs."""

    def __init__(
        self,
        programs: Sequence[str],
        front: FrontDoor,
        tasks: TaskGroup,
        *,
        open_redirector: Open | None = None,
        send: Send = canary_process.send,
        patience: Patience | None = None,
    ) -> None:
        self._programs = tuple(programs)
        self._front = front
        self._tasks = tasks
        self._open = open_redirector or _open
        self._send = send
        self._patience = patience or Patience()
        self.trouble = ""
        """Why nothing is captured, for people; empty while all is well, or nothing was tried yet."""
        self.proven = False
        """Whether connections of the programs are led here."""

    async def run(self) -> None:
        """Until cancelled, or until it does not work."""
        try:
            spec = specification(self._programs)
            redirector = await self._open(self._connected, relay)
        except (ConfigError, OSError, RuntimeError) as error:
            self._give_up(f"the redirector of this system cannot be started: {_first_line(error)}")
            return
        try:
            lost = await self._watch(redirector, spec)
            self._give_up(f"{lost} connections that had to be captured did not arrive")
        except HostError as error:
            self._give_up(f"no canary can be sent: {error}")
        finally:
            self.proven = False
            with suppress(OSError, RuntimeError):
                redirector.set_intercept("")
                redirector.close()
                await redirector.wait_closed()

    async def _watch(self, redirector: Redirector, spec: str) -> int:
        """Send canaries until too many in a row are lost; how many those were."""
        patience, lost = self._patience, 0
        while lost < (patience.losses if self.proven else patience.first):
            if not await self._arrives(redirector, spec):
                lost += 1
                await asyncio.sleep(patience.again)
                continue
            lost = 0
            if not self.proven:
                self.proven = True
                log.info("connections of %d programs are led here", len(self._programs))
            redirector.set_intercept(spec)
            await asyncio.sleep(patience.between)
        return lost

    async def _arrives(self, redirector: Redirector, spec: str) -> bool:
        async def aim(pid: int) -> None:
            redirector.set_intercept(f"{spec},{pid}" if self.proven else str(pid))
            await asyncio.sleep(self._patience.aiming)

        return await self._send(aim)

    async def _connected(self, stream: Stream) -> None:
        transport = RedirectedTransport(stream, Redirected(self._front), self._tasks)
        transport.begin()

    def _give_up(self, trouble: str) -> None:
        self.trouble = trouble
        log.error("capture is switched off: %s", trouble)


def specification(programs: Sequence[str]) -> str:
    """The programs in the redirector's words; never this process, whose connections to providers would come back to it,
    nor its supervisor. Raises ConfigError for names that mean something else there, and for none at all."""
    if not programs:
        raise ConfigError(
            "no program is named", hint="Name the programs in capture_programs, or set capture to none."
        )
    for name in programs:
        if not name.strip() or name.strip().isdigit() or name.lstrip().startswith("!"):
            raise ConfigError(
                f"{name[:40]!r} is no name of a program",
                hint="Write parts of names, such as Cursor or claude.",
            )
    return ",".join([*(name.strip() for name in programs), f"!{os.getpid()}", f"!{os.getppid()}"])


async def _open(connected: Handler, datagrams: Handler) -> Redirector:
    from mitmproxy_rs import local  # late: only who captures pays for it

    if (reason := local.LocalRedirector.unavailable_reason()) is not None:
        raise RuntimeError(reason)
    return await local.start_local_redirector(connected, datagrams)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    hint = error.hint() if isinstance(error, ConfigError) else ""
    return (lines[0] if lines else type(error).__name__) + (f" ({hint})" if hint else "")
