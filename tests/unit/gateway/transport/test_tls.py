"""Upstreams are verified, always; roots of the administrator's come on top of the system's."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.gateway.transport.tls import client_context
from tests.fakes.tls import Authority


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """A handshake in memory. Returns the client's side."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=name)
    theirs = server.wrap_bio(there, back, server_side=True)
    for step in (ours.do_handshake, theirs.do_handshake) * 3:
        try:
            step()
        except ssl.SSLWantReadError:
            continue
    return ours


native_or_not = pytest.mark.parametrize("native", [False, True])


@native_or_not
def test_a_given_root_is_trusted_besides_the_systems(
    authority: Authority, server_tls: ssl.SSLContext, native: bool
) -> None:
    system = client_context(native=native)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(system, server_tls, "upstream.test")

    extended = client_context(authority.ca_file, native=native)
    assert shake_hands(extended, server_tls, "upstream.test").version() == "TLSv1.3"
    if not native:
        assert extended.cert_store_stats()["x509_ca"] == system.cert_store_stats()["x509_ca"] + 1


def test_the_systems_roots_stay_trusted(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "Root of the system")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.ca_file))  # which is where OpenSSL looks for the system's
    context = client_context(authority.ca_file, native=False)
    for issuer in (other, authority):
        assert shake_hands(context, issuer.leaf("a.test").server_context(), "a.test")


@native_or_not
def test_a_name_that_the_certificate_lacks_is_refused(
    authority: Authority, server_tls: ssl.SSLContext, native: bool
) -> None:
    context = client_context(authority.ca_file, native=native)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context, server_tls, "other.test")


@native_or_not
def test_verification_is_on_and_old_versions_are_off(native: bool) -> None:
    context = client_context(native=native)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_file_that_holds_none_is_the_administrators_to_mend(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        client_context(file)
    assert "ca.pem" in str(caught.value)
    assert caught.value.hint()
