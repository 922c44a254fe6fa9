"""Certificate files that every account can read, and that only root can change."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.journal import Journal
from agent.host.pem import certificates_in
from agent.host.trust.files import PublicFiles, public_folder
from tests.fakes.host import FakeRootStore
from tests.fakes.stores import a_root


@pytest.fixture
def store() -> FakeRootStore:
    return FakeRootStore([a_root(9).der])


@pytest.fixture
def files(tmp_path: Path, store: FakeRootStore) -> PublicFiles:
    return PublicFiles(tmp_path / "etc/drawbridge/trust", store)


def test_the_files_hold_our_roots_and_the_bundle_the_systems_too(files: PublicFiles, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.json", [files])
    journal.apply("trust-files", str(files.folder), a_root().pem)
    assert files.roots.read_text() == a_root().pem
    assert certificates_in(files.bundle.read_bytes()) == (a_root().der, a_root(9).der)
    assert [each.stat().st_mode & 0o777 for each in (files.folder, files.roots, files.bundle)] == [
        0o755,
        0o644,
        0o644,
    ]
    journal.restore()
    assert not files.folder.exists()


def test_the_bundle_follows_the_systems_roots(files: PublicFiles, store: FakeRootStore) -> None:
    assert files.refresh() is False  # nothing was published
    files.write(str(files.folder), a_root().pem)
    assert files.refresh() is False
    store.roots, store.mark = [a_root(8).der], "2"
    assert files.refresh() is True
    assert certificates_in(files.bundle.read_bytes()) == (a_root().der, a_root(8).der)
    assert files.bundle.stat().st_mode & 0o777 == 0o644


def test_a_folder_that_others_can_change_is_refused(files: PublicFiles) -> None:
    files.folder.mkdir(parents=True)
    files.folder.chmod(0o777)
    with pytest.raises(HostError, match="can be changed by others"):
        files.write(str(files.folder), a_root().pem)
    assert not files.roots.exists()


def test_a_link_in_its_place_is_refused(files: PublicFiles, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    files.folder.parent.mkdir(parents=True)
    files.folder.symlink_to(elsewhere)
    with pytest.raises(HostError, match="not a directory"):
        files.write(str(files.folder), a_root().pem)
    with pytest.raises(HostError, match="is not the folder"):
        files.read(str(elsewhere))


def test_every_platform_has_a_place_that_users_cannot_write() -> None:
    assert public_folder(platform="linux") == Path("/etc/drawbridge/trust")
    assert public_folder(platform="darwin") == Path("/Library/Application Support/Drawbridge/trust")
    assert "Program Files" in str(public_folder(platform="win32", environ={}))
