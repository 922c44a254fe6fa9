"""Secret references: values come back, and never out in a message."""

from __future__ import annotations

import secrets
import sys
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


def program(tmp_path: Path, script: str, *, mode: int = 0o700) -> Path:
    file = tmp_path / "print-key"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(mode)
    return file


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
class TestPrograms:
    def test_a_secret_comes_from_a_program(self, tmp_path: Path) -> None:
        file = program(tmp_path, f'test "$1" = "my key" && echo {VALUE}')
        assert read_secret(f"exec:{file} 'my key'") == VALUE

    def test_no_shell_reads_the_arguments(self, tmp_path: Path) -> None:
        file = program(tmp_path, 'echo "$1"')
        assert read_secret(f"exec:{file} $HOME;id") == "$HOME;id"

    @pytest.mark.parametrize("mode", [0o720, 0o702])
    def test_a_program_that_others_may_change_is_not_run(self, tmp_path: Path, mode: int) -> None:
        file = program(tmp_path, f"touch {tmp_path}/ran; echo x", mode=mode)
        assert "can be changed by others" in str(refused(f"exec:{file}"))
        assert not (tmp_path / "ran").exists()

    def test_nor_one_in_a_folder_that_others_may_change(self, tmp_path: Path) -> None:
        folder = tmp_path / "open"
        folder.mkdir()
        folder.chmod(0o777)
        assert "can be changed by others" in str(refused(f"exec:{program(folder, 'echo x')}"))

    def test_what_a_failing_program_says_is_not_repeated(self, tmp_path: Path) -> None:
        error = refused(f"exec:{program(tmp_path, f'echo {VALUE}; echo {VALUE} >&2; exit 3')} {VALUE}")
        assert "status 3" in str(error)
        assert VALUE not in str(error) + error.hint()

    @pytest.mark.parametrize(
        ("script", "complaint"),
        [
            ("true", "is empty"),
            ("printf '\\377'", "not UTF-8"),
            (f"head -c {SECRET_LIMIT + 10} /dev/zero", "wrote more than"),
        ],
    )
    def test_what_is_no_secret_is_refused(self, tmp_path: Path, script: str, complaint: str) -> None:
        assert complaint in str(refused(f"exec:{program(tmp_path, script)} {VALUE}"))

    @pytest.mark.parametrize(
        "reference", ["exec:", "exec:printenv KEY", "exec:/no/such/program", "exec:/etc"]
    )
    def test_only_programs_are_run(self, reference: str) -> None:
        refused(reference)
