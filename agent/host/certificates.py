"""The three kinds of certificate the device authority makes: root, intermediate, leaf. No files, no clock.

Profiles follow RFC 5280 as its strictest readers take it (Python 3.13's VERIFY_X509_STRICT wants key
identifiers in every certificate). All keys are EC P-256. The intermediate is bound to the catalogued hosts
by critical name constraints: whoever steals its key can pass for those hosts towards this machine's users,
and for no bank.

A constraint names a subtree and cannot say `bedrock-runtime.{region}.amazonaws.com`; the subtree around it, all of
amazonaws.com, would be far too much. So a template permits nothing by itself: the host names of its shape that this
machine has really asked for are permitted, each by its full name (`HostNames.constraints`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.model.hostpattern import HostTable, HostTemplate, is_template

ROOT_LIFE = timedelta(days=5 * 365 + 1)
INTERMEDIATE_LIFE = timedelta(days=90)
LEAF_LIFE = timedelta(days=7)
SLACK = timedelta(days=1)  # notBefore lies this far back: clocks of virtual machines lag

_COMMON_NAME_LIMIT = 64  # RFC 5280 appendix A, ub-common-name
_NAME_LIMIT = 253  # RFC 1035 section 2.3.4
_LABEL_LIMIT = 63
_LABEL_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
# without any permitted name a certificate would be free; no host is called so (RFC 6761 section 6.4)
_NOTHING = "nothing.invalid"
_EVERY_ADDRESS = (
    x509.IPAddress(ipaddress.IPv4Network("0.0.0.0/0")),
    x509.IPAddress(ipaddress.IPv6Network("::/0")),
)


class HostNames:
    """Hosts as the catalog writes them (exact, `*.suffix` or template), and what certificates make of them."""

    def __init__(self, hosts: Iterable[str]) -> None:
        """Raises ValueError for a name that is none: it must not end up in a constraint."""
        self._named: set[str] = set()  # exact names, and suffixes without their star
        self._table: HostTable[bool] = HostTable()  # whether a host is of a template's shape only
        for host in hosts:
            pattern = host.lower()
            template = is_template(pattern)
            name = HostTemplate.compile(pattern).specimen if template else pattern.removeprefix("*.")
            if not is_dns_name(name):
                raise ValueError(f"{host!r} is not a host name")
            self._table.put(pattern, template)
            if not template:
                self._named.add(name)

    def cover(self, name: str) -> bool:
        """Whether `name` (lower case) is one of the exact hosts, lies below one of the suffixes or fits a template."""
        return self._table.find(name) is not None

    def shaped(self, name: str) -> bool:
        """Whether `name` (lower case) is covered because it fits a template."""
        return self._table.find(name) is True

    @property
    def named(self) -> frozenset[str]:
        """The subtrees that the catalog names in full; templates name none."""
        return frozenset(self._named)

    def constraints(self, met: Iterable[str] = ()) -> frozenset[str]:
        """The permitted subtrees, where `met` are the names of templates' shapes that were asked for. A dNSName
        constraint covers the name and all below it (RFC 5280 4.2.1.10), so names below another are left out."""
        names = self._named.union(met)

        def below_another(name: str) -> bool:
            while (dot := name.find(".")) >= 0:
                name = name[dot + 1 :]
                if name in names:
                    return True
            return False

        return frozenset(name for name in names if not below_another(name)) or frozenset({_NOTHING})


def is_dns_name(name: str) -> bool:
    """Whether `name` is a host name in lower case ASCII, and neither an IP address nor a pattern."""
    labels = name.split(".")
    if len(name) > _NAME_LIMIT or labels[-1].isdigit():  # a name that ends in digits would be an IPv4 address
        return False
    return all(
        0 < len(label) <= _LABEL_LIMIT
        and set(label) <= _LABEL_CHARACTERS
        and not (label.startswith("-") or label.endswith("-"))
        for label in labels
    )


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def issue_root(key: ec.EllipticCurvePrivateKey, *, hostname: str, now: datetime) -> x509.Certificate:
    """The certificate users are asked to trust. Its name tells which machine's it is, and from when."""
    # a rotation has two of them trusted at once: see the intermediate's name
    name = _name(
        f"Drawbridge root ({_machine(hostname)} {now:%Y-%m} {x509.random_serial_number() % 16**4:04x})"
    )
    builder = _builder(name, name, key.public_key(), now - SLACK, now + ROOT_LIFE)
    return _sign(_as_authority(builder, path_length=1), key, key.public_key())


