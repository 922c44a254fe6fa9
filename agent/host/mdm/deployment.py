"""What an administrator wants on the machines: values of settings, checked as the machines will check them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agent.errors import ConfigError
from agent.host.setting_rows import Row, System
from agent.host.setting_shapes import Kind
from agent.host.setting_values import BadValueError, text


@dataclass(frozen=True, slots=True, kw_only=True)
class RootCertificate:
    """A certificate authority to trust."""

    name: str
    der: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What one template is to hold. `values` are plain: text, numbers, booleans, lists of text."""

    values: Mapping[str, object]
    organization: str = "Your organization"
    team_id: str = ""
    """Of the certificate that the package is signed with, ten characters."""
    roots: tuple[RootCertificate, ...] = field(default=())


def starter_values(rows: Sequence[Row], system: System) -> dict[str, object]:
    """What a template holds where no values are asked for."""
    return {row.name: row.example(system) for row in rows if row.key.starter}


def read_values(rows: Sequence[Row], given: Sequence[str], system: System) -> dict[str, object]:
    """Read `name=value`, as on a command line, for machines of a system. Raises ConfigError."""
    known = {row.name: row for row in rows}
    values: dict[str, object] = {}
    for each in given:
        name, equals, value = each.partition("=")
        row = known.get(name.strip())
        if row is None or not equals:
            raise ConfigError(
                f"{each[:80]!r} sets nothing", hint=f"Write name=value; names: {', '.join(sorted(known))}."
            )
        try:
            values[row.name] = plain(row, value, system)
        except BadValueError as error:
            raise ConfigError(
                f"bad value for {row.name}: {error}", hint=f"Allowed: {row.key.allowed}."
            ) from error
    return values


def plain(row: Row, value: str, system: System) -> object:
    """A text as the value that a template holds. Raises BadValueError for what machines of `system` would refuse."""
    if row.shape.kind is Kind.PATH:  # the reader judges paths of the system that it runs on
        return _path(value, system)
    read = row.key.read(value)
    match row.shape.kind:
        case Kind.NUMBER | Kind.SWITCH | Kind.CHOICE:
            return read
        case Kind.LIST:
            return value.replace(",", " ").split()
        case _:
            return value.strip()


def read_root(data: bytes, place: str) -> RootCertificate:
    """The certificate in a PEM or DER file. Raises ConfigError for what is no single authority."""
    hint = "Give a file with one certificate of an authority, as PEM or DER, without its key."
    if b"PRIVATE KEY" in data:
        raise ConfigError(f"{place} holds a private key", hint=hint)
    try:
        found = (
            x509.load_pem_x509_certificates(data)
            if b"-----BEGIN" in data
            else [x509.load_der_x509_certificate(data)]
        )
        authority = [
            each.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for each in found
        ]
    except (ValueError, x509.ExtensionNotFound) as error:
        raise ConfigError(f"{place} is not the certificate of an authority", hint=hint) from error
    if authority != [True]:
        raise ConfigError(f"{place} does not hold exactly one certificate of an authority", hint=hint)
    certificate = found[0]
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return RootCertificate(
        name=str(names[0].value) if names else "Root certificate",
        der=certificate.public_bytes(Encoding.DER),
    )


def _path(value: str, system: System) -> str:
    given = text(value)
    flavour = PureWindowsPath if system is System.WINDOWS else PurePosixPath
    if not flavour(given).is_absolute():
        raise BadValueError(f"{given!r} is no absolute path on {system.value}")
    return given
