"""The door's answers to the mitmproxy addons, and the contexts in which mitmproxy asks."""

from __future__ import annotations

import ssl
import warnings
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from mitmproxy import connection, options
from mitmproxy.proxy import context
from OpenSSL import SSL

from agent.errors import HostError
from agent.interception.services import ServerLeaf
from agent.model.traffic import Tier


@dataclass(frozen=True)
class FakeLeaf:
    """Implements `ServerLeaf`."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]


class FakeDoor:
    """Implements `DoorServices`."""

    def __init__(self, tier: Tier = Tier.RELAY, leaf: ServerLeaf | None = None) -> None:
        self._tier = tier
        self.shown = leaf
        self.asked: list[tuple[str, str]] = []
        self.reports: list[tuple[str, str]] = []

    def tier(self, client_id: str) -> Tier:
        return self._tier

    def leaf(self, client_id: str, sni: str) -> ServerLeaf:
        self.asked.append((client_id, sni))
        if self.shown is None:
            raise HostError("no certificate")
        return self.shown

    def trusted(self, client_id: str) -> None:
        self.reports.append(("trusted", client_id))

    def distrusted(self, client_id: str, error: str) -> None:
        self.reports.append((error, client_id))


@cache
def self_signed(name: str) -> FakeLeaf:
    """A certificate for `name` that is its own chain."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return FakeLeaf(certificate, key, (certificate,))


def client_context(sni: str = "api.openai.com", alpn: bytes | None = None) -> context.Context:
    """mitmproxy's context of a client connection, without any layer yet."""
    client = connection.Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), timestamp_start=0)
    client.sni, client.alpn = sni, alpn
    return context.Context(client, options.Options())


def handshake(
    server: object, alpn: tuple[str, ...] = (), *, at_most: ssl.TLSVersion | None = None
) -> ssl.SSLObject:
    """Bring a client and a pyOpenSSL server connection to an established session; returns the client's side."""
    client_context_ = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context_.check_hostname = False
    client_context_.verify_mode = ssl.CERT_NONE
    if at_most is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that old versions are deprecated is the point
            client_context_.minimum_version = ssl.TLSVersion.TLSv1
            client_context_.maximum_version = at_most
            client_context_.set_ciphers("ALL:@SECLEVEL=0")
    if alpn:
        client_context_.set_alpn_protocols(list(alpn))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context_.wrap_bio(incoming, outgoing, server_hostname="api.openai.com")
    for _ in range(4):
        done = [_step(client.do_handshake), False]
        if flight := outgoing.read():
            server.bio_write(flight)  # type: ignore[attr-defined]
        done[1] = _step(server.do_handshake)  # type: ignore[attr-defined]
        with suppress(SSL.WantReadError):
            incoming.write(server.bio_read(65536))  # type: ignore[attr-defined]
        if all(done):
            break
    return client


def _step(handshake_: object) -> bool:
    try:
        handshake_()  # type: ignore[operator]
    except Exception as error:
        if "Want" not in type(error).__name__:
            raise
        return False
    return True
