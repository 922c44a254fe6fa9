"""A node's certificate is replaced while it serves, and never by one that does not work."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from agent.central.certificate import ServerCertificate
from agent.central.orders import Certificate
from agent.errors import ConfigError
from tests.fakes.tls import Authority


@pytest.fixture(autouse=True)
def _nothing_blocks_the_event_loop() -> None:
    """Files are read here."""


def place(authority: Authority, folder: Path, name: str) -> Certificate:
    leaf = authority.leaf(name)
    files = Certificate(chain=folder / "node.pem", key=folder / "node.key")
    files.chain.write_bytes(leaf.chain_file.read_bytes())
    files.key.write_bytes(leaf.key_file.read_bytes())
    return files


def shown(context: ssl.SSLContext, authority: Authority, name: str) -> str:
    """The name in the certificate that a client gets to see."""
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(ours, theirs, server_side=True)
    trusting = ssl.create_default_context(cafile=str(authority.ca_file))
    client = trusting.wrap_bio(theirs, ours, server_hostname=name)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    der = client.getpeercert(binary_form=True)
    assert der is not None
    names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    return str(names.value.get_values_for_type(x509.DNSName)[0])


def test_a_new_certificate_is_shown_to_new_clients(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate = ServerCertificate(place(authority, tmp_path, "old.example"))
    assert shown(certificate.context, authority, "old.example") == "old.example"
    place(authority, tmp_path, "new.example")
    certificate.reload()
    assert shown(certificate.context, authority, "new.example") == "new.example"


def test_what_does_not_fit_together_leaves_the_one_in_force(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = place(authority, tmp_path, "old.example")
    certificate = ServerCertificate(files)
    files.chain.write_bytes(authority.leaf("new.example").chain_file.read_bytes())
    with pytest.raises(ConfigError, match="cannot use the certificate"):
        certificate.reload()
    assert shown(certificate.context, authority, "old.example") == "old.example"


def test_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        ServerCertificate(Certificate(chain=tmp_path / "a", key=tmp_path / "b"))
