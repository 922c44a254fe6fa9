"""The bundle holds the system's roots, the user's and ours, and is made anew when any of them changes."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

import pytest

from agent.host.authority import Authority
from agent.host.bundle import MAX_AGE, refresh_bundle
from agent.host.paths import StatePaths
from agent.host.pem import certificates_in, pem_of
from agent.host.roots_linux import CertificateFiles
from tests.fakes.host import FakeRootStore

OURS, SYSTEM, CORPORATE = b"\x30\x01", b"\x30\x02", b"\x30\x03"


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    return paths


def refresh(
    paths: StatePaths,
    *,
    store: FakeRootStore | None = None,
    environ: dict[str, str] | None = None,
    ours: bytes = OURS,
    later: float = 0,
) -> bool:
    """Refresh `later` seconds after the bundle was last written."""
    written = paths.bundle.stat().st_mtime if paths.bundle.exists() else 0
    return refresh_bundle(
        paths,
        pem_of(ours),
        environ=environ or {},
        store=store or FakeRootStore([SYSTEM]),
        now=lambda: written + later,
    )


def content(paths: StatePaths) -> tuple[bytes, ...]:
    return certificates_in(paths.bundle.read_bytes())


def corporate_file(tmp_path: Path) -> Path:
    file = tmp_path / "corporate.pem"
    file.write_bytes(pem_of(CORPORATE) + pem_of(SYSTEM))
    return file


def test_the_bundle_holds_our_root_and_the_systems(paths: StatePaths) -> None:
    assert refresh(paths)
    assert content(paths) == (OURS, SYSTEM)
    assert stat.S_IMODE(paths.bundle.stat().st_mode) == 0o600


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"])
def test_what_the_user_trusted_stays_trusted_once(paths: StatePaths, tmp_path: Path, variable: str) -> None:
    refresh(paths, environ={variable: str(corporate_file(tmp_path))})
    assert content(paths) == (OURS, SYSTEM, CORPORATE)


def test_a_fresh_bundle_is_left_alone_for_a_day(paths: StatePaths) -> None:
    refresh(paths)
    assert not refresh(paths, later=MAX_AGE - 1)
    assert refresh(paths, later=MAX_AGE)


def test_a_bundle_from_the_future_is_made_anew(paths: StatePaths) -> None:
    refresh(paths)
    assert refresh(paths, later=-10)


def test_a_new_root_of_ours_or_the_systems_makes_it_anew(paths: StatePaths) -> None:
    refresh(paths)
    assert refresh(paths, ours=b"\x30\x09")
    assert content(paths) == (b"\x30\x09", SYSTEM)
    assert refresh(paths, store=FakeRootStore([SYSTEM, CORPORATE], mark="2"))
    assert content(paths) == (OURS, SYSTEM, CORPORATE)


def test_a_change_of_the_users_file_makes_it_anew(paths: StatePaths, tmp_path: Path) -> None:
    file = corporate_file(tmp_path)
    environ = {"SSL_CERT_FILE": str(file)}
    assert refresh(paths, environ=environ)
    assert not refresh(paths, environ=environ)
    os.utime(file, (1, 1))
    assert refresh(paths, environ=environ)


def test_inside_exec_the_users_roots_are_not_lost(paths: StatePaths, tmp_path: Path) -> None:
    refresh(paths, environ={"SSL_CERT_FILE": str(corporate_file(tmp_path))})
    assert not refresh(paths, environ={"SSL_CERT_FILE": str(paths.bundle)}, later=MAX_AGE)
    assert CORPORATE in content(paths)


def test_inside_exec_a_bundle_without_our_root_is_mended(paths: StatePaths) -> None:
    refresh(paths, ours=b"\x30\x09")
    assert refresh(paths, environ={"SSL_CERT_FILE": str(paths.bundle)})
    assert content(paths) == (OURS, SYSTEM)


def test_without_a_system_store_certifis_roots_are_used(
    paths: StatePaths, caplog: pytest.LogCaptureFixture
) -> None:
    refresh(paths, store=FakeRootStore(None))
    assert content(paths)[0] == OURS
    assert len(content(paths)) > 100
    assert "certifi" in caplog.text


def test_a_users_file_that_cannot_be_read_is_left_out_and_told(
    paths: StatePaths, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refresh(paths, environ={"SSL_CERT_FILE": str(tmp_path), "CURL_CA_BUNDLE": str(tmp_path / "none")})
    assert content(paths) == (OURS, SYSTEM)
    assert "left out" in caplog.text


def test_openssl_reads_the_bundle_of_this_machine(paths: StatePaths) -> None:
    authority = Authority.open(paths, frozenset({"api.openai.com"}))
    refresh_bundle(paths, authority.root_pem, environ={}, store=CertificateFiles())
    context = ssl.create_default_context(cafile=str(paths.bundle))
    assert ssl.PEM_cert_to_DER_cert(authority.root_pem.decode()) in context.get_ca_certs(binary_form=True)
