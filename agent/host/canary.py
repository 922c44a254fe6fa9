"""The canary: a connection that captured traffic would make, to see whether it really arrives. Blocks."""

from __future__ import annotations

import errno
import socket
import ssl
from contextlib import suppress

from agent.errors import HostError
from agent.host.capture_nftables import CANARY_ADDRESS

NAME = "canary.drawbridge.invalid"
"""The name in the canary's TLS hello (RFC 6761: it never exists)."""

ANSWER = b"drawbridge canary\n"
"""What our listener says to who names it."""

SILENT = "connections that had to be captured did not arrive"
_SECONDS = 4.0
_TRIALS = 2  # that must be lost
_OFFLINE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})


def captured(address: str = CANARY_ADDRESS, port: int = 443, *, seconds: float = _SECONDS) -> bool | None:
    """Whether a connection to an address of nobody is answered by us; None where this machine has no network."""
    try:
        with socket.create_connection((address, port), timeout=seconds) as connection:
            connection.sendall(_hello())
            found = b""
            while len(found) < len(ANSWER) and (data := connection.recv(len(ANSWER) - len(found))):
                found += data
    except OSError as error:
        return None if error.errno in _OFFLINE else False
    return found == ANSWER


class Canary:
    """Tries captured connections, by the rule that everybody's meet."""

    def __init__(self, address: str = CANARY_ADDRESS, port: int = 443) -> None:
        """Where nobody is, but for who captures."""
        self._to = (address, port)

    def sings(self) -> bool | None:
        """Whether what has to be captured arrives; one lost connection is no proof. None where nothing can be told."""
        found: bool | None = False
        for _ in range(_TRIALS):
            if (found := captured(*self._to)) is not False:
                break
        return found

    def require(self, port: int) -> None:
        """That our port for captured connections answers. Raises HostError."""
        if captured("127.0.0.1", port) is not True:
            raise HostError(
                f"nobody serves captured connections at 127.0.0.1:{port} yet", hint="Start the agent first."
            )


def _hello() -> bytes:
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=NAME).do_handshake()
    return outgoing.read()
