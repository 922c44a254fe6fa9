"""The System keychain, asked as security(1) has it, through a stand-in for that tool."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.key_seal import KeyFiles, NoSealError, key_seal
from agent.host.key_seal_darwin import SERVICE, KeychainSeal
from agent.host.run import Completed


class Keychain:
    """security(1), with one keychain. `takes`: whether it can be written."""

    def __init__(self) -> None:
        self.items: dict[str, str] = {}
        self.commands: list[tuple[str, ...]] = []
        self.takes = True
        self.code = 0
        self.faster = ""

    def __call__(self, argv: Sequence[str], stdin: bytes | None) -> Completed:
        self.commands.append(tuple(argv))
        if stdin is None:
            return self._find()
        words = shlex.split(stdin.decode())
        assert words[0] == "add-generic-password"
        if self.faster:
            self.items[SERVICE] = self.faster
        if self.takes and SERVICE not in self.items:
            self.items[words[words.index("-s") + 1]] = words[words.index("-w") + 1]
        return Completed(code=0, stdout=b"security> ", stderr=b"")

    def _find(self) -> Completed:
        if self.code:
            return Completed(code=self.code, stdout=b"", stderr=b"")
        if SERVICE not in self.items:
            return Completed(code=44, stdout=b"", stderr=b"")
        return Completed(code=0, stdout=f"{self.items[SERVICE]}\n".encode(), stderr=b"")


@pytest.fixture
def keychain() -> Keychain:
    return Keychain()


def test_what_is_sealed_opens_with_the_same_keychain_alone(keychain: Keychain) -> None:
    sealed = KeychainSeal(keychain).close(b"key")
    assert b"key" not in sealed
    assert KeychainSeal(keychain).open(sealed) == b"key"
    other = Keychain()
    KeychainSeal(other).close(b"x")
    with pytest.raises(HostError, match="not the one it was sealed with"):
        KeychainSeal(other).open(sealed)


def test_no_secret_is_in_a_command_line(keychain: Keychain) -> None:
    KeychainSeal(keychain).close(b"key")
    words = {word for command in keychain.commands for word in command}
    assert keychain.items[SERVICE] not in words
    assert len(keychain.items[SERVICE]) == 64


def test_the_key_is_asked_for_once_and_made_once(keychain: Keychain) -> None:
    seal = KeychainSeal(keychain)
    for _ in range(3):
        seal.open(seal.close(b"key"))
    assert len(keychain.commands) == 3  # looked, made, looked again
    first = keychain.items[SERVICE]
    KeychainSeal(keychain).close(b"key")
    assert keychain.items[SERVICE] == first


def test_of_two_processes_that_make_one_the_faster_wins(keychain: Keychain) -> None:
    keychain.faster = "ab" * 32
    sealed = KeychainSeal(keychain).close(b"key")
    assert KeychainSeal(keychain).open(sealed) == b"key"
    assert keychain.items[SERVICE] == keychain.faster


def test_a_key_that_went_away_is_told_and_not_replaced(tmp_path: Path, keychain: Keychain) -> None:
    path = tmp_path / "root.key"
    KeyFiles(KeychainSeal(keychain)).write(path, b"key")
    before = path.read_bytes()
    keychain.items.clear()
    with pytest.raises(HostError, match="not in the System keychain any more") as refused:
        KeyFiles(KeychainSeal(keychain)).read(path)
    assert "System keychain" in refused.value.hint()
    assert (path.read_bytes(), keychain.items) == (before, {})


@pytest.mark.parametrize("broken", ["full", "locked"])
def test_where_the_keychain_keeps_nothing_keys_lie_plain(
    broken: str, tmp_path: Path, keychain: Keychain, caplog: pytest.LogCaptureFixture
) -> None:
    keychain.takes = broken != "full"
    keychain.code = 36 if broken == "locked" else 0
    with pytest.raises(NoSealError):
        KeychainSeal(keychain).close(b"key")
    path = tmp_path / "root.key"
    files = KeyFiles(KeychainSeal(keychain))
    files.write(path, b"key")
    assert files.read(path) == path.read_bytes() == b"key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "a key lies plain, 0600" in caplog.text


def test_root_seals_and_a_person_does_not() -> None:
    assert isinstance(key_seal(platform="darwin", environ={}, machine=True), KeychainSeal)
    assert key_seal(platform="darwin", environ={}, machine=False) is None
