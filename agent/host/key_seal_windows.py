"""Windows' Data Protection API: what it seals opens on this machine only, by any account or by ours alone."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

from agent.errors import HostError

_UI_FORBIDDEN = 0x1  # CRYPTPROTECT_UI_FORBIDDEN: a service has nobody to ask
_LOCAL_MACHINE = 0x4  # CRYPTPROTECT_LOCAL_MACHINE

type Call = Callable[[str, bytes, int], bytes]
"""`CryptProtectData` or `CryptUnprotectData` by name, with data and flags. Raises OSError."""


class DataProtection:
    """A `KeySeal` of DPAPI. With `machine`, every account of this machine could open it: the file's access list, which
    leaves it to SYSTEM and the administrators, is what keeps others out."""

    def __init__(self, *, machine: bool, call: Call | None = None) -> None:
        self.name = "dpapi-machine" if machine else "dpapi-user"
        self._flags = _UI_FORBIDDEN | (_LOCAL_MACHINE if machine else 0)
        self._call = call or _crypt32

    def opens(self, name: str) -> bool:
        """See `KeySeal`: Windows itself knows for whom it has closed something."""
        return name in ("dpapi-machine", "dpapi-user")

    def close(self, secret: bytes) -> bytes:
        """See `KeySeal`."""
        try:
            return self._call("CryptProtectData", secret, self._flags)
        except OSError as error:
            raise HostError(f"Windows could not seal a key: {error}") from error

    def open(self, sealed: bytes) -> bytes:
        """See `KeySeal`."""
        try:
            return self._call("CryptUnprotectData", sealed, _UI_FORBIDDEN)
        except OSError as error:
            raise HostError(f"Windows could not open a sealed key: {error}") from error


class _Blob(ctypes.Structure):
    _fields_ = (("size", ctypes.c_uint32), ("data", ctypes.c_void_p))


def _crypt32(function: str, data: bytes, flags: int) -> bytes:
    if sys.platform == "win32":
        buffer = ctypes.create_string_buffer(data, len(data))
        given = _Blob(len(data), ctypes.cast(buffer, ctypes.c_void_p))
        taken = _Blob()
        call = getattr(ctypes.WinDLL("crypt32", use_last_error=True), function)
        call.argtypes = [
            ctypes.POINTER(_Blob),
            *([ctypes.c_void_p] * 4),
            ctypes.c_uint32,
            ctypes.POINTER(_Blob),
        ]
        call.restype = ctypes.c_int
        if not call(ctypes.byref(given), None, None, None, None, flags, ctypes.byref(taken)):
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            return ctypes.string_at(taken.data or 0, taken.size)
        finally:
            free = ctypes.WinDLL("kernel32").LocalFree
            free.argtypes = [ctypes.c_void_p]
            free(taken.data)
    raise OSError("there is no Data Protection API on this system")
