"""The ROOT store, through a stand-in for certutil.exe."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.journal import Journal, Undone
from agent.host.trust.windows import MACHINE, USER, RootsOfWindows
from tests.fakes.stores import Keystore, a_root, certutil_exe


@pytest.mark.parametrize(("machine", "place"), [(True, MACHINE), (False, USER)])
def test_a_root_goes_in_and_out_by_its_thumbprint(tmp_path: Path, machine: bool, place: str) -> None:
    tool, root = Keystore(certutil_exe), a_root()
    store = RootsOfWindows(tool, machine=machine)
    journal = Journal(tmp_path / "journal.json", [store])
    assert journal.apply("windows-root", root.scope(place), root.pem)
    assert all(("-user" in argv) is not machine for argv in tool.asked)
    assert tool.asked[0][0].endswith("certutil.exe")
    assert store.read(root.scope(place)) == root.pem
    assert [each.undone for each in journal.restore()] == [Undone.RESTORED]
    assert tool.asked[-1][-3:] == ["-delstore", "Root", root.mark]
    assert tool.held == {}


def test_another_store_and_a_refusal_are_told() -> None:
    tool = Keystore(certutil_exe)
    store = RootsOfWindows(tool, machine=True)
    with pytest.raises(HostError, match="is not the store"):
        store.read(a_root().scope(USER))
    tool.broken = True
    with pytest.raises(HostError, match="did not get into") as told:
        store.write(a_root().scope(MACHINE), a_root().pem)
    assert "elevated" in told.value.hint()
