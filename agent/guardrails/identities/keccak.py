"""Keccak-256 as Ethereum uses it: the winner of the SHA-3 contest before NIST changed its padding.

The standard library has SHA-3 only, which differs in that padding, and so in every digest. For checksums of
addresses (EIP-55), not for security. Source: https://keccak.team/keccak_specs_summary.html.
"""

from __future__ import annotations

_RATE = 136  # bytes; 1088 bits
_MASK = (1 << 64) - 1


def keccak256(data: bytes) -> bytes:
    """The digest of `data`, 32 bytes."""
    padded = bytearray(data + b"\x01" + b"\x00" * (-(len(data) + 1) % _RATE))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for block in range(0, len(padded), _RATE):
        for lane in range(_RATE // 8):
            at = block + 8 * lane
            lanes[lane] ^= int.from_bytes(padded[at : at + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permuted(a: list[int]) -> list[int]:
    """Keccak-f[1600]. Lane (x, y) stands at `x + 5 * y`."""
    register = 1
    for _ in range(24):
        # theta
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[(x + 4) % 5] ^ _rotated(c[(x + 1) % 5], 1) for x in range(5)]
        a = [lane ^ d[place % 5] for place, lane in enumerate(a)]
        # rho and pi
        x, y, current = 1, 0, a[1]
        for turn in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            place = x + 5 * y
            current, a[place] = a[place], _rotated(current, (turn + 1) * (turn + 2) // 2)
        # chi
        a = [
            a[place] ^ (~a[place - place % 5 + (place + 1) % 5] & a[place - place % 5 + (place + 2) % 5])
            for place in range(25)
        ]
        # iota
        for bit in range(7):
            if register & 1:
                a[0] ^= 1 << ((1 << bit) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
    return [lane & _MASK for lane in a]


def _rotated(lane: int, by: int) -> int:
    by %= 64
    lane &= _MASK
    return (lane << by | lane >> (64 - by)) & _MASK if by else lane
