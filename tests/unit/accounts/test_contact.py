"""How long a server that does not answer is left in peace, and what is known of it meanwhile."""

from __future__ import annotations

import logging

import pytest

from agent.accounts.contact import Contact


class Hour:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_it_counts_for_a_time_and_not_before_it_was_made() -> None:
    hour = Hour()
    contact = Contact(hour)
    assert not contact.within(100, hour.now)
    contact.made()
    assert contact.within(100, hour.now + 99)
    assert not contact.within(100, hour.now + 100)
    assert not contact.within(100, hour.now - 1)  # the clock was set back


def test_after_each_failure_it_is_left_in_peace_for_longer(caplog: pytest.LogCaptureFixture) -> None:
    hour = Hour()
    contact = Contact(hour)
    silences = []
    with caplog.at_level(logging.WARNING):
        for _ in range(6):
            contact.lost(OSError())
            contact.lost(OSError())  # of a call that began before
            begun = hour.now
            while contact.silent:
                hour.now += 1
            silences.append(hour.now - begun)
    assert silences == [2, 4, 8, 16, 30, 30]
    assert len(caplog.records) == 6
    contact.made()
    contact.lost(OSError())
    hour.now += 2
    assert not contact.silent
