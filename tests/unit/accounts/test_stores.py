"""A policy chooses its store."""

from __future__ import annotations

from pathlib import Path

from agent.accounts.fleet import FleetStore
from agent.accounts.local import LocalStore
from agent.accounts.stores import store_for
from tests.fakes.accounts import section


def test_usage_is_counted_on_this_machine_unless_the_policy_names_a_server(tmp_path: Path) -> None:
    assert isinstance(store_for(None, state=tmp_path, secret=str), LocalStore)
    assert isinstance(store_for(section("customers: []"), state=tmp_path, secret=str), LocalStore)
    shared = store_for(
        section("store: {url: 'redis://cache:6379/1', password: 'env:P', offline_seconds: 5}"),
        state=tmp_path,
        secret=str,
    )
    assert isinstance(shared, FleetStore)
    assert shared._offline_seconds == 5
    assert list(tmp_path.iterdir()) == []
