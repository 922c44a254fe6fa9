"""Keychains, through a stand-in for security(1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.journal import Journal, Undone
from agent.host.trust.macos import Keychain
from tests.fakes.stores import Keystore, a_root, security

SYSTEM = "/Library/Keychains/System.keychain"


def test_the_machines_keychain_is_changed_for_all_and_as_it_was_afterwards(tmp_path: Path) -> None:
    tool, root = Keystore(security), a_root()
    store = Keychain(tool)
    journal = Journal(tmp_path / "journal.json", [store])
    assert journal.apply("macos-keychain", root.scope(SYSTEM), root.pem)
    added = next(argv for argv in tool.asked if argv[1] == "add-trusted-cert")
    assert added[2:-1] == ["-d", "-r", "trustRoot", "-p", "ssl", "-k", SYSTEM]
    assert store.trusts(SYSTEM, root)
    assert not journal.apply("macos-keychain", root.scope(SYSTEM), root.pem)
    assert [each.undone for each in journal.restore()] == [Undone.RESTORED]
    assert tool.held == {}
    verbs = [argv[1] for argv in tool.asked]
    assert verbs.index("remove-trusted-cert") < verbs.index("delete-certificate")


def test_a_users_own_keychain_takes_no_administrators_setting() -> None:
    tool, root = Keystore(security), a_root()
    own = Path("/Users/ann/Library/Keychains/login.keychain-db")
    store = Keychain(tool, keychain=own)
    store.write(root.scope(str(own)), root.pem)
    assert "-d" not in tool.asked[-1]
    with pytest.raises(HostError, match="not the keychain"):
        store.write(root.scope(SYSTEM), root.pem)


def test_without_somebody_to_confirm_device_management_is_named() -> None:
    tool = Keystore(security)
    tool.broken = True
    with pytest.raises(HostError, match="did not trust the root") as told:
        Keychain(tool).write(a_root().scope(SYSTEM), a_root().pem)
    assert "device management" in told.value.hint()
