"""Secret references: values come back, and never out in a message."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.host.secrets import SECRET_LIMIT, SystemKeyring, read_secret
from tests.fakes.host import FakeKeyring

VALUE = "made-" + secrets.token_hex(8)


def secret_file(tmp_path: Path, content: bytes, mode: int = 0o600) -> str:
    file = tmp_path / "secret"
    file.write_bytes(content)
    file.chmod(mode)
    return f"file:{file}"


def refused(reference: str, **given: object) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        read_secret(reference, **given)  # type: ignore[arg-type]
    return error.value


def test_a_secret_comes_from_the_environment() -> None:
    assert read_secret("env:API_KEY", environ={"API_KEY": VALUE}) == VALUE


def test_a_secret_comes_from_a_private_file(tmp_path: Path) -> None:
    assert read_secret(secret_file(tmp_path, VALUE.encode())) == VALUE


def test_a_secret_comes_from_the_keyring() -> None:
    keyring = FakeKeyring({("drawbridge", "openai/team"): VALUE})
    assert read_secret("keyring:drawbridge/openai/team", keyring=keyring) == VALUE


@pytest.mark.parametrize(("end", "kept"), [("\n", ""), ("\r\n", ""), ("\n\n", "\n"), (" ", " ")])
def test_one_line_end_is_stripped_and_nothing_more(tmp_path: Path, end: str, kept: str) -> None:
    assert read_secret(secret_file(tmp_path, (VALUE + end).encode())) == VALUE + kept


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    error = refused(secret_file(tmp_path, VALUE.encode(), mode))
    assert "other users" in str(error)
    assert VALUE not in str(error) + error.hint()


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        ("env:MISSING", "MISSING is not set"),
        ("env:", "name of an environment variable"),
        ("env:1X", "name of an environment variable"),
        ("env:A B", "name of an environment variable"),
        ("env:EMPTY", "is empty"),
        ("file:relative", "absolute path"),
        ("file:/no/such/file", "does not exist"),
        ("keyring:service", "service/name"),
        ("keyring:service/", "service/name"),
        ("keyring:service/missing", "no entry"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(reference: str, complaint: str) -> None:
    error = refused(reference, environ={"EMPTY": "\n"}, keyring=FakeKeyring({}))
    assert complaint in str(error)


@pytest.mark.parametrize(
    "pasted", [VALUE, "vault:" + VALUE, VALUE * 100, ""], ids=["bare", "with a scheme", "long", "empty"]
)
def test_a_pasted_secret_is_refused_and_not_repeated(pasted: str) -> None:
    error = refused(pasted)
    assert VALUE not in str(error) + error.hint()
    assert "env:NAME" in error.hint()


def test_a_secret_over_the_limit_is_refused(tmp_path: Path) -> None:
    assert read_secret(secret_file(tmp_path, b"x" * SECRET_LIMIT)) == "x" * SECRET_LIMIT
    refused(secret_file(tmp_path, b"x" * (SECRET_LIMIT + 1)))
    refused("env:BIG", environ={"BIG": "ü" * (SECRET_LIMIT // 2 + 1)})


def test_bytes_that_are_no_text_are_refused_without_the_bytes(tmp_path: Path) -> None:
    error = refused(secret_file(tmp_path, VALUE.encode() + b"\xff"))
    assert error.__cause__ is None
    assert VALUE not in str(error)


def test_a_machine_without_keyring_says_what_to_do_instead() -> None:
    error = refused("keyring:service/name", keyring=FakeKeyring(None))
    assert "no usable keyring" in str(error)
    assert "file:" in error.hint()


@pytest.mark.parametrize("backend", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
def test_a_backend_that_keeps_nothing_counts_as_no_keyring(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keyring
    from keyring.core import load_keyring

    before = keyring.get_keyring()
    keyring.set_keyring(load_keyring(backend))
    try:
        assert "no usable keyring" in str(refused("keyring:service/name", keyring=SystemKeyring()))
    finally:
        keyring.set_keyring(before)
