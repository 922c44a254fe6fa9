"""A policy's section becomes a cache, or none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent.caching.building import local_secret, make_cache, make_store
from agent.caching.sqlite import SqliteStore
from agent.caching.valkey import ValkeyStore
from agent.errors import ConfigError
from agent.host.paths import StatePaths
from agent.policy.caching import CacheStore, Caching, EmbedderSource, Semantic

SHARED = CacheStore(url="redis://localhost:6379/0", secret="env:S", password="env:P")


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths.under(tmp_path / "state")


def test_a_cache_that_is_off_is_none_and_leaves_no_trace(paths: StatePaths) -> None:
    assert make_cache(Caching(), paths) is None
    assert not paths.answers.parent.exists()


def test_a_local_store_makes_its_own_secret_and_keeps_it(paths: StatePaths) -> None:
    assert make_cache(Caching(enabled=True), paths) is not None
    secret = paths.answers_key.read_bytes()
    assert len(secret) == 32
    assert local_secret(paths.answers_key) == secret
    if sys.platform != "win32":
        assert paths.answers_key.stat().st_mode & 0o777 == 0o600
    assert not paths.answers.exists()  # until it is opened


def test_a_secret_that_others_can_read_is_refused(paths: StatePaths) -> None:
    local_secret(paths.answers_key)
    paths.answers_key.chmod(0o644)
    with pytest.raises(ConfigError, match="can be opened by other users"):
        make_cache(Caching(enabled=True), paths)


def test_the_store_is_the_one_that_policy_names(paths: StatePaths) -> None:
    secrets = {"env:S": "s" * 40, "env:P": "pw"}
    assert isinstance(make_store(Caching(enabled=True), paths), SqliteStore)
    shared = Caching(enabled=True, store=SHARED)
    assert isinstance(make_store(shared, paths, secret_of=secrets.__getitem__), ValkeyStore)
    assert make_cache(shared, paths, secret_of=secrets.__getitem__) is not None
    with pytest.raises(ConfigError, match="shorter than 32 bytes"):
        make_cache(shared, paths, secret_of={**secrets, "env:S": "weak"}.__getitem__)


def test_a_local_embedder_is_made_without_loading_it(paths: StatePaths) -> None:
    settings = Caching(
        enabled=True, semantic=Semantic(enabled=True, embedder=EmbedderSource(local="/no/such/model"))
    )
    assert make_cache(settings, paths) is not None
