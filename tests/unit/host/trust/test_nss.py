"""The databases of browsers: a user's own, each with its own tool, which may be missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.run import run
from agent.host.trust.nss import NssStore
from agent.host.trust.store import Access
from tests.fakes.stores import Keystore, a_root, certutil


def database(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "cert9.db").write_bytes(b"")
    return folder


def installed(name: str) -> str:
    return f"/usr/bin/{name}"


@pytest.fixture
def tool() -> Keystore:
    return Keystore(certutil)


def test_every_browser_of_the_user_is_found(tmp_path: Path, tool: Keystore) -> None:
    database(tmp_path / ".pki/nssdb")
    database(tmp_path / "snap/chromium/current/.pki/nssdb")
    database(tmp_path / ".mozilla/firefox/abc.default-release")
    (tmp_path / ".mozilla/firefox/Crash Reports").mkdir()
    sites = NssStore(tool, home=tmp_path, find=installed).sites()
    assert [site.title.partition(":")[0] for site in sites] == [
        "Chrome, Chromium",
        "Chromium (snap)",
        "Firefox",
    ]
    assert {site.access for site in sites} == {Access.OPEN}


def test_a_root_goes_in_for_tls_servers_only_and_out_again(tmp_path: Path, tool: Keystore) -> None:
    place, root = f"sql:{database(tmp_path / '.pki/nssdb')}", a_root()
    store = NssStore(tool, home=tmp_path, find=installed)
    assert store.read(root.scope(place)) is None
    store.write(root.scope(place), root.pem)
    assert tool.asked[-1][tool.asked[-1].index("-t") + 1] == "C,,"
    assert store.read(root.scope(place)) == root.pem
    assert store.trusts(place, root)
    store.write(root.scope(place), None)
    assert not store.trusts(place, root)


def test_without_the_tool_a_database_is_named_with_what_to_install(tmp_path: Path, tool: Keystore) -> None:
    place = f"sql:{database(tmp_path / '.pki/nssdb')}"
    store = NssStore(tool, home=tmp_path, find=lambda _: None)
    (site,) = store.sites()
    assert site.access is Access.UNKNOWN
    assert "libnss3-tools" in site.remedy
    with pytest.raises(HostError, match="certutil is not installed"):
        store.read(a_root().scope(place))


def test_a_user_without_browsers_has_none(tmp_path: Path, tool: Keystore) -> None:
    (site,) = NssStore(tool, home=tmp_path, find=installed).sites()
    assert site.access is Access.ABSENT


@pytest.mark.parametrize("place", ["sql:/etc", "/home", "sql:{home}/../other"])
def test_a_database_of_somebody_else_is_not_opened(tmp_path: Path, tool: Keystore, place: str) -> None:
    store = NssStore(tool, home=tmp_path, find=installed)
    with pytest.raises(HostError, match="no database of this user"):
        store.write(a_root().scope(place.format(home=tmp_path)), "x")
    assert tool.asked == []


def test_what_the_tool_says_is_told(tmp_path: Path, tool: Keystore) -> None:
    place = f"sql:{database(tmp_path / '.pki/nssdb')}"
    tool.broken = True
    with pytest.raises(HostError, match=r"did not get into.*it will not") as told:
        NssStore(tool, home=tmp_path, find=installed).write(a_root().scope(place), a_root().pem)
    assert "primary password" in told.value.hint()


@pytest.mark.skipif(shutil.which("certutil") is None, reason="NSS's certutil is not installed")
def test_nss_itself_accepts_a_root_that_went_in(tmp_path: Path) -> None:
    folder = tmp_path / ".pki/nssdb"
    folder.mkdir(parents=True)
    made = run(["certutil", "-N", "-d", f"sql:{folder}", "--empty-password"], timeout=30)
    assert made.code == 0
    store, root = NssStore(lambda argv: run(argv, timeout=30), home=tmp_path), a_root()
    (site,) = store.sites()
    assert not store.trusts(site.place, root)
    store.write(root.scope(site.place), root.pem)
    assert store.read(root.scope(site.place)) == root.pem
    assert store.trusts(site.place, root)
    store.write(root.scope(site.place), None)
    assert store.read(root.scope(site.place)) is None
