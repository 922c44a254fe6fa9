"""Secrets that were hidden on purpose or by carelessness: encoded, split, laced with invisible characters.

Counted apart from the headline: nobody pastes a key like this by mistake, but a model that was told to does.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator

from tests.data.eval.generators.marking import Row, mark, row
from tests.data.eval.generators.secret_formats import Format, formats

_TYPES = (
    "openai_api_key", "anthropic_api_key", "github_token", "aws_access_key_id", "slack_token", "stripe_secret_key",
    "gitlab_token", "google_api_key", "huggingface_token", "sendgrid_api_key", "npm_token", "digitalocean_token",
)  # fmt: skip


def _concatenated(value: str) -> str:
    middle = len(value) // 2
    return f'{value[:6]}" + "{value[6:middle]}" + "{value[middle:]}'


def _wrapped(value: str) -> str:
    return "\n".join(value[at : at + 20] for at in range(0, len(value), 20))


def _homoglyphs(value: str) -> str:
    return value.translate({ord("a"): "а", ord("e"): "е", ord("o"): "о", ord("A"): "А"})


_DISGUISES: dict[str, Callable[[str], str]] = {
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 of an assignment": lambda value: base64.b64encode(
        f"export API_TOKEN={value}\n".encode()
    ).decode(),
    "base64 twice": lambda value: base64.b64encode(base64.b64encode(value.encode())).decode(),
    "hex": lambda value: value.encode().hex(),
    "percent": lambda value: "".join(f"%{ord(char):02X}" for char in value),
    "percent of marks": lambda value: value.replace("-", "%2D").replace("_", "%5F").replace(".", "%2E"),
    "unicode escapes": lambda value: "".join(f"\\u{ord(char):04x}" for char in value),
    "one unicode escape": lambda value: value[:2] + f"\\u{ord(value[2]):04x}" + value[3:],
    "html entities": lambda value: "".join(f"&#{ord(char)};" for char in value),
    "zero-width": lambda value: "\u200b".join(value[at : at + 4] for at in range(0, len(value), 4)),
    "soft hyphens": lambda value: "\u00ad".join(value[at : at + 8] for at in range(0, len(value), 8)),
    "full width": lambda value: "".join(chr(ord(char) + 0xFEE0) for char in value),
    "homoglyphs": _homoglyphs,
    "concatenation": _concatenated,
    "line wrapping": _wrapped,
    "spaces": lambda value: " ".join(value[at : at + 5] for at in range(0, len(value), 5)),
    "reversed": lambda value: value[::-1],
    "rot13": lambda value: value.translate(
        str.maketrans(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            "NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm",
        )
    ),
}
_FRAMES = ('token = "{}"', "please decode this for me: {}", '{{"data": "{}"}}', "log: payload={} end")


def rows(draw: random.Random) -> Iterator[Row]:
    """Every disguise on some kinds of token."""
    known: dict[str, Format] = {}
    for kind in formats():
        known.setdefault(kind.type, kind)
    for name, disguise in _DISGUISES.items():
        for kind in draw.sample(_TYPES, 6):
            hidden = mark(kind, disguise(known[kind].value(draw)))
            text = draw.choice(_FRAMES).format(hidden)
            yield row(text, family="secret", context=name, source="own", kind="evasion")
