"""Windows' table of connections, as bytes."""

from __future__ import annotations

import ipaddress
import struct

from hypothesis import given
from hypothesis import strategies as st

from agent.host.processes import Endpoint
from agent.host.tcp_table_windows import owner_of, system_table

SERVER = ("127.0.0.1", 7717)
type Row = tuple[Endpoint, Endpoint, int]


def table4(*rows: Row) -> bytes:
    packed = [
        struct.pack(
            "<I4s2sxx4s2sxxI",
            5,
            ipaddress.ip_address(near[0]).packed,
            near[1].to_bytes(2, "big"),
            ipaddress.ip_address(far[0]).packed,
            far[1].to_bytes(2, "big"),
            pid,
        )
        for near, far, pid in rows
    ]
    return struct.pack("<I", len(rows)) + b"".join(packed)


def table6(*rows: Row) -> bytes:
    packed = [
        struct.pack(
            "<16sI2sxx16sI2sxxII",
            ipaddress.ip_address(near[0]).packed,
            0,
            near[1].to_bytes(2, "big"),
            ipaddress.ip_address(far[0]).packed,
            0,
            far[1].to_bytes(2, "big"),
            5,
            pid,
        )
        for near, far, pid in rows
    ]
    return struct.pack("<I", len(rows)) + b"".join(packed)


def of(four: bytes = b"", six: bytes = b"") -> dict[int, bytes]:
    return {2: four, 23: six}


def test_the_near_end_decides_whose_connection_it_is() -> None:
    client = ("127.0.0.1", 50001)
    tables = of(table4((SERVER, client, 4), (client, SERVER, 10), (("127.0.0.1", 50002), SERVER, 11)))
    assert owner_of(client, SERVER, tables.__getitem__) == 10
    assert owner_of(("127.0.0.1", 50003), SERVER, tables.__getitem__) is None


def test_ipv6_and_ipv4_wrapped_in_it_are_found() -> None:
    tables = of(
        six=table6(
            (("::1", 50001), ("::1", 7717), 10), (("::ffff:127.0.0.1", 50002), ("::ffff:127.0.0.1", 7717), 11)
        )
    )
    assert owner_of(("::1", 50001), ("::1", 7717), tables.__getitem__) == 10
    assert owner_of(("127.0.0.1", 50002), SERVER, tables.__getitem__) == 11


@given(st.binary(max_size=200))
def test_no_table_is_too_strange(data: bytes) -> None:
    owner_of(("127.0.0.1", 50001), SERVER, lambda _: data)


def test_a_table_cut_off_is_read_as_far_as_it_goes() -> None:
    client = ("127.0.0.1", 50001)
    whole = table4((client, SERVER, 10), (("127.0.0.1", 50002), SERVER, 11))
    assert owner_of(client, SERVER, of(whole[:-1]).__getitem__) == 10
    assert owner_of(("127.0.0.1", 50002), SERVER, of(whole[:-1]).__getitem__) is None


def test_another_system_has_no_such_table() -> None:
    assert isinstance(system_table(2), bytes)
