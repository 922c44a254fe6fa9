"""The table of nftables as a setting: read as it was written, and removed whatever became of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.capture_nftables import CANARY_ADDRESS, KIND, SCOPE, CaptureTable, NftRunner, ruleset
from agent.host.journal import Journal, Undone
from agent.host.run import Completed

TABLE = ruleset(port=7720, uid=990)


class FakeNft(NftRunner):
    """nft, and the one table that it knows."""

    def __init__(self) -> None:
        self.table: str | None = None
        self.broken = False

    def __call__(self, arguments: Sequence[str], script: bytes | None) -> Completed:
        if self.broken:
            return Completed(code=1, stdout=b"", stderr=b"Operation not permitted\n")
        told = ""
        if script is not None:
            _, _, rest = script.decode().partition(f"delete table {SCOPE}\n")
            self.table = rest or None
        elif arguments[-1] == "tables":
            told = f"table {SCOPE}\n" if self.table else "table ip nat\n"
        else:
            told = self.table or ""
        return Completed(code=0, stdout=told.encode(), stderr=b"")


def test_our_own_connections_are_let_go_before_any_is_led_here() -> None:
    ours = TABLE.index(f"meta skuid 990 ip daddr != {CANARY_ADDRESS} return")
    assert ours < TABLE.index("meta skuid 990 meta nfproto 10 return")
    assert ours < TABLE.index("\t\ttcp dport 443 redirect to :7720")


def test_it_is_put_and_taken_back(tmp_path: Path) -> None:
    nft = FakeNft()
    journal = Journal(tmp_path / "journal.json", (CaptureTable(nft),))
    assert journal.apply(KIND, SCOPE, TABLE)
    assert not journal.apply(KIND, SCOPE, TABLE)
    assert [each.undone for each in journal.restore()] == [Undone.RESTORED]
    assert nft.table is None


def test_a_table_that_somebody_has_changed_goes_all_the_same(tmp_path: Path) -> None:
    nft = FakeNft()
    journal = Journal(tmp_path / "journal.json", (CaptureTable(nft),))
    journal.apply(KIND, SCOPE, TABLE)
    nft.table = TABLE.replace("return", "counter return")
    assert [each.undone for each in journal.restore()] == [Undone.RESTORED]
    assert nft.table is None


def test_what_nft_refuses_is_told_with_a_hint() -> None:
    nft = FakeNft()
    nft.broken = True
    with pytest.raises(HostError, match="Operation not permitted") as caught:
        CaptureTable(nft).read(SCOPE)
    assert "root" in caught.value.hint()
