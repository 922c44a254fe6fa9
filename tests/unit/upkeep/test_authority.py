"""What somebody does to the authority on the disk, and what a policy asks of it, is followed and recorded."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.gateway.policy_file import Consequence
from agent.host.authority import Authority
from agent.host.paths import StatePaths
from agent.inspection import RuleBook
from agent.model.record import IncidentKind
from agent.upkeep.authority import AuthorityKeeper
from tests.fakes.noted import Noted
from tests.fakes.rulebooks import rule_book, toy_policy

FEW = frozenset({"api.openai.com"})


class Kept:
    """A keeper of an authority that signs for a few hosts, and what it recorded."""

    def __init__(self, paths: StatePaths) -> None:
        self.paths = paths
        self.noted = Noted()
        self.authority = Authority.open(paths, FEW)
        self.keeper = AuthorityKeeper(self.authority, paths, self.noted)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    return Kept(paths)


@pytest.fixture
def rules() -> RuleBook:
    return rule_book(toy_policy())


async def test_an_intermediate_that_this_start_has_issued_is_recorded(kept: Kept) -> None:
    await kept.keeper.begun()
    assert kept.noted.kinds == [IncidentKind.CA_REISSUED]
    again = AuthorityKeeper(await asyncio.to_thread(Authority.open, kept.paths, FEW), kept.paths, kept.noted)
    await again.begun()
    assert len(kept.noted.events) == 1


async def test_the_hosts_of_a_policy_can_be_signed_for_before_it_is_in_force(
    kept: Kept, rules: RuleBook
) -> None:
    async def reload(cover: Consequence) -> bool:
        await asyncio.to_thread(cover, rules)
        await asyncio.to_thread(kept.authority.leaf, "api.anthropic.com")
        seen.append(len(kept.noted.events))
        return True

    seen: list[int] = []
    assert await kept.keeper.covering(reload)
    assert await kept.keeper.covering(reload)  # those hosts again: nothing is issued
    assert seen == [0, 1]
    assert kept.noted.events == [
        (IncidentKind.CA_REISSUED, "the device's intermediate certificate covers other hosts now")
    ]


async def test_of_a_policy_that_is_refused_nothing_is_recorded_here(kept: Kept, rules: RuleBook) -> None:
    async def refuse(cover: Consequence) -> bool:
        await asyncio.to_thread(cover, rules)
        return False

    assert not await kept.keeper.covering(refuse)
    assert kept.noted.events == []


async def test_another_root_on_the_disk_is_used_and_recorded(kept: Kept) -> None:
    await kept.keeper.reopen()
    assert kept.noted.events == []
    await asyncio.to_thread(shutil.rmtree, kept.paths.ca)
    await asyncio.to_thread(kept.paths.prepare)
    await asyncio.to_thread(Authority.open, kept.paths, FEW)
    await kept.keeper.reopen()
    assert kept.noted.events == [
        (IncidentKind.CA_REISSUED, f"certificates are signed under {kept.authority.fingerprint} now")
    ]
    bundle = await asyncio.to_thread(kept.paths.bundle.read_bytes)
    assert kept.authority.root_pem in bundle


async def test_an_authority_that_cannot_be_read_again_stays_and_is_recorded(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> bool:
        raise HostError("the root is damaged")

    before = kept.authority.fingerprint
    monkeypatch.setattr(kept.authority, "reopen", refuse)
    await kept.keeper.reopen()
    assert kept.noted.events == [(IncidentKind.CA_WARNING, "the root is damaged")]
    assert kept.authority.fingerprint == before


async def test_what_somebody_must_do_about_it_is_said(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept.authority, "worries", lambda: ("it ends soon",))
    await kept.keeper.tell()
    assert kept.noted.events == [(IncidentKind.CA_WARNING, "it ends soon")]
