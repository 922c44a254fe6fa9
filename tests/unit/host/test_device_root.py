"""A root takes another's place: in steps, each of which may be cut off, and never without a key."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.authority import Authority
from agent.host.device_root import Stage, finish, load_root, prepare, rotation, switch
from agent.host.key_seal import KeyFiles
from agent.host.paths import StatePaths
from agent.host.pem import certificates_in
from tests.fakes.host import FakeClock

HOSTS = frozenset({"api.openai.com"})
OVERLAP = timedelta(days=30)
FILES = KeyFiles()


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    return paths


def now() -> datetime:
    return datetime.now(UTC)


def test_the_next_root_signs_nothing_and_is_trusted_beside_the_first(paths: StatePaths) -> None:
    first = Authority.open(paths, HOSTS)
    following = prepare(paths, FILES, hostname="laptop", now=now())
    assert prepare(paths, FILES, hostname="laptop", now=now()) == following  # asked again: the same
    assert rotation(paths, now()).stage is Stage.PREPARED
    again = Authority.open(paths, HOSTS)
    assert again.root == first.root
    assert len(certificates_in(again.roots_pem)) == 2
    assert paths.roots.read_bytes() == again.roots_pem
    assert following.subject != first.root.subject  # two issuers of one name make verifiers try the wrong one


def test_after_the_switch_the_first_is_trusted_until_the_overlap_is_over(paths: StatePaths) -> None:
    clock = FakeClock()
    first = Authority.open(paths, HOSTS, now=clock)
    following = prepare(paths, FILES, hostname="laptop", now=clock())
    switch(paths, FILES, now=clock(), overlap=OVERLAP)
    found = rotation(paths, clock())
    assert (found.stage, found.other) == (Stage.SWITCHED, first.root)
    after = Authority.open(paths, HOSTS, now=clock)
    assert after.root == following
    assert after.reissued
    assert len(certificates_in(after.roots_pem)) == 2
    clock.move(days=31)
    assert rotation(paths, clock()).stage is Stage.NONE
    assert len(certificates_in(Authority.open(paths, HOSTS, now=clock).roots_pem)) == 1
    assert not paths.previous_certificate.exists()


def test_a_running_authority_takes_the_new_root_up_and_gives_no_old_leaf_out(paths: StatePaths) -> None:
    authority = Authority.open(paths, HOSTS)
    old = authority.leaf("api.openai.com")
    assert authority.reopen() is False
    prepare(paths, FILES, hostname="laptop", now=now())
    assert authority.reopen() is False
    assert len(certificates_in(paths.roots.read_bytes())) == 2
    switch(paths, FILES, now=now(), overlap=OVERLAP)
    assert authority.reopen() is True
    fresh = authority.leaf("api.openai.com")
    assert fresh.chain != old.chain
    fresh.chain[0].verify_directly_issued_by(authority.root)


@pytest.mark.parametrize("writes", range(1, 7))
def test_a_switch_that_was_cut_off_leaves_one_root_or_the_other(
    paths: StatePaths, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    first = Authority.open(paths, HOSTS).root
    following = prepare(paths, FILES, hostname="laptop", now=now())
    done = 0

    def fused(self: Path, *arguments: object, **named: object) -> object:
        nonlocal done
        done += 1
        if done > writes:
            raise KeyboardInterrupt
        return replace(self, *arguments, **named)

    replace: Callable[..., object] = Path.replace
    monkeypatch.setattr(Path, "replace", fused)
    with suppress(KeyboardInterrupt):
        switch(paths, FILES, now=now(), overlap=OVERLAP)
    monkeypatch.undo()
    root = load_root(paths, FILES)
    assert root is not None
    assert root.certificate in (first, following)
    assert root.key.public_key() == root.certificate.public_key()
    if root.certificate == following:
        assert rotation(paths, now()).other == first
    else:
        switch(paths, FILES, now=now(), overlap=OVERLAP)
        assert Authority.open(paths, HOSTS).root == following


def test_without_a_next_root_there_is_nothing_to_switch_to(paths: StatePaths) -> None:
    Authority.open(paths, HOSTS)
    with pytest.raises(HostError, match="no next root"):
        switch(paths, FILES, now=now(), overlap=OVERLAP)
    assert finish(paths) is False


def test_the_key_of_the_root_before_is_gone(paths: StatePaths) -> None:
    Authority.open(paths, HOSTS)
    key = paths.root_key.read_bytes()
    prepare(paths, FILES, hostname="laptop", now=now())
    switch(paths, FILES, now=now(), overlap=OVERLAP)
    assert all(key != file.read_bytes() for file in paths.ca.iterdir())
    assert finish(paths) is True
    assert rotation(paths, now()).stage is Stage.NONE
