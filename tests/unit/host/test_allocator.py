"""What the C library's allocator keeps after a burst of large bodies, seen in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

_BURST = """
import ctypes, sys
from agent.host.allocator import settle_memory

if sys.argv[1] == "settled":
    settle_memory()

class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
large = bytes(8_000_000)
del large
bodies = [bytes(1_000_000) for _ in range(8)]
del bodies
print(libc.mallinfo2().fordblks)
"""


def _left_free(how: str) -> int:
    finished = subprocess.run([sys.executable, "-c", _BURST, how], capture_output=True, check=True)
    return int(finished.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_large_bodies_are_given_back() -> None:
    assert _left_free("settled") < 512 * 1024 < _left_free("as it is")
