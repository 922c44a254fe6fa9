"""How a secret is referred to, as text: the forms, and what they say. Reads nothing."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath, PureWindowsPath

FORMS = "env:NAME, file:/absolute/path, keyring:service/name or exec:/absolute/program arguments"
"""What a reference may be, for messages."""


def is_absolute(path: str) -> bool:
    """Whether `path` is absolute on any system that we run on: a policy is written for many."""
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()


def command(text: str) -> tuple[str, ...]:
    """The program and arguments that stand after `exec:`. Quotes keep words together; a backslash is a backslash, and
    nothing else means anything: no shell ever sees them. Raises ValueError."""
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    lexer.escape = ""
    words = tuple(lexer)  # an open quote is a ValueError
    if not words or not is_absolute(words[0]):
        raise ValueError("exec: must be followed by the absolute path of a program")
    if any(not word.isprintable() for word in words):
        raise ValueError("exec: must be followed by printable words")
    return words


def shown(reference: str) -> str:
    """`reference` for messages: of a command the program only, as arguments may be nobody's business."""
    scheme, _, rest = reference.partition(":")
    if scheme != "exec":
        return reference
    try:
        return f"exec:{command(rest)[0]}"
    except ValueError:
        return "exec:…"
