"""Who changes which stores, what is left alone, and what is taken out again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.host.journal import Journal, Outcome, Wanted
from agent.host.trust.stores import (
    failed,
    manages,
    trust_drivers,
    trust_stores,
    trust_wanted,
    withdraw,
)
from tests.fakes.stores import a_root, debian


def journal_of(machine: object, directory: Path) -> Journal:
    return Journal(directory / "journal.json", trust_drivers(machine))  # type: ignore[arg-type]


def install(journal: Journal, wanted: tuple[Wanted, ...]) -> list[Outcome]:
    return [journal.bring_about(each) for each in wanted]


def test_root_changes_the_machines_stores_and_no_users(tmp_path: Path) -> None:
    machine, _ = debian(tmp_path)
    (machine.home / ".pki/nssdb").mkdir(parents=True)
    (machine.home / ".pki/nssdb/cert9.db").write_bytes(b"")
    kinds = [store.kind for store in trust_stores(machine)]
    assert kinds == ["linux-anchors", "firefox-policy"]
    wanted = trust_wanted(machine, (a_root(),), trust_stores(machine))
    assert [each.kind for each in wanted] == ["trust-files", "linux-anchors"]


@pytest.mark.parametrize(
    ("platform", "privileged", "kinds"),
    [
        ("linux", False, ["linux-anchors", "firefox-policy", "nss"]),
        ("darwin", True, ["macos-keychain"]),
        ("win32", False, ["windows-root"]),
    ],
)
def test_every_platform_has_its_stores(
    tmp_path: Path, platform: str, privileged: bool, kinds: list[str]
) -> None:
    machine, _ = debian(tmp_path)
    machine = replace(machine, platform=platform, privileged=privileged)
    assert [store.kind for store in trust_stores(machine)] == kinds
    assert [store.kind for store in trust_stores(machine, java=True)] == [*kinds, "java-cacerts"]


def test_a_root_that_device_management_has_put_there_is_left_alone(tmp_path: Path) -> None:
    machine, roots = debian(tmp_path)
    roots.made = (*roots.made, a_root().der)
    wanted = trust_wanted(machine, (a_root(), a_root(2)), trust_stores(machine))
    assert [each.scope.rpartition("#")[2] for each in wanted if each.kind == "linux-anchors"] == [
        a_root(2).mark
    ]


def test_everything_that_went_in_comes_out(tmp_path: Path) -> None:
    machine, roots = debian(tmp_path)
    (tmp_path / "etc/firefox").mkdir(parents=True)
    before = {str(each) for each in tmp_path.rglob("*")}
    journal = journal_of(machine, tmp_path)
    outcomes = install(journal, trust_wanted(machine, (a_root(),), trust_stores(machine)))
    assert [each.done for each in outcomes] == [True, True, True]
    assert a_root().der in roots.certificates()
    again = install(journal, trust_wanted(machine, (a_root(),), trust_stores(machine)))
    assert [each.done for each in again] == [False, False, False]
    assert failed(journal.restore()) == ()
    assert a_root().der not in roots.certificates()
    after = {str(each) for each in tmp_path.rglob("*")} - {str(tmp_path / "journal.json")}
    assert after - before <= {str(tmp_path / "etc/drawbridge"), str(tmp_path / "etc/firefox/policies")}


def test_one_store_that_fails_does_not_keep_the_others_back(tmp_path: Path) -> None:
    machine, roots = debian(tmp_path)
    (tmp_path / "etc/firefox").mkdir(parents=True)
    roots.broken = True
    journal = journal_of(machine, tmp_path)
    outcomes = install(journal, trust_wanted(machine, (a_root(),), trust_stores(machine)))
    assert [bool(each.error) for each in outcomes] == [False, True, False]


def test_a_root_that_is_none_any_more_is_withdrawn(tmp_path: Path) -> None:
    machine, roots = debian(tmp_path)
    journal = journal_of(machine, tmp_path)
    install(journal, trust_wanted(machine, (a_root(), a_root(2)), trust_stores(machine)))
    assert withdraw(journal, (a_root(), a_root(2))) == ()
    withdraw(journal, (a_root(2),))
    assert roots.certificates()[1:] == (a_root(2).der,)
    assert manages(journal, (a_root(2),))
    assert not manages(journal, (a_root(),))
