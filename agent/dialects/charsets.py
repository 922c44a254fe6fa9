"""Bytes of unknown encoding made into text that can be written back byte for byte. Pure."""

from __future__ import annotations

import codecs

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\r\f\x1b\b"))
_BINARY = 0.02  # the share of control characters beyond which bytes are no text
_SAMPLE = 64 * 1024


def decoded(data: bytes, *, cut: bool = False) -> tuple[str, str] | None:
    """The text and the name of its encoding, or None where the bytes are no text. `cut`: they are the beginning of
    more, and may end within a character.

    A byte order mark decides; then UTF-8; then UTF-16 without a mark, where every other byte is zero as in ASCII; at
    last Latin-1, which can write back whatever it has read.
    """
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return _tried(data, codec, cut=cut)
    if (wide := _wide(data)) and (found := _tried(data, wide, cut=cut)) is not None:
        return found
    sample = data[:_SAMPLE]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls > len(sample) * _BINARY:
        return None
    return _tried(data, "utf-8", cut=cut) or (data.decode("latin-1"), "latin-1")


def encoded(text: str, codec: str) -> bytes:
    """`text` as `decoded` found it. Raises UnicodeEncodeError where the encoding cannot say what was put in."""
    for width in ("utf-16", "utf-32"):
        if codec.startswith(f"{width}-marked"):
            return ("\ufeff" + text).encode(f"{width}-{codec[-2:]}")
    return text.encode(codec)


def redecoded(data: bytes, codec: str) -> str:
    """The text of bytes whose encoding `decoded` has named. Raises UnicodeDecodeError."""
    for width in ("utf-16", "utf-32"):
        if codec.startswith(f"{width}-marked"):
            return data.decode(width)
    return data.decode(codec)


def _tried(data: bytes, codec: str, *, cut: bool) -> tuple[str, str] | None:
    try:
        text = codecs.getincrementaldecoder(codec)().decode(data) if cut else data.decode(codec)
    except UnicodeDecodeError:
        return None
    if codec in ("utf-16", "utf-32"):  # written back with the mark and byte order it came with
        codec += "-marked-le" if data[:1] == b"\xff" else "-marked-be"
    return text, codec


def _wide(data: bytes) -> str:
    sample = data[:4096]
    if len(sample) < 4 or len(data) % 2:
        return ""
    half = len(sample) // 2
    low, high = sample[1::2].count(0), sample[0::2].count(0)
    if low > half * 0.6 and high < half * 0.1:
        return "utf-16-le"
    if high > half * 0.6 and low < half * 0.1:
        return "utf-16-be"
    return ""
