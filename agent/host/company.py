"""An intermediate that a company's own PKI issued for a key of this device, in the place of the device's root.

The key is made here and never leaves; what comes back is judged before it is used, since one that does not fit would
cut programs off. The catalog may later hold hosts that it does not permit: for those no certificate can be made,
and who has the authority tells so. Blocks; everything raises HostError.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from agent.errors import ConfigError, HostError
from agent.host.certificates import new_key, permits, permitted_names, request_intermediate
from agent.host.files import write_atomically
from agent.host.key_seal import KeyFiles
from agent.host.pairs import (
    Pair,
    key_text,
    load_certificate,
    load_certificates,
    load_key,
    load_pair,
    pem_text,
)
from agent.host.paths import StatePaths

SOON = timedelta(days=14)
"""With less time left than this, a certificate is about to expire."""
_CHAIN_LIMIT = 8  # certificates between ours and the root, the root included
_SHOWN = 5  # host names in one message


@dataclass(frozen=True, kw_only=True)
class Company:
    """A company's intermediate with our key, and what issued it: the root is last."""

    pair: Pair
    above: tuple[x509.Certificate, ...]

    @property
    def root(self) -> x509.Certificate:
        """What clients trust."""
        return self.above[-1]

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """What a server sends after a leaf."""
        return (self.pair.certificate, *self.above[:-1])

    @cached_property
    def permitted(self) -> tuple[str, ...]:
        """The subtrees for which leaves are accepted; asked for at every connection."""
        return permitted_names(self.pair.certificate)

    @property
    def sample(self) -> str:
        """A name for which a leaf is accepted."""
        return self.permitted[0].removeprefix(".") if self.permitted else "nothing.invalid"

    def permits(self, name: str, now: datetime) -> bool:
        """Whether a leaf for `name` would be accepted now."""
        return self.pair.is_valid(now) and permits(self.permitted, name)


def load_company(paths: StatePaths, files: KeyFiles) -> Company | None:
    """The company's intermediate on the disk, None where there is none. An import that was cut short is brought to its
    end."""
    mend = "Import the company's certificate again: drawbridge ca import FILE"
    try:
        pair = _load(paths, files)
        above = load_certificates(paths.company_chain)
    except HostError as error:
        raise HostError(f"the company's certificate cannot be used: {error}", hint=mend) from error
    if pair is None:
        if paths.company_certificate.exists():
            raise HostError(f"the company's certificate has lost its key {paths.company_key}", hint=mend)
        return None
    if not above:
        raise HostError(f"the company's certificate has lost its chain {paths.company_chain}", hint=mend)
    return Company(pair=pair, above=above)


def request(
    paths: StatePaths, files: KeyFiles, *, hostname: str, permitted: frozenset[str]
) -> x509.CertificateSigningRequest:
    """Ask for an intermediate; the key of a request that was not answered yet is used again."""
    key = load_key(paths.request_key, files)
    if key is None:
        key = new_key()
        files.write(paths.request_key, key_text(key))
    return request_intermediate(key, hostname=hostname, permitted=permitted)


def keep(paths: StatePaths, files: KeyFiles, company: Company) -> None:
    """Use it from the next start or reload on."""
    write_atomically(paths.company_chain, b"".join(map(pem_text, company.above)))
    write_atomically(paths.company_certificate, pem_text(company.pair.certificate))
    # cut off here, the new certificate's key is still that of the request: `_load` puts it in its place
    files.write(paths.company_key, key_text(company.pair.key))
    _forget_request(paths)


def our_key(paths: StatePaths, files: KeyFiles, certificate: x509.Certificate) -> ec.EllipticCurvePrivateKey:
    """The key of this device that `certificate` was issued for. Raises ConfigError where it is none of ours."""
    for path in (paths.request_key, paths.company_key):
        key = load_key(path, files)
        if key is not None and key.public_key() == certificate.public_key():
            return key
    raise ConfigError(
        "the certificate was issued for a key that is not of this device",
        hint="Make a request here (drawbridge ca csr), have it signed, and import what comes back here.",
    )


