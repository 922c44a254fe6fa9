"""The system's store on Linux: the family's own directory and command, and a root that is gone everywhere again."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.journal import Journal, Undone
from agent.host.run import Completed
from agent.host.trust.linux import FAMILIES, Family, LinuxStore
from agent.host.trust.store import Access
from tests.fakes.stores import DONE, LinuxRoots, a_root


class House:
    """A Linux of one family."""

    def __init__(self, base: Path, folder: str = "/usr/local/share/ca-certificates") -> None:
        self.base = base
        self.anchors = base / folder.removeprefix("/")
        self.anchors.mkdir(parents=True)
        self.roots = LinuxRoots(self.anchors)
        self.fed: list[tuple[str, bytes]] = []
        self.store = LinuxStore(self.roots, self.roots, base=base, feed=self.feed)

    def feed(self, argv: object, text: bytes) -> Completed:
        assert isinstance(argv, list)
        self.fed.append((argv[0], text))
        return DONE


@pytest.fixture
def debian(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.refresh[0])
def test_each_family_has_its_directory_and_command(tmp_path: Path, family: Family) -> None:
    house, root = House(tmp_path, family.folder), a_root()
    (site,) = house.store.sites()
    assert (site.place, site.access) == (str(house.anchors), Access.OPEN)
    house.store.write(root.scope(site.place), root.pem)
    (file,) = house.anchors.iterdir()
    assert file.suffix == family.suffix
    assert file.stat().st_mode & 0o777 == 0o644
    assert house.roots.asked == [family.refresh]
    assert house.store.trusts(site.place, root)
    house.store.write(root.scope(site.place), None)
    assert list(house.anchors.iterdir()) == []
    assert house.roots.asked[1:] == [family.after_removal or family.refresh]
    assert not house.store.trusts(site.place, root)


def test_the_first_directory_of_several_decides(tmp_path: Path) -> None:
    for family in FAMILIES:
        (tmp_path / family.folder.removeprefix("/")).mkdir(parents=True)
    roots = LinuxRoots(tmp_path)
    (site,) = LinuxStore(roots, roots, base=tmp_path).sites()
    assert site.place.endswith("/etc/pki/ca-trust/source/anchors")


def test_a_system_without_any_is_told(tmp_path: Path) -> None:
    roots = LinuxRoots(tmp_path)
    (site,) = LinuxStore(roots, roots, base=tmp_path).sites()
    assert site.access is Access.ABSENT
    assert "ca-certificates" in site.remedy


def test_two_roots_stand_beside_each_other(debian: House, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.json", [debian.store])
    first, second = a_root(1), a_root(2)
    for root in (first, second):
        assert journal.apply("linux-anchors", root.scope(str(debian.anchors)), root.pem)
    assert len(list(debian.anchors.iterdir())) == 2
    journal.restore_one("linux-anchors", first.scope(str(debian.anchors)))
    assert debian.roots.certificates()[1:] == (second.der,)


def test_a_file_that_somebody_changed_is_left(debian: House, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.json", [debian.store])
    root = a_root()
    journal.apply("linux-anchors", root.scope(str(debian.anchors)), root.pem)
    (file,) = debian.anchors.iterdir()
    file.write_text(a_root(2).pem)
    assert [each.undone for each in journal.restore()] == [Undone.LEFT]
    assert file.exists()


def test_stores_that_the_system_fills_from_its_own_are_told_what_is_gone(debian: House) -> None:
    hooks = debian.base / "etc/ca-certificates/update.d"
    hooks.mkdir(parents=True)
    for name, mode in (("jks-keystore", 0o755), ("README.txt", 0o755), ("off", 0o644)):
        (hooks / name).write_text("#!/bin/sh\n")
        (hooks / name).chmod(mode)
    root = a_root()
    debian.store.write(root.scope(str(debian.anchors)), root.pem)
    assert debian.fed == []
    debian.store.write(root.scope(str(debian.anchors)), None)
    link = debian.base / "etc/ssl/certs" / f"drawbridge-{root.mark[:16]}.pem"
    assert debian.fed == [(str(hooks / "jks-keystore"), f"-{link}\n".encode())]


def test_where_the_files_cannot_be_rebuilt_the_directory_is_as_it_was(debian: House, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.json", [debian.store])
    root = a_root()
    scope = root.scope(str(debian.anchors))
    debian.roots.broken = True
    with pytest.raises(HostError, match=r"not rebuilt.*it will not"):
        journal.apply("linux-anchors", scope, root.pem)
    assert list(debian.anchors.iterdir()) == []
    debian.roots.broken = False
    assert journal.apply("linux-anchors", scope, root.pem)  # the next try begins anew
    assert debian.store.trusts(str(debian.anchors), root)
    debian.roots.broken = True
    assert [each.undone for each in journal.restore()] == [Undone.FAILED]
    debian.roots.broken = False
    assert [each.undone for each in journal.restore()] == [Undone.RESTORED]
    assert not debian.store.trusts(str(debian.anchors), root)


def test_files_that_somebody_made_without_the_root_are_rebuilt(debian: House) -> None:
    root = a_root()
    assert debian.store.mend(root) is False
    debian.store.write(root.scope(str(debian.anchors)), root.pem)
    assert debian.store.mend(root) is False
    debian.roots.made = ()
    assert debian.store.mend(root) is True
    assert debian.store.trusts(str(debian.anchors), root)


def test_a_journal_that_names_another_directory_leads_nowhere(debian: House, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no directory of a system's trust store"):
        debian.store.write(a_root().scope(str(tmp_path)), "anything")
    assert debian.roots.asked == []
