"""Privileges are given up for good, by the kernel's own word where it is Linux."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agent.errors import HostError
from agent.host.privileges import renounce

LOOK = (
    "from agent.host.privileges import renounce; renounce()\n"
    "status = dict(line.split(':\\t', 1) for line in open('/proc/self/status').read().splitlines() if ':\\t' in line)\n"
    "print(*(int(status[name], 16) for name in ('CapEff', 'CapPrm', 'CapInh', 'CapAmb')), status['NoNewPrivs'])\n"
)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these capabilities")
def test_nothing_is_left() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.split() == ["0", "0", "0", "0", "1"]


def test_a_refusal_is_an_error() -> None:
    with pytest.raises(HostError, match="give up privileges"):
        renounce(platform="linux", prctl=lambda *_: 0, capset=lambda *_: -1)


def test_elsewhere_there_is_nothing_to_give_up() -> None:
    renounce(platform="darwin", prctl=lambda *_: -1, capset=lambda *_: -1)
