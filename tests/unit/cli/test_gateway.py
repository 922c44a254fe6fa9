"""What keeps a central node from starting is said before it listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.command_line import Drawbridge

SMALL = "schema_version: 1\nid: small\n"


@pytest.fixture(autouse=True)
def _nothing_blocks_the_event_loop() -> None:
    """Not asked here: before it serves, a node reads and writes its files on the loop."""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(SMALL)
    return file


def test_other_machines_are_not_served_without_keys(drawbridge: Drawbridge, policy: Path) -> None:
    result = drawbridge("gateway", "--policy", policy, "--listen", "0.0.0.0:0")
    assert result.exit_code == 1
    assert "has no 'accounts'" in result.stderr
    assert "--allow-anonymous" in result.stderr


def test_several_workers_do_not_count_apart(drawbridge: Drawbridge, policy: Path) -> None:
    policy.write_text(f"{SMALL}accounts: {{virtual_keys: [{{id: k}}]}}\n")
    result = drawbridge("gateway", "--policy", policy, "--listen", "127.0.0.1:0", "--workers", 2)
    assert result.exit_code == 1
    assert "2 workers cannot count" in result.stderr


def test_a_bad_address_is_explained(drawbridge: Drawbridge) -> None:
    result = drawbridge("gateway", "--listen", "8080")
    assert (result.exit_code, "HOST:PORT" in result.stderr) == (1, True)


def test_a_certificate_needs_its_key(drawbridge: Drawbridge, tmp_path: Path) -> None:
    result = drawbridge("gateway", "--tls-cert", tmp_path / "a.pem")
    assert (result.exit_code, "belong together" in result.stderr) == (1, True)


def test_what_only_a_parent_says_is_not_shown(drawbridge: Drawbridge) -> None:
    assert "--parent" not in drawbridge("gateway", "--help").stdout
