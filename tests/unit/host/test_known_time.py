"""What time it is where the clock is wrong: believed until a server says otherwise, and never before what one said."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.known_time import KnownTime

HOUR = 3600.0
NOON = 1_800_000_000.0


class Machine:
    """Its clock, and how long it is up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wall = NOON
        self.up = 50.0

    def known(self) -> KnownTime:
        return KnownTime(self.path, wall=lambda: self.wall, up=lambda: self.up)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.up += seconds


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "clock.json")


def test_a_clock_that_nobody_contradicts_is_believed(machine: Machine) -> None:
    known = machine.known()
    machine.passes(HOUR)
    machine.wall += 400 * HOUR
    assert (known.now(), known.skew()) == (machine.wall, 0.0)


@pytest.mark.parametrize("jump", [400 * HOUR, -400 * HOUR])
def test_a_clock_that_is_set_changes_nothing_once_a_server_has_spoken(machine: Machine, jump: float) -> None:
    known = machine.known()
    known.heard(NOON + 2)  # a little off is right
    machine.passes(HOUR)
    assert (known.now(), known.skew()) == (machine.wall, 0.0)
    machine.wall += jump
    machine.passes(HOUR)
    assert known.now() == NOON + 2 + 2 * HOUR
    assert known.skew() == jump - 2
    assert known.corrected(machine.wall - 5) == known.now() - 5


def test_what_a_server_said_is_the_least_after_a_restart(machine: Machine) -> None:
    known = machine.known()
    known.heard(NOON)
    known.keep()
    machine.wall -= 20_000 * HOUR
    again = machine.known()
    machine.passes(HOUR)
    assert again.now() == NOON + HOUR
    machine.wall = NOON + 300 * HOUR  # it may have been off for long
    assert again.now() == machine.wall


def test_it_is_written_rarely_and_a_disk_that_refuses_is_no_error(machine: Machine) -> None:
    known = machine.known()
    known.heard(NOON)
    known.keep()
    before = machine.path.read_bytes()
    known.heard(NOON + 5)
    known.keep()
    assert machine.path.read_bytes() == before
    known.heard(NOON + 2 * HOUR)
    machine.path.unlink()
    machine.path.parent.rename(machine.path.parent.with_name("elsewhere"))
    known.keep()
    assert known.now() == machine.wall or known.skew()


@pytest.mark.parametrize("text", ["", "[]", '{"floor": "x"}', "\0"])
def test_a_damaged_file_says_nothing(machine: Machine, text: str) -> None:
    machine.path.write_text(text)
    assert machine.known().now() == NOON
