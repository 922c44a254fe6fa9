"""The garbage collector of a long-running process."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from agent.host.collector import load_up, loaded, settle_in


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_is_there_is_not_looked_through_again() -> None:
    settle_in()
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[0] > 10_000


def test_loaded_modules_are_not_looked_through_and_what_follows_is() -> None:
    gc.disable()
    loaded()
    assert gc.get_freeze_count() > 1000
    assert gc.isenabled()
    ring: list[object] = []
    ring.append(ring)
    del ring
    assert gc.collect() >= 1


def test_later_cycles_are_still_found() -> None:
    settle_in()
    ring: list[object] = []
    ring.append(ring)
    del ring
    assert gc.collect() >= 1


def test_loading_is_hardly_looked_through_until_settling_in() -> None:
    load_up()
    loading = gc.get_threshold()[0]
    settle_in()
    assert loading > gc.get_threshold()[0] > 10_000
