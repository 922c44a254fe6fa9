"""Which roots are to be trusted, for an account that may read the agent's files, and for one that may not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.authority import Authority
from agent.host.device_root import prepare
from agent.host.key_seal import KeyFiles
from agent.host.paths import StatePaths
from agent.host.trusted_roots import publish_roots, readable_roots, trusted_roots

NOW = datetime.now(UTC)


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    return paths


def test_a_device_without_an_authority_has_none(paths: StatePaths) -> None:
    assert trusted_roots(paths, NOW) == ()
    assert publish_roots(paths, ()) is False
    assert readable_roots(paths, None, NOW) == ()


def test_the_root_in_use_comes_first(paths: StatePaths) -> None:
    root = Authority.open(paths, frozenset({"api.openai.com"})).root
    following = prepare(paths, KeyFiles(), hostname="laptop", now=NOW)
    assert trusted_roots(paths, NOW) == (root, following)
    assert publish_roots(paths, trusted_roots(paths, NOW)) is True
    assert publish_roots(paths, trusted_roots(paths, NOW)) is False


def test_the_file_for_everybody_stands_in_for_files_that_cannot_be_read(
    paths: StatePaths, tmp_path: Path
) -> None:
    authority = Authority.open(paths, frozenset({"api.openai.com"}))
    elsewhere = StatePaths.under(tmp_path / "users-own")
    assert readable_roots(elsewhere, authority.root_pem, NOW) == (authority.root,)
    with pytest.raises(HostError, match="holds no certificates"):
        readable_roots(elsewhere, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", NOW)
