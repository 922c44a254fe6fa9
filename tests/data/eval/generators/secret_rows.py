"""The set of secrets: tokens in contexts, connection strings, passwords, private keys, and what only looks like them."""

# ruff: noqa: E501  a template is one line

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.data.eval.generators import password_rows, secret_negatives
from tests.data.eval.generators.marking import Row, fill, mark, row, text_of, uuid
from tests.data.eval.generators.secret_contexts import CONTEXTS, NAMELESS, long_text
from tests.data.eval.generators.secret_formats import Format, formats

_PER_FORMAT = 8
_STRIDE = 7  # has no divisor in common with the count of contexts: neighbours meet different ones
_SOURCE = "vendors' documentation of token formats"


def rows(draw: random.Random) -> Iterator[Row]:
    """All rows of the family."""
    yield from tokens(draw)
    yield from several(draw)
    yield from private_keys(draw)
    yield from password_rows.rows(draw)
    yield from secret_negatives.rows(draw)


def tokens(draw: random.Random) -> Iterator[Row]:
    """Every format in some contexts; over all formats every context comes up equally often."""
    names = list(CONTEXTS)
    turn = 0
    for kind in formats():
        for _ in range(_PER_FORMAT):
            context = names[turn * _STRIDE % len(names)]
            turn += 1
            if kind.shapeless and context in NAMELESS:
                context = names[turn * _STRIDE % len(names)]
                turn += 1
            yield token(draw, kind, context)


def several(draw: random.Random) -> Iterator[Row]:
    """Settings with several credentials between harmless ones, as `env` and `.env` files print them."""
    known = formats()
    harmless = (
        "NODE_ENV=production",
        "PORT=8080",
        "LOG_LEVEL=info",
        "TZ=UTC",
        "HOME=/root",
        "REGION=eu-west-1",
    )
    for _ in range(40):
        lines = [f"{kind.names[0]}={kind.marked(draw)}" for kind in draw.sample(known, 5)]
        lines += draw.sample(harmless, 4)
        draw.shuffle(lines)
        yield row("$ env\n" + "\n".join(lines) + "\n", family="secret", context="several", source=_SOURCE)


def token(draw: random.Random, kind: Format, context: str) -> Row:
    """One value in one context."""
    value, name = kind.marked(draw), draw.choice(kind.names)
    if not kind.shapeless and draw.random() < 0.25:
        name = draw.choice(["TOKEN", "API_KEY", "CREDENTIAL", "SECRET", "AUTH"])
    text = CONTEXTS[context](draw, name, value, kind.vendor)
    if draw.random() < 0.06:
        text = long_text(draw, text)
    return row(text, family="secret", context=context, source=_SOURCE)


_KEYS = (
    "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
    "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK",
)  # fmt: skip


def pem(draw: random.Random, label: str, newline: str = "\n") -> str:
    """A block of that label, RFC 7468, with a random body."""
    lines = [text_of(draw, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 64) for _ in range(draw.randint(8, 24))]  # fmt: skip
    lines.append(fill(draw, "{b64:31}="))
    if label.startswith("PGP"):  # RFC 9580: a blank line first, a checksum last
        lines = ["", *lines, "=" + fill(draw, "{b64:4}")]
    return newline.join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"])


def private_keys(draw: random.Random) -> Iterator[Row]:
    """PEM blocks in files, in YAML, in JSON on one line, in code, in shells, and one that is cut off."""
    for label in _KEYS:
        for context in ("file", "yaml", "json", "terraform", "prose", "dotenv", "truncated", "diff"):
            yield row(
                _key_text(draw, label, context),
                family="secret",
                context=f"key in {context}",
                source="RFC 7468",
            )
    for _ in range(6):
        lines = "\n".join(fill(draw, "{b64:64}") for _ in range(4))
        text = (
            f"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: me\nPublic-Lines: 2\n{lines}\n"
        )
        body = "\n".join(fill(draw, "{b64:64}") for _ in range(2))
        secret = f"Private-Lines: 2\n{mark('private_key', body)}\nPrivate-MAC: {fill(draw, '{hex:64}')}"
        yield row(text + secret + "\n", family="secret", context="key in file", source="PuTTY documentation")


def _key_text(draw: random.Random, label: str, context: str) -> str:
    whole = mark("private_key", pem(draw, label))
    flat = mark("private_key", pem(draw, label, "\\n"))
    head = pem(draw, label)
    match context:
        case "file":
            return f"$ cat ~/.ssh/id_key\n{whole}\n"
        case "yaml":
            block = pem(draw, label, "\n    ")
            return f"tls:\n  key: |\n    {mark('private_key', block)}\n"
        case "json":
            return f'{{"type": "service_account", "private_key_id": "{fill(draw, "{hex:40}")}", "private_key": "{flat}\\n"}}'
        case "terraform":
            return f'variable "key" {{\n  default = <<EOT\n{whole}\nEOT\n}}\n'
        case "prose":
            return f"ssh says 'invalid format' for this key, what is wrong with it?\n\n{whole}\n\nThanks!"
        case "dotenv":
            return f'PRIVATE_KEY="{flat}"\nID={uuid(draw)}\n'
        case "truncated":
            return f"head -c 900 server.key\n{mark('private_key', head[: len(head) * 2 // 3])}"
        case _:
            block = pem(draw, label, "\n+")
            return f"--- /dev/null\n+++ b/id_rsa\n@@ -0,0 +1,20 @@\n+{mark('private_key', block)}\n"
