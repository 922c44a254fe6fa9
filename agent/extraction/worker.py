"""The process that reads files: asked over standard input, answering over standard output, until that ends.

It gives up what it does not need before it sees a file: what its service may do, other processes, files of its own,
memory without end. Where the system has no such limits (Windows, and memory on macOS) who started it watches it and
ends it.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from typing import IO

from agent.extraction.budget import Limits
from agent.extraction.frames import Broken, read_question, write_answer
from agent.extraction.reading import read
from agent.host.privileges import renounce

_SPARE_SECONDS = 5  # of CPU beyond what a file may take: the clock in `Budget` comes first
_HANDLES = 64


def main() -> None:
    """The whole life of the process."""
    logging.disable(logging.CRITICAL)  # what a parser warns of may be content
    asked, answered = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    sys.stdout = sys.stderr  # nothing a parser prints may stand between two answers
    _prepare()
    renounce()
    with suppress(Broken, OSError):
        serve(asked, answered)


def serve(asked: IO[bytes], answered: IO[bytes]) -> None:
    """Answer until no question follows. Raises Broken and OSError."""
    while (question := read_question(asked)) is not None:
        data, name, declared, limits = question
        _confine(limits)
        write_answer(answered, read(data, name=name, declared=declared, limits=limits))


def _prepare() -> None:
    """Import now what is imported late: afterwards no file need be opened."""
    import pypdf
    import pypdf.generic

    del pypdf


def _confine(limits: Limits) -> None:
    """Take from this process what a file does not need. Parsers that are taken over can do little then."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime + limits.seconds) + _SPARE_SECONDS
    for kind, soft in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, _HANDLES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        with suppress(ValueError, OSError):  # macOS knows no limit of memory
            most = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
            resource.setrlimit(kind, (most, hard))
