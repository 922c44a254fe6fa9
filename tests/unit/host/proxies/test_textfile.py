"""Files that are wholly ours: only those, whole, and never through another user's trap."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.proxies.textfile import TextFile, put


def test_a_file_is_made_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "drawbridge.conf"
    done: list[int] = []
    driver = TextFile("kind", [file], changed=lambda: done.append(1))
    assert driver.scopes() == (str(file),)
    assert driver.read(str(file)) is None
    driver.write(str(file), "A=1\n")
    assert driver.read(str(file)) == "A=1\n"
    assert file.stat().st_mode & 0o777 == 0o644
    driver.write(str(file), None)
    driver.write(str(file), None)
    assert not file.exists()
    assert file.parent.exists()
    assert len(done) == 3


def test_a_folder_that_is_empty_goes_where_nobody_needs_it(tmp_path: Path) -> None:
    file = tmp_path / "environment.d" / "drawbridge.conf"
    driver = TextFile("kind", [file], tidies=[file.parent])
    for _ in range(2):
        driver.write(str(file), "A=1\n")
        driver.write(str(file), None)
        driver.write(str(file), None)
        assert not file.parent.exists()


def test_a_folder_with_something_else_in_it_stays(tmp_path: Path) -> None:
    file = tmp_path / "environment.d" / "drawbridge.conf"
    driver = TextFile("kind", [file], tidies=[file.parent])
    driver.write(str(file), "A=1\n")
    (file.parent / "other.conf").touch()
    driver.write(str(file), None)
    assert [each.name for each in file.parent.iterdir()] == ["other.conf"]


def test_bytes_that_are_no_text_come_back(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"\xff\xfe=1\r\n")
    file.chmod(0o600)
    driver = TextFile("kind", [file])
    value = driver.read(str(file))
    driver.write(str(file), "ours")
    driver.write(str(file), value)
    assert file.read_bytes() == b"\xff\xfe=1\r\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_no_other_file_is_touched_whatever_a_journal_says(tmp_path: Path) -> None:
    driver = TextFile("kind", [tmp_path / "f"])
    for act in (lambda: driver.read("/etc/passwd"), lambda: driver.write("/etc/passwd", None)):
        with pytest.raises(HostError, match="none of the files"):
            act()


def test_a_folder_that_others_may_write_is_a_trap(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(HostError, match="changed by others"):
        put(folder / "f", b"x")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be trapped by another user's folder")
def test_root_writes_nothing_in_a_users_folder_not_even_by_a_link(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    link = tmp_path / "link"
    link.symlink_to(folder / "f")
    for path in (folder / "f", link):
        with pytest.raises(HostError, match="changed by others"):
            put(path, b"x")
    assert list(folder.iterdir()) == []


def test_a_link_of_ones_own_is_followed(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles"
    real.write_text("a")
    link = tmp_path / "link"
    link.symlink_to(real)
    put(link, b"b")
    assert link.is_symlink()
    assert real.read_text() == "b"
