"""Which groups users are in: asked beside the traffic, used for some minutes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

import pytest

from agent.host.groups import MAX_GROUPS, UserGroups, group_source


def eventually(known: Callable[[], bool]) -> None:
    """Wait until something is known; five seconds at most."""
    deadline = time.monotonic() + 5
    while not known():
        assert time.monotonic() < deadline
        time.sleep(0.002)


class Directory:
    """A `GroupSource` that a test fills, and may hold up."""

    def __init__(self, **users: tuple[str, ...]) -> None:
        self.users = users
        self.asked: list[str] = []
        self.answers = threading.Event()
        self.answers.set()

    def groups(self, user: str) -> tuple[str, ...]:
        self.asked.append(user)
        assert self.answers.wait(5)
        if user == "broken":
            raise OSError("the directory is away")
        return self.users.get(user, ())


def test_a_user_is_asked_about_once_for_some_minutes() -> None:
    now = [0.0]
    directory = Directory(ann=("staff", "finance", "staff", "", "x" * 300))
    groups = UserGroups(directory, lambda: now[0], wait=5)
    assert groups.of("ann") == ("finance", "staff")
    assert groups.of("ann") == groups.told("ann")
    assert directory.asked == ["ann"]
    directory.users["ann"] = ("sales",)
    now[0] = 301.0
    directory.answers.clear()
    assert groups.of("ann") == ("finance", "staff")  # what was said goes on to count meanwhile
    directory.answers.set()
    eventually(lambda: groups.told("ann") == ("sales",))
    assert directory.asked == ["ann", "ann"]
    groups.close()


def test_nobody_waits_long_and_the_answer_is_there_later() -> None:
    directory = Directory(ann=("staff",))
    directory.answers.clear()
    groups = UserGroups(directory, wait=0.01)
    assert groups.of("ann") == ()
    assert groups.told("ann") == ()
    directory.answers.set()
    eventually(lambda: groups.told("ann") == ("staff",))
    assert directory.asked == ["ann"]
    groups.close()


def test_a_directory_that_breaks_leaves_what_was_known() -> None:
    groups = UserGroups(directory := Directory(), wait=5)
    assert groups.of("broken") == ()
    assert groups.of("") == ()
    assert directory.asked == ["broken"]
    groups.close()
    assert groups.of("ann") == ()  # closed: nobody is asked


def test_there_is_an_end_to_them() -> None:
    groups = UserGroups(Directory(ann=tuple(f"g{number}" for number in range(MAX_GROUPS + 5))), wait=5)
    assert len(groups.of("ann")) == MAX_GROUPS
    groups.close()


@pytest.mark.skipif(sys.platform == "win32", reason="asks the user database of POSIX systems")
def test_this_systems_own_answer_is_a_list_of_names() -> None:
    assert "root" in group_source().groups("root") or sys.platform == "darwin"
    assert group_source().groups("no-such-user-here") == ()
