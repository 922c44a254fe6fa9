"""Where a refresh token is kept, on machines with and without a password store."""

from __future__ import annotations

from pathlib import Path

import pytest
from keyring.backends import fail

from agent.errors import HostError
from agent.signin.token_store import Kept, TokenStore, system_backend

KEPT = Kept(issuer="https://id.example", client="us", refresh_token="secret")


class Memory:
    """A password store that works."""

    priority = 5.0
    name = "memory"

    def __init__(self, longest: int = 9999) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.longest = longest

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password) > self.longest:
            raise RuntimeError("too long")
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


class Locked(Memory):
    """One that nobody unlocks."""

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("locked")


class Forgetful(Memory):
    """One that keeps nothing and says nothing of it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


def read(store: TokenStore) -> Kept | None:
    return store.read(KEPT.issuer, KEPT.client)


def test_the_password_store_keeps_it(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "x", Memory())
    store.keep(KEPT)
    assert read(store) == KEPT
    assert not store.file.exists()
    assert "password store (memory)" in store.place
    store.forget(KEPT.issuer)
    assert read(store) is None


@pytest.mark.parametrize("backend", [None, Memory(longest=10), Forgetful(), Locked()])
def test_a_file_takes_its_place(tmp_path: Path, backend: Memory | None) -> None:
    store = TokenStore(tmp_path / "x", backend)
    store.keep(KEPT)
    assert store.file.stat().st_mode & 0o777 == 0o600
    assert store.file.parent.stat().st_mode & 0o777 == 0o700
    assert read(store) == KEPT
    assert str(store.file) in store.place
    store.forget(KEPT.issuer)
    assert not store.file.exists()


def test_the_file_goes_when_the_store_works_again(tmp_path: Path) -> None:
    TokenStore(tmp_path / "x", None).keep(KEPT)
    store = TokenStore(tmp_path / "x", Memory())
    store.keep(KEPT)
    assert not store.file.exists()


def test_what_another_provider_gave_is_not_shown_to_this_one(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "x", None)
    store.keep(KEPT)
    assert store.read("https://evil.example", "us") is None
    assert store.read(KEPT.issuer, "them") is None


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "x", None)
    store.keep(KEPT)
    store.file.chmod(0o644)
    with pytest.raises(HostError, match="other users"):
        read(store)


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"issuer": "https://id.example"}', "[" * 9999])
def test_a_damaged_one_is_none(tmp_path: Path, text: str) -> None:
    store = TokenStore(tmp_path / "x", None)
    store.keep(KEPT)
    store.file.write_text(text)
    assert read(store) is None


def test_a_locked_store_is_said(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="password store refused"):
        read(TokenStore(tmp_path / "x", Locked()))


def test_no_token_is_shown() -> None:
    assert "secret" not in repr(KEPT)


def test_stores_that_keep_nothing_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    found: object = fail.Keyring()
    monkeypatch.setattr("keyring.get_keyring", lambda: found)
    assert system_backend() is None
    found = Memory()
    assert system_backend() is found
