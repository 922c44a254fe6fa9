"""Homes on Windows, and what it lists for removal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.host.homes import Registered
from agent.host.homes_windows import WindowsResidents

ENVIRON = {"USERPROFILE": r"C:\Users\ann", "USERNAME": "ann", "ProgramFiles": r"C:\Program Files"}


def test_a_person_has_one_home_with_its_variables() -> None:
    residents = WindowsResidents(everybody=False, environ=ENVIRON)
    (home,) = residents.homes()
    assert home.user == "ann"
    assert home.variables["userprofile"] == r"C:\Users\ann"
    assert home.variables["appdata"].endswith("Roaming")
    assert residents.variables == {"programfiles": r"C:\Program Files"}
    assert WindowsResidents(everybody=False, environ={}).homes() == ()


def test_a_service_sees_the_profiles_of_people(tmp_path: Path) -> None:
    for name in ("ann", "Public", "Default", "bob"):
        (tmp_path / name).mkdir()
    residents = WindowsResidents(everybody=True, environ=ENVIRON, base=tmp_path)
    assert [home.user for home in residents.homes()] == ["ann", "bob"]
    assert WindowsResidents(everybody=True, environ={}, base=tmp_path / "x").homes() == ()


def test_a_registry_that_breaks_off_says_what_it_said() -> None:
    def programs() -> Iterator[Registered]:
        yield Registered(name="Cursor (User)", version="1.0", user="ann")
        raise PermissionError(5, "denied")

    residents = WindowsResidents(everybody=True, environ={}, programs=programs)
    assert [each.name for each in residents.registered()] == ["Cursor (User)"]
    assert list(WindowsResidents(everybody=True, environ={}).registered()) == []
