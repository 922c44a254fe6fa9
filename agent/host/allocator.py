"""The C library's allocator, told what a long-running process is like.

glibc raises by itself, up to 32 MB, the sizes from which on it maps memory for one piece alone, and gives free memory
back; after one large body those of all later ones tear holes into the heap, which stay. It also keeps a heap for every
thread, although here threads wait for each other anyway. Other C libraries do neither.
"""

from __future__ import annotations

import sys
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # malloc.h
_LARGE = 128 * 1024  # bytes; what glibc begins with


def settle_memory() -> None:
    """Have large pieces mapped each by itself, and one heap. To be called before threads are started."""
    if sys.platform != "linux":
        return
    import ctypes

    with suppress(AttributeError, OSError):  # not glibc
        mallopt = ctypes.CDLL(None).mallopt
        for what, value in ((_TRIM_THRESHOLD, _LARGE), (_MMAP_THRESHOLD, _LARGE), (_ARENA_MAX, 1)):
            mallopt(what, value)
