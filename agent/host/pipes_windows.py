"""Named pipes by pywin32, every wait with an end: overlapped calls, each with an event of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from agent.host.peers import Account, Peer
from agent.host.pipes import CLIENT_ACCESS, Pipe

_BUFFER = 64 * 1024
_ONLY_FIRST = 0x00080000  # FILE_FLAG_FIRST_PIPE_INSTANCE
_OVERLAPPED = 0x40000000
_DUPLEX = 0x3
_NOT_REMOTE = 0x8  # PIPE_REJECT_REMOTE_CLIENTS; bytes, and waiting calls, are 0
_MOST = 255  # PIPE_UNLIMITED_INSTANCES
_IDENTIFICATION = 0x00100000 | 0x00010000  # SECURITY_SQOS_PRESENT, SECURITY_IDENTIFICATION
_OPEN_EXISTING = 3
_KERNEL_OBJECT, _OWNER = 6, 1  # SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION
_TOKEN_QUERY, _TOKEN_USER, _TOKEN_GROUPS = 0x8, 1, 2
_ENABLED = 0x4  # SE_GROUP_ENABLED
_FOREVER, _TIMED_OUT = 0xFFFFFFFF, 0x102
_KINDS = {2: FileNotFoundError, 5: PermissionError}
_NO_DATA, _BROKEN, _BUSY, _CONNECTED = 232, 109, 231, 535


class WindowsPipes:
    """Implements `Pipes`. `load` gives a module of pywin32 by its name."""

    def __init__(self, load: Callable[[str], Any] = import_module) -> None:
        self._file, self._pipe = load("win32file"), load("win32pipe")
        self._security, self._event, self._api = load("win32security"), load("win32event"), load("win32api")
        self._types = load("pywintypes")
        self._stop = self._new_event()

    def own(self) -> str:
        """See `Pipes`."""
        with self._told():
            token = self._security.OpenProcessToken(self._api.GetCurrentProcess(), _TOKEN_QUERY)
            return self._words(self._security.GetTokenInformation(token, _TOKEN_USER)[0])

    def create(self, name: str, descriptor: str, *, first: bool) -> Pipe:
        """See `Pipes`."""
        with self._told():
            attributes = self._types.SECURITY_ATTRIBUTES()
            convert = self._security.ConvertStringSecurityDescriptorToSecurityDescriptor
            attributes.SECURITY_DESCRIPTOR = convert(descriptor, 1)
            mode = _DUPLEX | _OVERLAPPED | (_ONLY_FIRST if first else 0)
            return self._pipe.CreateNamedPipe(name, mode, _NOT_REMOTE, _MOST, _BUFFER, _BUFFER, 0, attributes)

    def accept(self, pipe: Pipe) -> bool:
        """See `Pipes`."""
        with self._told():
            overlapped = self._new_overlapped()
            if self._pipe.ConnectNamedPipe(pipe, overlapped) == _CONNECTED:
                return True
            events = [overlapped.hEvent, self._stop]
            if self._event.WaitForMultipleObjects(events, False, _FOREVER) == 0:  # noqa: FBT003
                return True
            self._file.CancelIo(pipe)
            return False

    def stop(self) -> None:
        """See `Pipes`."""
        self._event.SetEvent(self._stop)

    def peer(self, pipe: Pipe) -> Peer:
        """See `Pipes`."""
        security = self._security
        with self._told():
            pid = self._pipe.GetNamedPipeClientProcessId(pipe)
            security.ImpersonateNamedPipeClient(pipe)
            try:
                token = security.OpenThreadToken(self._api.GetCurrentThread(), _TOKEN_QUERY, True)  # noqa: FBT003
            finally:
                security.RevertToSelf()
            user = security.GetTokenInformation(token, _TOKEN_USER)[0]
            listed = security.GetTokenInformation(token, _TOKEN_GROUPS)
            enabled = [sid for sid, attributes in listed if attributes & _ENABLED]
            groups = {self._words(user), *map(self._words, enabled), *map(self._name, enabled)}
            number = int(self._words(user).rpartition("-")[2])
            return Peer(uid=number, pid=pid, account=Account(name=self._name(user), groups=frozenset(groups)))

    def connect(self, name: str, seconds: float) -> Pipe:
        """See `Pipes`."""
        end = time.monotonic() + seconds
        flags = _OVERLAPPED | _IDENTIFICATION
        while True:
            try:
                with self._told():
                    return self._file.CreateFile(name, CLIENT_ACCESS, 0, None, _OPEN_EXISTING, flags, None)
            except OSError as error:
                left = end - time.monotonic()
                if error.errno != _BUSY or left <= 0:
                    raise
                with suppress(OSError), self._told():
                    self._pipe.WaitNamedPipe(name, max(int(left * 1000), 1))

    def owner(self, pipe: Pipe) -> str:
        """See `Pipes`."""
        with self._told():
            found = self._security.GetSecurityInfo(pipe, _KERNEL_OBJECT, _OWNER)
            return self._words(found.GetSecurityDescriptorOwner())

    def read(self, pipe: Pipe, size: int, seconds: float) -> bytes:
        """See `Pipes`."""
        try:
            with self._told():
                overlapped, room = self._new_overlapped(), self._file.AllocateReadBuffer(size)
                self._file.ReadFile(pipe, room, overlapped)
                return bytes(room[: self._awaited(pipe, overlapped, seconds)])
        except OSError as error:
            if error.errno in (_BROKEN, _NO_DATA):
                return b""
            raise

    def write(self, pipe: Pipe, data: bytes, seconds: float) -> None:
        """See `Pipes`."""
        with self._told():
            overlapped = self._new_overlapped()
            self._file.WriteFile(pipe, data, overlapped)
            self._awaited(pipe, overlapped, seconds)

    def close(self, pipe: Pipe) -> None:
        """See `Pipes`."""
        with suppress(OSError), self._told():
            self._file.CloseHandle(pipe)

    def _awaited(self, pipe: Pipe, overlapped: Any, seconds: float) -> int:
        """How many bytes it was. Raises TimeoutError."""
        if self._event.WaitForSingleObject(overlapped.hEvent, int(seconds * 1000)) == _TIMED_OUT:
            self._file.CancelIo(pipe)
            with suppress(self._types.error):  # the buffer is the system's until it has really ended
                self._file.GetOverlappedResult(pipe, overlapped, True)  # noqa: FBT003
            raise TimeoutError
        return int(self._file.GetOverlappedResult(pipe, overlapped, True))  # noqa: FBT003

    def _new_event(self) -> Any:
        return self._event.CreateEvent(None, True, False, None)  # noqa: FBT003

    def _new_overlapped(self) -> Any:
        overlapped = self._types.OVERLAPPED()
        overlapped.hEvent = self._new_event()
        return overlapped

    def _words(self, sid: Any) -> str:
        return str(self._security.ConvertSidToStringSid(sid))

    def _name(self, sid: Any) -> str:
        try:
            name, domain, _ = self._security.LookupAccountSid(None, sid)
        except self._types.error:
            return self._words(sid)
        return rf"{domain}\{name}" if domain else str(name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """pywin32's errors as OSError."""
        try:
            yield
        except self._types.error as error:
            number, call, text = (*error.args, "", "")[:3]
            raise _KINDS.get(number, OSError)(number, f"{call}: {text}") from error
