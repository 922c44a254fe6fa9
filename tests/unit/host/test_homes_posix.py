"""Homes on Linux and macOS."""

from __future__ import annotations

from pathlib import Path

from agent.host.homes_posix import PosixResidents


def test_a_person_sees_their_own_home_and_a_privileged_process_everybodys(tmp_path: Path) -> None:
    base, own, elsewhere = tmp_path / "home", tmp_path / "root", tmp_path / "export" / "bob"
    for path in (base / "ann", base / "Shared", own, elsewhere):
        path.mkdir(parents=True)
    (base / "link").symlink_to(own)
    (base / "file").write_text("")
    accounts = [
        ("ann", 1000, str(base / "ann")),
        ("bob", 1001, str(elsewhere)),
        ("www", 33, str(own)),
        ("gone", 1002, str(tmp_path / "gone")),
        ("odd", 1003, "relative"),
    ]

    def homes(*, everybody: bool) -> list[Path]:
        residents = PosixResidents(everybody=everybody, base=base, own=own, accounts=lambda: accounts)
        return [home.path for home in residents.homes()]

    assert homes(everybody=False) == [own]
    assert homes(everybody=True) == [own, base / "ann", elsewhere]


def test_a_directory_that_may_not_be_listed_is_empty(tmp_path: Path) -> None:
    residents = PosixResidents(everybody=True, base=tmp_path / "nowhere", own=tmp_path, accounts=list)
    assert [home.path for home in residents.homes()] == [tmp_path]
    assert tuple(residents.registered()) == ()
    assert residents.variables == {}
