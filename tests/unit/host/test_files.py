"""Private files: whole or not at all, and nobody else's to read or change."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.files import (
    make_private_directory,
    read_limited,
    read_private,
    read_protected,
    write_atomically,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def any_umask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    assert tmp_path.is_dir()  # made before the mask is changed
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.parametrize("any_umask", [0o000, 0o077, 0o377], indirect=True)
@pytest.mark.usefixtures("any_umask")
def test_a_written_file_is_private_under_every_umask(tmp_path: Path) -> None:
    write_atomically(tmp_path / "key", b"data")
    assert mode(tmp_path / "key") == 0o600
    assert read_private(tmp_path / "key", limit=4) == b"data"


@pytest.mark.parametrize("any_umask", [0o000, 0o377], indirect=True)
@pytest.mark.usefixtures("any_umask")
def test_a_made_directory_is_private_under_every_umask(tmp_path: Path) -> None:
    make_private_directory(tmp_path / "state")
    assert mode(tmp_path / "state") == 0o700


def test_writing_replaces_the_old_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", b"old")
    write_atomically(tmp_path / "file", b"new")
    assert read_limited(tmp_path / "file", limit=10) == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_no_scratch_file(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "inside").touch()
    with pytest.raises(HostError, match="cannot write"):
        write_atomically(tmp_path / "taken", b"data")  # a directory cannot be replaced by a file
    assert os.listdir(tmp_path) == ["taken"]


def test_writing_does_not_follow_a_link_that_stands_in_the_place(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"theirs")
    (tmp_path / "file").symlink_to(tmp_path / "victim")
    write_atomically(tmp_path / "file", b"ours")
    assert (tmp_path / "victim").read_bytes() == b"theirs"
    assert not (tmp_path / "file").is_symlink()


def test_a_missing_file_reads_as_none(tmp_path: Path) -> None:
    assert read_limited(tmp_path / "none", limit=1) is None
    assert read_private(tmp_path / "none", limit=1) is None


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_limited(tmp_path / "file", limit=5) == b"12345"
    with pytest.raises(HostError, match="larger than 4 bytes"):
        read_limited(tmp_path / "file", limit=4)


@pytest.mark.parametrize("others", [0o640, 0o604, 0o620, 0o601])
def test_a_private_file_that_others_may_open_is_refused(tmp_path: Path, others: int) -> None:
    (tmp_path / "key").write_bytes(b"data")
    (tmp_path / "key").chmod(others)
    with pytest.raises(HostError, match="other users") as refused:
        read_private(tmp_path / "key", limit=10)
    assert "chmod 600" in refused.value.hint()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_else_is_refused(tmp_path: Path) -> None:
    make_private_directory(tmp_path / "state")
    write_atomically(tmp_path / "key", b"data")
    os.chown(tmp_path / "state", 12345, -1)
    os.chown(tmp_path / "key", 12345, -1)
    with pytest.raises(HostError, match="belongs to user 12345"):
        make_private_directory(tmp_path / "state")
    with pytest.raises(HostError, match="belongs to user 12345"):
        read_private(tmp_path / "key", limit=10)


def test_a_protected_file_may_be_read_by_all_and_changed_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "managed.json"
    file.write_bytes(b"{}")
    file.chmod(0o644)
    assert read_protected(file, limit=10, owner=os.geteuid()) == b"{}"
    with pytest.raises(HostError, match="can be changed by others"):
        read_protected(file, limit=10, owner=os.geteuid() + 1)
    file.chmod(0o664)
    with pytest.raises(HostError, match="can be changed by others"):
        read_protected(file, limit=10, owner=os.geteuid())


def test_a_pipe_or_directory_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(HostError, match="not a regular file"):
            read_limited(path, limit=10)


def test_a_directory_behind_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(HostError, match="symbolic link"):
        make_private_directory(tmp_path / "link")


def test_a_file_in_the_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(HostError, match="not a directory"):
        make_private_directory(tmp_path / "state")


@pytest.mark.parametrize("others", [0o720, 0o702])
def test_a_directory_that_others_may_write_is_refused(tmp_path: Path, others: int) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(others)
    with pytest.raises(HostError, match="written by other users"):
        make_private_directory(tmp_path / "state")


def test_a_directory_that_cannot_be_made_says_which(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match=r"cannot make the directory .*/file/state"):
        make_private_directory(tmp_path / "file" / "state")