def issue_intermediate(
    key: ec.EllipticCurvePrivateKey,
    *,
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    permitted: frozenset[str],
    now: datetime,
) -> x509.Certificate:
    """The certificate that signs leaves, only for names in the `permitted` subtrees, never for an IP address."""
    # a name of its own: two issuers of one name make verifiers try the wrong one
    name = _name(f"Drawbridge intermediate ({now:%Y-%m-%d} {x509.random_serial_number() % 16**8:08x})")
    end = min(now + INTERMEDIATE_LIFE, root.not_valid_after_utc)
    builder = _builder(name, root.subject, key.public_key(), now - SLACK, end)
    builder = _as_authority(builder, path_length=0).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
    )
    builder = builder.add_extension(_constraints(permitted), critical=True)
    return _sign(builder, root_key, root_key.public_key())


def request_intermediate(
    key: ec.EllipticCurvePrivateKey, *, hostname: str, permitted: frozenset[str]
) -> x509.CertificateSigningRequest:
    """A request (PKCS #10) for an intermediate as `issue_intermediate` makes one, to be issued by somebody else."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        _name(f"Drawbridge intermediate ({_machine(hostname)})")
    )
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_constraints(permitted), critical=True)
        .sign(key, hashes.SHA256())
    )


def permits(permitted: Iterable[str], name: str) -> bool:
    """Whether a name (or all below it, which is the same) lies in one of the `permitted` subtrees."""
    return any(name == each or name.endswith("." + each.removeprefix(".")) for each in permitted)


def is_intermediate(
    certificate: x509.Certificate, *, root: x509.Certificate, permitted: frozenset[str]
) -> bool:
    """Whether `root` issued `certificate` for exactly the `permitted` subtrees. Says nothing of time."""
    try:
        certificate.verify_directly_issued_by(root)
        constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints)
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    wanted = _constraints(permitted)
    found = constraints.value
    return (
        constraints.critical
        and (basic.ca, basic.path_length) == (True, 0)
        and set(found.permitted_subtrees or ()) == set(wanted.permitted_subtrees or ())
        and set(found.excluded_subtrees or ()) == set(wanted.excluded_subtrees or ())
    )


def permitted_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names that the constraints of `certificate` permit, none where it cannot be read."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except (ValueError, x509.ExtensionNotFound):
        return ()
    return tuple(each.value for each in found.permitted_subtrees or () if isinstance(each, x509.DNSName))


class LeafIssuer:
    """Signs leaves of one intermediate for one leaf key. What all leaves share is built once."""

    def __init__(
        self,
        *,
        intermediate: x509.Certificate,
        intermediate_key: ec.EllipticCurvePrivateKey,
        leaf_key: ec.EllipticCurvePrivateKey,
    ) -> None:
        self._key = intermediate_key
        self._end = intermediate.not_valid_after_utc
        usage = _usage(digital_signature=True)
        self._template = (
            x509.CertificateBuilder()
            .issuer_name(intermediate.subject)
            .public_key(leaf_key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(leaf_key.public_key()), critical=False)
            .add_extension(_issued_with(intermediate), critical=False)
        )

    def issue(self, name: str, *, now: datetime) -> x509.Certificate:
        """A leaf for the DNS name `name`, valid for a week or as long as its issuer."""
        # too long a name stands in the alternative name only; an empty subject would make that one critical
        subject = _name(name if len(name) <= _COMMON_NAME_LIMIT else "Drawbridge leaf")
        return (
            self._template.subject_name(subject)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_whole(now - SLACK))
            .not_valid_after(min(_whole(now + LEAF_LIFE), self._end))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _constraints(permitted: frozenset[str]) -> x509.NameConstraints:
    return x509.NameConstraints(
        permitted_subtrees=[x509.DNSName(name) for name in sorted(permitted)],
        excluded_subtrees=list(_EVERY_ADDRESS),
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_whole(start))
        .not_valid_after(_whole(end))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _as_authority(builder: x509.CertificateBuilder, *, path_length: int) -> x509.CertificateBuilder:
    return builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    ).add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)


def _sign(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePublicKey
) -> x509.Certificate:
    return builder.add_extension(_issued_by(issuer), critical=False).sign(key, hashes.SHA256())


def _issued_with(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """By the identifier that the issuer's certificate bears: a company's CA may make it in another way than we do."""
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        key = issuer.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)  # only such keys sign leaves
        return _issued_by(key)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _issued_by(key: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _machine(hostname: str) -> str:
    return "".join(character for character in hostname if character.isprintable())[:30]


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
