"""Windows' table of TCP connections with their owners: GetExtendedTcpTable of the IP helper API, read as bytes.

One call lists the connections of every user in well under a millisecond; psutil's listing makes a Python object of each
and asks for both families and more.
https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getextendedtcptable
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from collections.abc import Callable, Iterator

from agent.host.processes import Endpoint

TCP_TABLE_OWNER_PID_CONNECTIONS = 4
_AF_INET6 = 23  # Windows' number
_ERROR_INSUFFICIENT_BUFFER = 122
_TRIES = 5  # the table may grow between asking for its size and for itself
_MAX_BYTES = 16 * 1024 * 1024
_COUNT = struct.Struct("<I")
# MIB_TCPROW_OWNER_PID: state, local address, local port, remote address, remote port, pid. Addresses and the low two
# bytes of a port are in network order
_ROW4 = struct.Struct("<I4s2sxx4s2sxxI")
# MIB_TCP6ROW_OWNER_PID: local address, scope, port, remote address, scope, port, state, pid
_ROW6 = struct.Struct("<16sI2sxx16sI2sxxII")

type _Row = tuple[tuple[bytes, int], tuple[bytes, int], int]  # near end, far end, process
type TableOf = Callable[[int], bytes]
"""The table of an address family as the system writes it; empty where it does not."""


def owner_of(local: Endpoint, remote: Endpoint, table: TableOf | None = None) -> int | None:
    """The process that holds the end `local` of the connection to `remote`; both are plain endpoints. None where there
    is none. Never raises."""
    table = table or system_table
    family = _AF_INET6 if ":" in local[0] else int(socket.AF_INET)
    try:
        wanted = (_packed(local), _packed(remote))
    except (ValueError, struct.error):
        return None
    families = (family,) if family == _AF_INET6 else (family, _AF_INET6)  # 127.0.0.1 through a dual socket
    for each in families:
        rows = _rows6(table(each)) if each == _AF_INET6 else _rows4(table(each))
        for near, far, pid in rows:
            if (near, far) == wanted:
                return pid
    return None


def _rows4(data: bytes) -> Iterator[_Row]:
    for _, near, near_port, far, far_port, pid in _ROW4.iter_unpack(_body(data, _ROW4.size)):
        yield (near, _number(near_port)), (far, _number(far_port)), pid


def _rows6(data: bytes) -> Iterator[_Row]:
    for near, _, near_port, far, _, far_port, _, pid in _ROW6.iter_unpack(_body(data, _ROW6.size)):
        yield (_plain(near), _number(near_port)), (_plain(far), _number(far_port)), pid


def _body(data: bytes, row: int) -> bytes:
    """The rows of a table, of `row` bytes each, without its count."""
    if len(data) < _COUNT.size:
        return b""
    (count,) = _COUNT.unpack_from(data)
    whole = min(count, (len(data) - _COUNT.size) // row)
    return data[_COUNT.size : _COUNT.size + whole * row]


def _number(port: bytes) -> int:
    return int.from_bytes(port, "big")


def _plain(address: bytes) -> bytes:
    """An IPv4 address that is wrapped in IPv6, unwrapped."""
    return address[12:] if address[:12] == b"\0" * 10 + b"\xff\xff" else address


def _packed(end: Endpoint) -> tuple[bytes, int]:
    return ipaddress.ip_address(end[0]).packed, end[1]


def system_table(family: int) -> bytes:
    """The running system's table."""
    if sys.platform == "win32":
        import ctypes

        call = ctypes.windll.iphlpapi.GetExtendedTcpTable
        size = ctypes.c_ulong(0)
        buffer = None
        for _ in range(_TRIES):
            code = call(buffer, ctypes.byref(size), 0, family, TCP_TABLE_OWNER_PID_CONNECTIONS, 0)
            if code == 0 and buffer is not None:
                return buffer.raw[: size.value]
            if code not in (0, _ERROR_INSUFFICIENT_BUFFER) or size.value > _MAX_BYTES:
                break
            buffer = ctypes.create_string_buffer(size.value + 4096)
            size.value = len(buffer)
    return b""
