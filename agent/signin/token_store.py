"""Where a person's own programs keep what renews a sign-in: the system's password store, or a file for its owner only.

The store of a machine may be missing (no session, no D-Bus), may be one that keeps nothing, or may refuse what is long
(Windows takes 1,280 characters): then the file takes its place, and `doctor` says so. Blocks, on some systems until a
person has unlocked the store.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from agent.errors import HostError
from agent.host.files import make_private_directory, read_private, write_atomically

SERVICE = "Drawbridge sign-in"
_LIMIT = 64 * 1024
_LEAST_PRIORITY = 1.0  # below it are those that keep nothing or write plain files (keyring's own reckoning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What renews a sign-in with one provider."""

    issuer: str
    client: str
    refresh_token: str = field(repr=False)


class Backend(Protocol):
    """A password store, as the package `keyring` has it. Every method may raise any exception."""

    priority: float

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


def system_backend() -> Backend | None:
    """The store of this session; None where there is none that keeps secrets."""
    import keyring  # its backends are looked for when it is loaded

    try:
        found: Backend = keyring.get_keyring()  # type: ignore[assignment]  # its methods are annotated elsewhere
        return found if float(found.priority) >= _LEAST_PRIORITY else None
    except Exception:  # a backend may fail with whatever its system's bus does
        return None


class TokenStore:
    """One person's. `folder` is where the file is, if there is one."""

    def __init__(self, folder: Path, backend: Backend | None) -> None:
        self._folder = folder
        self._backend = backend

    @property
    def file(self) -> Path:
        """The file that takes the store's place."""
        return self._folder / "session.json"

    @property
    def place(self) -> str:
        """Where things are kept now, in words."""
        if self.file.exists():
            return f"the file {self.file}"
        return (
            "no password store" if self._backend is None else f"the password store ({_name(self._backend)})"
        )

    @property
    def safe(self) -> bool:
        """Whether things are kept in a password store."""
        return self._backend is not None and not self.file.exists()

    @property
    def lock(self) -> Path:
        """Held by whoever renews: a refresh token may be shown once only. Raises HostError."""
        make_private_directory(self._folder)
        return self._folder / "lock"

    def read(self, issuer: str, client: str) -> Kept | None:
        """What was kept of a sign-in with that provider. Raises HostError."""
        text = self._read_file() or self._read_backend(issuer)
        try:
            document = json.loads(text) if text else {}
            found = Kept(**document)
        except (ValueError, TypeError, RecursionError):
            return None
        same = (found.issuer, found.client) == (issuer, client) and isinstance(found.refresh_token, str)
        return found if same and found.refresh_token else None

    def keep(self, kept: Kept) -> None:
        """Keep it instead of what was there. Raises HostError."""
        text = json.dumps({"issuer": kept.issuer, "client": kept.client, "refresh_token": kept.refresh_token})
        if self._backend is not None:
            try:
                self._backend.set_password(SERVICE, kept.issuer, text)
                if self._backend.get_password(SERVICE, kept.issuer) == text:
                    self._remove_file()
                    return
            except Exception:  # noqa: S110  a locked store, a text that is too long: the file takes it
                pass
        make_private_directory(self._folder)
        write_atomically(self.file, text.encode())

    def forget(self, issuer: str) -> None:
        """Keep nothing. Raises HostError."""
        self._remove_file()
        if self._backend is not None:
            with suppress(Exception):  # it has none, or refuses: the provider is told as well
                self._backend.delete_password(SERVICE, issuer)

    def _read_file(self) -> str:
        data = read_private(self.file, limit=_LIMIT)
        return data.decode("utf-8", "replace") if data is not None else ""

    def _read_backend(self, issuer: str) -> str:
        if self._backend is None:
            return ""
        try:
            return self._backend.get_password(SERVICE, issuer) or ""
        except Exception as error:
            raise HostError(
                f"the password store refused ({type(error).__name__})", hint="Unlock it, then try again."
            ) from error

    def _remove_file(self) -> None:
        try:
            self.file.unlink(missing_ok=True)
        except OSError as error:
            raise HostError(f"cannot remove {self.file}: {error.strerror}") from error


def _name(backend: Backend) -> str:
    return str(getattr(backend, "name", type(backend).__name__))
