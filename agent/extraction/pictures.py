"""How large a picture is, from the first bytes of its file. Pure. What it shows is not read."""

from __future__ import annotations

import struct

_SCAN = 256 * 1024  # bytes of a JPEG within which its frame must begin


def pixels_of(data: bytes, kind: str) -> tuple[int, int] | None:
    """Width and height, or None where they are not found."""
    try:
        match kind:
            case "png":
                return struct.unpack(">II", data[16:24])
            case "gif":
                return struct.unpack("<HH", data[6:10])
            case "bmp":
                width, height = struct.unpack("<ii", data[18:26])
                return width, abs(height)
            case "webp":
                return _webp(data)
            case "jpeg":
                return _jpeg(data)
            case "ico":
                return data[6] or 256, data[7] or 256
    except (struct.error, IndexError):
        return None
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    match data[12:16]:
        case b"VP8X":
            return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """From the first frame header (ITU-T T.81, annex B.2.2)."""
    at = 2
    while at + 9 < min(len(data), _SCAN):
        if data[at] != 0xFF:
            at += 1
            continue
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        if marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD9:
            at += 1 if marker == 0xFF else 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None
