"""Moves the clock of a real process: Python imports this first where its folder is in PYTHONPATH.

The file that MOVED_CLOCK names says by how many seconds, and may change while the process runs. All of the agent asks
`time.time`; what never moves, asks other clocks, as on a machine whose clock somebody sets.
"""

from __future__ import annotations

import os
import time

_real = time.time
_file = os.environ.get("MOVED_CLOCK", "")


def _moved() -> float:
    try:
        with open(_file) as file:
            return _real() + float(file.read() or 0)
    except (OSError, ValueError):
        return _real()


if _file:
    time.time = _moved
