"""Text picked out of binary data, as strings(1) does. Pure."""

from __future__ import annotations

_RUN = 6  # characters of the shortest text that is picked out
_PRINTABLE = bytes(each if 32 <= each < 127 or each == 9 else 10 for each in range(256))


def strings(data: bytes, *, most: int) -> str:
    """The runs of printable ASCII in binary data, also of UTF-16, a line each; at most `most` characters."""
    narrow = data.translate(_PRINTABLE).decode("ascii")
    lines = [line for line in narrow.split("\n") if len(line.strip()) >= _RUN]
    if b"\0" in data:  # every other byte of UTF-16 in either phase
        for phase in (0, 1):
            wide = data[phase::2].translate(_PRINTABLE).decode("ascii")
            lines += [line for line in wide.split("\n") if len(line.strip()) >= _RUN * 2]
    return "\n".join(lines)[:most]
