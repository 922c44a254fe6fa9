"""Where a made-up value stands in a text: marked while the text is composed, turned into offsets at the end.

A value is wrapped in characters of the private use area before it is put into JSON, YAML or code; whatever is escaped
around it, the span stays right. Values that need escaping are escaped before they are marked.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

OPEN, TYPED, CLOSE = "\ue000", "\ue001", "\ue002"

LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
DIGITS = "0123456789"
ALPHABETS = {
    "d": DIGITS,
    "hex": DIGITS + "abcdef",
    "HEX": DIGITS + "ABCDEF",
    "low": LOWER + DIGITS,
    "up": UPPER + DIGITS,
    "an": UPPER + LOWER + DIGITS,
    "alpha": LOWER,
    "Alpha": UPPER + LOWER,
    "b64": UPPER + LOWER + DIGITS + "+/",
    "b64u": UPPER + LOWER + DIGITS + "-_",
    "b32": UPPER + "234567",
    "b32low": LOWER + "234567",
    "bech32": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
}


@dataclass(slots=True)
class Row:
    """A row of a set, before its id is given."""

    text: str
    kind: str
    context: str
    source: str
    family: str = ""
    variant: str = ""
    spans: list[dict[str, object]] = field(default_factory=list)


def mark(kind: str, value: str) -> str:
    """A value to be found, of that type."""
    return f"{OPEN}{kind}{TYPED}{value}{CLOSE}"


def row(text: str, *, family: str, context: str, source: str, kind: str = "", variant: str = "") -> Row:
    """The row of a composed text: the marks become spans. Without marks it is a hard negative."""
    plain: list[str] = []
    spans: list[dict[str, object]] = []
    at = 0
    for piece in text.split(OPEN):
        if TYPED in piece:
            name, _, rest = piece.partition(TYPED)
            value, _, after = rest.partition(CLOSE)
            spans.append({"start": at, "end": at + len(value), "type": name})
            piece = value + after
        plain.append(piece)
        at += len(piece)
    return Row(
        text="".join(plain),
        kind=kind or ("positive" if spans else "hard_negative"),
        context=context,
        source=source,
        family=family,
        variant=variant,
        spans=spans,
    )


def fill(draw: random.Random, template: str) -> str:
    """A value of a template: `{hex:40}`, `{an:20-24}`, `{uuid}`; everything else stands for itself."""
    return "".join(_filled(draw, template))


def _filled(draw: random.Random, template: str) -> Iterator[str]:
    for place, piece in enumerate(template.split("{")):
        name, brace, rest = piece.partition("}")
        if not place or not brace:
            yield piece
            continue
        alphabet, _, size = name.partition(":")
        if alphabet == "uuid":
            yield uuid(draw)
        else:
            low, _, high = size.partition("-")
            yield text_of(draw, ALPHABETS[alphabet], draw.randint(int(low), int(high or low)))
        yield rest


def text_of(draw: random.Random, alphabet: str, size: int) -> str:
    """`size` characters at random."""
    return "".join(draw.choices(alphabet, k=size))


def uuid(draw: random.Random) -> str:
    """A random UUID, version 4."""
    digits = text_of(draw, ALPHABETS["hex"], 32)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{draw.choice('89ab')}{digits[17:20]}-{digits[20:]}"
