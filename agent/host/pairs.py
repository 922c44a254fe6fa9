"""A certificate with its private key: in memory, and as two files. Blocks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agent.errors import HostError
from agent.host.certificates import SLACK
from agent.host.files import read_limited, write_atomically
from agent.host.key_seal import KeyFiles

FILE_LIMIT = 1024 * 1024  # bytes; an intermediate with 1,000 hosts has 40 kB


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its key, with its times read once: reading them for every leaf costs more than a cache's
    answer."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    start: datetime
    end: datetime
    renewal: datetime  # two thirds into its life

    @classmethod
    def of(cls, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
        """The pair of a certificate and its key."""
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        issued = start + SLACK
        renewal = issued + (end - issued) * 2 / 3
        return cls(certificate=certificate, key=key, start=start, end=end, renewal=renewal)

    def serves(self, now: datetime) -> bool:
        """Whether an intermediate is valid and not yet due for renewal."""
        return self.start <= now < self.renewal

    def is_valid(self, now: datetime) -> bool:
        """Whether it is valid now."""
        return self.start <= now < self.end


def pem_text(certificate: x509.Certificate) -> bytes:
    """The certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_text(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as PEM (PKCS #8), unsealed."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_certificate(path: Path) -> x509.Certificate | None:
    """The first certificate of a PEM file, None where there is no such file. Raises HostError where it holds none."""
    pem = read_limited(path, limit=FILE_LIMIT)
    if pem is None:
        return None
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise HostError(f"{path} holds no certificate", hint="Restore it from a backup.") from error


def load_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """Every certificate of a PEM file, none where there is no such file. Raises HostError for one that is damaged."""
    pem = read_limited(path, limit=FILE_LIMIT)
    if not pem:
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise HostError(f"{path} holds no certificates", hint="Restore it from a backup.") from error


def load_key(path: Path, files: KeyFiles) -> ec.EllipticCurvePrivateKey | None:
    """The key of a file, None where there is none. Raises HostError where it is damaged or cannot be opened."""
    pem = files.read(path)
    if pem is None:
        return None
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise HostError(f"{path} holds no private key") from None  # the cause may quote the file
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise HostError(f"{path} holds a key of another kind than ours")
    return key


def load_pair(certificate_path: Path, key_path: Path, files: KeyFiles) -> Pair | None:
    """A certificate and its key, None where a file is missing. Raises HostError where they are damaged or differ."""
    pem = read_limited(certificate_path, limit=FILE_LIMIT)
    if pem is None:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise HostError(f"{certificate_path} holds no certificate") from error
    key = load_key(key_path, files)
    if key is None:
        return None
    if key.public_key() != certificate.public_key():
        raise HostError(f"{key_path} is not the key of {certificate_path}")
    return Pair.of(certificate, key)


def write_pair(certificate_path: Path, key_path: Path, pair: Pair, files: KeyFiles) -> None:
    """Key first: a certificate on disk means that its key is there too. Raises HostError."""
    files.write(key_path, key_text(pair.key))
    write_atomically(certificate_path, pem_text(pair.certificate))


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.fromtimestamp(time.time(), UTC)
