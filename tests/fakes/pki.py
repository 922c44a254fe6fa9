"""A company's certificate authority: it signs requests, as asked or with something wrong about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def pem(*certificates: x509.Certificate) -> bytes:
    """Certificates as PEM, one after the other."""
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


class CompanyPki:
    """A root, an issuing authority below it, and what they sign. The issuing authority's key identifier is a SHA-256
    (RFC 7093), as that of some products is."""

    def __init__(self) -> None:
        self._root_key = ec.generate_private_key(ec.SECP384R1())
        self._issuer_key = ec.generate_private_key(ec.SECP384R1())
        self.root = self._authority("Company root", self._root_key, "Company root", self._root_key, depth=2)
        self.issuer = self._authority(
            "Company issuing", self._issuer_key, "Company root", self._root_key, depth=1
        )

    def sign(
        self,
        request: x509.CertificateSigningRequest,
        *,
        permitted: Iterable[str] | None = None,
        constrained: bool = True,
        ca: bool = True,
        path_length: int | None = 0,
        identifier: bool = True,
        life: timedelta = timedelta(days=90),
        start: datetime | None = None,
    ) -> x509.Certificate:
        """An intermediate for the request: as it asks, but for what is said here."""
        begins = start or datetime.now(UTC) - timedelta(hours=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(_name("Company issuing"))
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + life)
            .add_extension(
                x509.BasicConstraints(ca=ca, path_length=path_length if ca else None), critical=True
            )
            .add_extension(request.extensions.get_extension_for_class(x509.KeyUsage).value, critical=True)
            .add_extension(_issued_with(self.issuer), critical=False)
        )
        if constrained:
            asked = request.extensions.get_extension_for_class(x509.NameConstraints).value
            if permitted is not None:
                names = [x509.DNSName(name) for name in permitted]
                asked = x509.NameConstraints(
                    permitted_subtrees=names, excluded_subtrees=asked.excluded_subtrees
                )
            builder = builder.add_extension(asked, critical=True)
        if identifier:
            builder = builder.add_extension(_identifier(request.public_key()), critical=False)
        return builder.sign(self._issuer_key, hashes.SHA384())

    def _authority(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        issuer: str,
        issuer_key: ec.EllipticCurvePrivateKey,
        *,
        depth: int,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        usage = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
            .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
            .add_extension(_identifier(key.public_key()), critical=False)
        )
        if name != issuer:
            builder = builder.add_extension(_issued_with(self.root), critical=False)
        return builder.sign(issuer_key, hashes.SHA384())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _identifier(key: object) -> x509.SubjectKeyIdentifier:
    assert isinstance(key, ec.EllipticCurvePublicKey)
    point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(point)
    return x509.SubjectKeyIdentifier(digest.finalize()[:20])


def _issued_with(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
