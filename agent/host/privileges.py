"""Gives up what a process was given beyond its user's own rights (capabilities(7)), for a process that reads what
strangers wrote. Linux only; elsewhere services hand on nothing of the kind."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Callable

from agent.errors import HostError

# linux/prctl.h, linux/capability.h
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_HEADER = struct.Struct("=Ii")  # version, pid: 0 is this thread
_NOTHING = bytes(24)  # effective, permitted and inheritable, each in two halves

type Call = Callable[..., int]


def renounce(*, platform: str = sys.platform, prctl: Call | None = None, capset: Call | None = None) -> None:
    """From now on this thread, and whatever it starts, has no capability and gets none by executing a file.

    For a process of one thread. Raises HostError where the kernel refuses, which it does for none that it knows.
    """
    if platform != "linux":
        return
    if prctl is None or capset is None:
        libc = ctypes.CDLL(None, use_errno=True)
        prctl, capset = libc.prctl, libc.capset
    done = (
        prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0),
        capset(_HEADER.pack(_CAPABILITY_VERSION_3, 0), _NOTHING),
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
    )
    if any(done):
        raise HostError(f"cannot give up privileges: {os.strerror(ctypes.get_errno())}")
