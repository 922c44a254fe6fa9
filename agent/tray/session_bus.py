"""The D-Bus of a person's session: where it is, and a connection to it. The only module that opens one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from agent.errors import HostError

_SECONDS = 2.0
_BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")


class Listening(Protocol):
    """A connection that serves: `receive` in one thread, the rest from any (`jeepney.io.threading.DBusConnection`)."""

    def send(self, message: Any, serial: int | None = None) -> None:
        """Raises OSError."""
        ...

    def receive(self, *, timeout: float | None = None) -> Any:
        """The next message. Raises TimeoutError, OSError, jeepney's ReceiveStopped."""
        ...

    def interrupt(self) -> None:
        """Have `receive` raise ReceiveStopped."""
        ...

    def close(self) -> None:
        """For good."""
        ...


class Asking(Protocol):
    """Something that answers calls."""

    def call(
        self, place: tuple[str, str, str], method: str, signature: str = "", body: tuple[object, ...] = ()
    ) -> tuple[Any, ...]:
        """What the method gives; `place` is name, path, interface. Raises HostError."""
        ...


def address(environ: Mapping[str, str]) -> str:
    """Of the session's bus; empty where there is none."""
    if told := environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return told
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime and (place := Path(runtime, "bus")).is_socket():
        return f"unix:path={quote(str(place))}"
    return ""


def listening(environ: Mapping[str, str] = os.environ) -> Listening:
    """A connection for serving. Raises HostError."""
    from jeepney.io.threading import open_dbus_connection

    return _opened(open_dbus_connection, environ)  # type: ignore[no-any-return]


class SessionBus:
    """Calls over one connection of its own, opened when it is needed. Not for several threads at once."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._connection: Any = None

    def call(
        self, place: tuple[str, str, str], method: str, signature: str = "", body: tuple[object, ...] = ()
    ) -> tuple[Any, ...]:
        """See `Asking`."""
        from jeepney import DBusAddress, MessageType, new_method_call
        from jeepney.io.blocking import open_dbus_connection

        if self._connection is None:
            self._connection = _opened(open_dbus_connection, self._environ)
        name, path, interface = place
        asked = new_method_call(DBusAddress(path, name, interface), method, signature or None, body)
        try:
            answer = self._connection.send_and_get_reply(asked, timeout=_SECONDS)
        except OSError as error:
            self.close()
            raise HostError(f"{name} does not answer: {str(error) or 'it takes too long'}") from error
        if answer.header.message_type is MessageType.error:
            told = answer.body[0] if answer.body else "an error"
            raise HostError(f"{name} refused {method}: {str(told)[:200]}")
        return tuple(answer.body)

    def has(self, name: str) -> bool:
        """Whether somebody has that name. Raises HostError."""
        return bool(self.call(_BUS, "NameHasOwner", "s", (name,))[0])

    def close(self) -> None:
        """Let go of the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _opened(connect: Any, environ: Mapping[str, str]) -> Any:
    from jeepney.auth import AuthenticationError

    place = address(environ)
    if not place:
        raise HostError("this session has no D-Bus")
    try:
        return connect(bus=place, auth_timeout=_SECONDS)
    except (OSError, RuntimeError, ValueError, AuthenticationError) as error:
        raise HostError(f"the session's D-Bus cannot be reached: {error or type(error).__name__}") from error
