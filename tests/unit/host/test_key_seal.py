"""Keys on the disk: sealed where there is a seal, taken over from plain files, and never made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.authority import Authority
from agent.host.key_seal import CREDENTIAL, CredentialSeal, KeyFiles, KeySeal, key_seal
from agent.host.paths import StatePaths

HOSTS = frozenset({"api.openai.com"})
SECRET = bytes(range(32))


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    return paths


@pytest.fixture
def seal() -> KeySeal:
    return CredentialSeal(SECRET)


def test_a_sealed_key_is_not_on_the_disk(paths: StatePaths, seal: KeySeal) -> None:
    first = Authority.open(paths, HOSTS, seal=seal)
    for file in paths.ca.iterdir():
        assert b"PRIVATE KEY" not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0
    again = Authority.open(paths, HOSTS, seal=CredentialSeal(SECRET))
    assert (again.root, again.created, again.reissued) == (first.root, False, False)


def test_plain_keys_are_sealed_when_they_are_first_read(paths: StatePaths, seal: KeySeal) -> None:
    root = Authority.open(paths, HOSTS).root
    assert Authority.open(paths, HOSTS, seal=seal).root == root
    assert b"PRIVATE KEY" not in paths.root_key.read_bytes() + paths.intermediate_key.read_bytes()


def test_looking_alone_seals_nothing(paths: StatePaths, seal: KeySeal) -> None:
    Authority.open(paths, HOSTS)
    before = paths.root_key.read_bytes()
    assert KeyFiles(seal, migrates=False).read(paths.root_key) == before
    assert paths.root_key.read_bytes() == before


@pytest.mark.parametrize("other", [None, CredentialSeal(SECRET[::-1])])
def test_a_key_that_cannot_be_opened_is_told_and_not_replaced(
    paths: StatePaths, seal: KeySeal, other: KeySeal | None
) -> None:
    Authority.open(paths, HOSTS, seal=seal)
    before = {file.name: file.read_bytes() for file in paths.ca.iterdir()}
    with pytest.raises(HostError, match="device root cannot be used") as refused:
        Authority.open(paths, HOSTS, seal=other)
    assert CREDENTIAL in refused.value.hint()
    assert {file.name: file.read_bytes() for file in paths.ca.iterdir()} == before


def test_damage_is_told(paths: StatePaths, seal: KeySeal) -> None:
    Authority.open(paths, HOSTS, seal=seal)
    data = paths.root_key.read_bytes()
    paths.root_key.write_bytes(data[:-9] + b"AAAAAAA=\n")
    with pytest.raises(HostError, match="device root cannot be used"):
        Authority.open(paths, HOSTS, seal=seal)


def test_the_unit_gives_the_secret(tmp_path: Path) -> None:
    assert key_seal(platform="linux", environ={}) is None
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert key_seal(platform="linux", environ=environ) is None  # a unit with other credentials
    (tmp_path / CREDENTIAL).write_bytes(SECRET)
    found = key_seal(platform="linux", environ=environ)
    assert found is not None
    assert CredentialSeal(SECRET).open(found.close(b"key")) == b"key"


def test_a_secret_too_short_to_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / CREDENTIAL).write_bytes(b"short")
    with pytest.raises(HostError, match="5 bytes") as refused:
        key_seal(platform="linux", environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert "systemd-creds" in refused.value.hint()
