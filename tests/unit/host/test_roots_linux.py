"""The first file with certificates is the system's store."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.pem import pem_of
from agent.host.roots_linux import CertificateFiles


def test_the_first_file_that_holds_certificates_counts(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_bytes(b"# nothing\n")
    (tmp_path / "first.pem").write_bytes(pem_of(b"\x30\x01") + pem_of(b"\x30\x02"))
    (tmp_path / "second.pem").write_bytes(pem_of(b"\x30\x03"))
    store = CertificateFiles([tmp_path / f"{name}.pem" for name in ("none", "empty", "first", "second")])
    assert store.certificates() == (b"\x30\x01", b"\x30\x02")


def test_a_system_without_any_is_an_error(tmp_path: Path) -> None:
    store = CertificateFiles([tmp_path / "none.pem"])
    assert store.stamp() == ""
    with pytest.raises(HostError, match="no file with the system's root certificates"):
        store.certificates()


def test_the_stamp_changes_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "roots.pem"
    file.write_bytes(pem_of(b"\x30\x01"))
    before = CertificateFiles([file]).stamp()
    file.write_bytes(pem_of(b"\x30\x01") * 2)
    assert CertificateFiles([file]).stamp() != before


def test_the_users_variable_is_not_taken_for_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.pem").write_bytes(pem_of(b"\x30\x01"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    assert str(tmp_path) not in CertificateFiles().stamp()
