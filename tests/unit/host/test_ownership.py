"""Root writes into somebody else's directory as that somebody, and is root again afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agent.host.authority import Authority
from agent.host.ownership import as_owner_of, become_owner_of
from agent.host.paths import StatePaths

SOMEBODY = 12_345
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that every account can enter; pytest's own belong to root alone."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_in_a_directory_of_our_own_we_stay_who_we_are(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "not there yet"):
        with as_owner_of(directory):
            assert (tmp_path / "file").write_text("x")
    assert (tmp_path / "file").stat().st_uid == os.geteuid()


@needs_root
def test_what_root_writes_belongs_to_the_owner(public: Path) -> None:
    paths = StatePaths.under(public / "state")
    paths.root.mkdir(mode=0o700)
    os.chown(paths.root, SOMEBODY, SOMEBODY)
    with as_owner_of(paths.root):
        paths.prepare()
        Authority.open(paths, frozenset({"api.openai.com"}))
    assert {file.stat().st_uid for file in paths.ca.iterdir()} == {SOMEBODY}
    assert os.geteuid() == 0


@needs_root
def test_a_link_that_the_owner_made_leads_root_nowhere(public: Path) -> None:
    secret, state = public / "roots-own", public / "state"
    secret.mkdir(mode=0o700)
    state.mkdir()
    (state / "ca").symlink_to(secret)
    os.chown(state, SOMEBODY, SOMEBODY)
    with as_owner_of(state), pytest.raises(PermissionError):
        (state / "ca" / "root.key").write_text("x")
    assert list(secret.iterdir()) == []


@needs_root
@pytest.mark.parametrize(("owner", "expected"), [(SOMEBODY, SOMEBODY), (0, 0)])
def test_a_command_becomes_the_owner_for_good(public: Path, owner: int, expected: int) -> None:
    os.chown(public, owner, owner)
    child = os.fork()
    if child == 0:  # whoever gives root away does not get it back
        try:
            become_owner_of(public)
            os._exit(int((os.getuid(), os.geteuid(), os.getegid()) != (expected, expected, expected)))
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert os.geteuid() == 0


def test_a_directory_that_is_not_there_yet_belongs_to_nobody(tmp_path: Path) -> None:
    become_owner_of(tmp_path / "not there yet")
    assert os.geteuid() == os.getuid()
