"""The roots of Windows: the ROOT store as crypt32 gives it, without those not meant for TLS servers."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Iterable

from agent.errors import HostError

_SERVER_AUTH = "1.3.6.1.5.5.7.3.1"

type Row = tuple[bytes, str, set[str] | bool]
"""A certificate, its encoding, and the purposes it is trusted for (True: all)."""


class SystemStore:
    """A `RootStore` of the Windows certificate store.

    Windows loads roots it has not needed yet on demand: the store may lack some that it would trust.
    """

    def __init__(self, rows: Callable[[], Iterable[Row]] | None = None) -> None:
        """`rows` lists the store; by default `ssl.enum_certificates("ROOT")`."""
        self._rows = rows or _enumerate

    def stamp(self) -> str:
        """See `RootStore`: the store has no cheap mark of its state."""
        return ""

    def certificates(self) -> tuple[bytes, ...]:
        """See `RootStore`."""
        try:
            rows = list(self._rows())
        except OSError as error:
            raise HostError(f"cannot read the Windows certificate store: {error}") from error
        return tuple(row[0] for row in rows if _serves(row))


def _serves(row: Row) -> bool:
    _, encoding, purposes = row
    meant = purposes if isinstance(purposes, bool) else _SERVER_AUTH in purposes
    return encoding == "x509_asn" and meant


def _enumerate() -> Iterable[Row]:
    if sys.platform == "win32":
        return ssl.enum_certificates("ROOT")
    return []