def check(certificate: x509.Certificate, wanted: Iterable[str], *, now: datetime) -> tuple[str, ...]:
    """Raise ConfigError where `certificate` is no intermediate that this device can use; which of the `wanted` subtrees
    it does not permit."""
    _check_form(certificate)
    permitted = permitted_names(certificate)
    if not permitted:
        raise ConfigError(
            "the certificate has no name constraints: it could sign for every host, which no device may",
            hint="Have the name constraints of the request kept when it is signed.",
        )
    if now < certificate.not_valid_before_utc:
        raise ConfigError(
            f"the certificate is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} on"
        )
    if now >= certificate.not_valid_after_utc:
        raise ConfigError(f"the certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    return tuple(sorted(name for name in wanted if not permits(permitted, name)))


def named(hosts: Iterable[str]) -> str:
    """Some host names, as a message has them."""
    names = sorted(hosts)
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def chain_above(
    certificate: x509.Certificate, given: Iterable[x509.Certificate], *, now: datetime
) -> tuple[x509.Certificate, ...]:
    """What issued `certificate`, up to a root, all of it among `given`. Raises ConfigError where something is missing
    or would not be accepted by clients."""
    pool = list(dict.fromkeys(given))
    above: list[x509.Certificate] = []
    current = certificate
    while not (above and _is_root(current)):
        issuer = next((one for one in pool if one not in above and _issued(current, one)), None)
        if issuer is None:
            raise ConfigError(
                f"the issuer {current.issuer.rfc4514_string()[:200]!r} is missing",
                hint="Name a PEM file with every certificate up to the company's root: --chain FILE",
            )
        above.append(issuer)
        if len(above) > _CHAIN_LIMIT:
            raise ConfigError(f"the chain has more than {_CHAIN_LIMIT} certificates")
        current = issuer
    for below, issuer in enumerate(above):
        _check_issuer(issuer, below=below, now=now)
    return tuple(above)


def _load(paths: StatePaths, files: KeyFiles) -> Pair | None:
    certificate = load_certificate(paths.company_certificate)
    requested = None if certificate is None else load_key(paths.request_key, files)
    if (
        requested is not None
        and certificate is not None
        and requested.public_key() == certificate.public_key()
    ):
        files.write(paths.company_key, key_text(requested))
        _forget_request(paths)
    return load_pair(paths.company_certificate, paths.company_key, files)


def _forget_request(paths: StatePaths) -> None:
    try:
        paths.request_key.unlink(missing_ok=True)
    except OSError as error:
        raise HostError(f"cannot remove {paths.request_key}: {error.strerror or error}") from error


def _check_form(certificate: x509.Certificate) -> None:
    extensions = _extensions(certificate)
    try:
        basic = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        basic = x509.BasicConstraints(ca=False, path_length=None)
    if not basic.ca:
        raise ConfigError(
            "the certificate is none of an authority (CA:FALSE)",
            hint="Have the request signed as a subordinate CA.",
        )
    if basic.path_length != 0:
        raise ConfigError(
            f"the certificate may issue further authorities (path length {basic.path_length})",
            hint="Have it issued with path length 0.",
        )
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    if usage is None or not usage.key_cert_sign:
        raise ConfigError("the certificate may not sign certificates (key usage)")
    try:
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        purposes = None
    fitting = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if purposes is not None and not fitting & set(purposes):
        raise ConfigError("the certificate is not for TLS servers (extended key usage)")
    _check_identifier(extensions, "the certificate")


def _check_issuer(certificate: x509.Certificate, *, below: int, now: datetime) -> None:
    """`below` is the number of authorities between this one and ours."""
    name = certificate.subject.rfc4514_string()[:200]
    extensions = _extensions(certificate)
    try:
        basic = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        basic = x509.BasicConstraints(ca=False, path_length=None)
    if not basic.ca:
        raise ConfigError(f"{name!r} in the chain is no authority")
    # ours is the first authority below each of them
    if basic.path_length is not None and basic.path_length < below + 1:
        raise ConfigError(f"{name!r} may not have an authority as far below it as ours (path length)")
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise ConfigError(f"{name!r} in the chain is not valid now")


def _check_identifier(extensions: x509.Extensions, what: str) -> None:
    try:
        extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        raise ConfigError(
            f"{what} has no subject key identifier: strict clients (Python 3.13) would refuse it"
        ) from None


def _extensions(certificate: x509.Certificate) -> x509.Extensions:
    try:
        return certificate.extensions
    except ValueError as error:
        raise ConfigError("the extensions of a certificate cannot be read") from error


def _is_root(certificate: x509.Certificate) -> bool:
    return certificate.issuer == certificate.subject and _issued(certificate, certificate)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
