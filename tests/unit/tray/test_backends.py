"""Which way an icon is shown, and what is said where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.tray.backends import Backend, choose, lives

X = {"DISPLAY": ":0"}
WAYLAND = {"WAYLAND_DISPLAY": "wayland-0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desktop:
    watches: bool | None = False
    embeds_: bool | None = False

    def watcher(self) -> bool | None:
        return self.watches

    def embeds(self) -> bool | None:
        return self.embeds_


@pytest.mark.parametrize(
    ("environ", "desktop", "backend"),
    [
        (X, Desktop(watches=True), Backend.STATUS_NOTIFIER),
        (X, Desktop(watches=True, embeds_=True), Backend.STATUS_NOTIFIER),
        (WAYLAND, Desktop(watches=True, embeds_=None), Backend.STATUS_NOTIFIER),
        (X, Desktop(embeds_=True), Backend.XORG),
        (X, Desktop(watches=None, embeds_=True), Backend.XORG),
        (WAYLAND, Desktop(embeds_=None), None),
        (X, Desktop(), None),
        ({}, Desktop(watches=True, embeds_=True), None),
    ],
)
def test_linux_takes_the_menu_where_it_can_and_a_bare_icon_where_it_must(
    environ: dict[str, str], desktop: Desktop, backend: Backend | None
) -> None:
    choice = choose(environ, desktop, platform="linux")
    assert choice.backend is backend
    assert choice.why
    assert choice.hint or choice.backend is Backend.STATUS_NOTIFIER


@pytest.mark.parametrize(
    ("environ", "desktop", "waits", "later"),
    [
        (X, Desktop(), True, Backend.STATUS_NOTIFIER),
        (WAYLAND, Desktop(embeds_=None), True, Backend.STATUS_NOTIFIER),
        (X, Desktop(watches=None), True, None),
        (WAYLAND, Desktop(watches=None, embeds_=None), False, None),
        ({}, Desktop(), False, None),
    ],
)
def test_a_panel_that_may_come_is_waited_for(
    environ: dict[str, str], desktop: Desktop, waits: bool, later: Backend | None
) -> None:
    choice = choose(environ, desktop, platform="linux")
    assert (choice.waits, choice.later) == (waits, later)


def test_what_the_environment_wants_is_obeyed() -> None:
    whole = Desktop(watches=True, embeds_=True)
    assert choose(X, whole, platform="linux", wanted="xorg").backend is Backend.XORG
    bare = Desktop(embeds_=True)
    assert choose(X, bare, platform="linux", wanted="statusnotifier").backend is None


def test_other_systems_have_one_way() -> None:
    assert choose({}, Desktop(), platform="darwin").backend is Backend.DARWIN
    assert choose({}, Desktop(), platform="win32").backend is Backend.WIN32


def test_a_session_that_is_over_is_noticed(tmp_path: Path) -> None:
    assert lives(X, Desktop(embeds_=False))
    assert not lives(X, Desktop(embeds_=None))
    wayland = {"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "wayland-0"}
    assert not lives(wayland, Desktop(embeds_=None))
    (tmp_path / "wayland-0").touch()
    assert lives(wayland, Desktop(embeds_=None))
    assert lives({}, Desktop())
