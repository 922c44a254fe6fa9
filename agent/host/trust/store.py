"""What a trust store is to us: places that hold roots, one setting of the journal for each root in each place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from agent.errors import HostError
from agent.host.journal import SettingDriver
from agent.host.pem import certificates_in, pem_of
from agent.host.run import Completed, Runner

_SHORT = 16  # characters of a mark in names that people see


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A root certificate as stores know it. `mark` is its SHA-1 thumbprint, by which every system's tools find it; what
    was found is compared whole."""

    der: bytes
    mark: str
    subject: str
    sha256: str  # AB:CD:…, as certificate viewers write it

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Root:
        """The root of a certificate."""
        return cls(
            der=certificate.public_bytes(serialization.Encoding.DER),
            mark=thumbprint(certificate),
            subject=certificate.subject.rfc4514_string(),
            sha256=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
        )

    @property
    def pem(self) -> str:
        """As PEM, as every store's `read` gives it."""
        return pem_of(self.der).decode()

    def scope(self, place: str) -> str:
        """The setting that is this root in a place."""
        return f"{place}#{self.mark}"


class Access(StrEnum):
    """What can be done with a place."""

    OPEN = "open"
    ABSENT = "absent"  # this machine has no such store
    FORBIDDEN = "forbidden"  # not by this account
    UNKNOWN = "unknown"  # the tool that opens it is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One place of a kind of store. `remedy` says what to do where the access is not open, or roots are missing."""

    place: str
    access: Access
    title: str
    remedy: str = ""


class TrustStore(SettingDriver, Protocol):
    """One kind of store. A scope is `PLACE#MARK`, a value the root as PEM."""

    def sites(self) -> tuple[Site, ...]:
        """The places of this kind on this machine. Blocks. Never raises."""
        ...

    def trusts(self, place: str, root: Root) -> bool:
        """Whether programs that use this place accept `root`, whoever put it there. Blocks. Raises HostError."""
        ...


def parted(scope: str) -> tuple[str, str]:
    """Place and mark of a scope. Raises HostError."""
    place, hash_sign, mark = scope.rpartition("#")
    if not hash_sign or not place or len(mark) != 40 or not set(mark) <= set("0123456789abcdef"):
        raise HostError(f"{scope!r} is no setting of a trust store")
    return place, mark


def short(mark: str) -> str:
    """A mark as file names and nicknames have it."""
    return mark[:_SHORT]


def thumbprint(certificate: x509.Certificate) -> str:
    """The SHA-1 of a certificate in lower-case hex: a name, no proof."""
    return certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303


def normal(pem: bytes) -> str | None:
    """The first certificate in `pem` as `Root.pem` writes it, None where there is none."""
    found = certificates_in(pem)
    return pem_of(found[0]).decode() if found else None


@contextmanager
def handed(pem: str) -> Iterator[str]:
    """The path of a file with `pem` for a tool to read, in a directory of our own."""
    with TemporaryDirectory(prefix="drawbridge-trust-") as folder:
        file = Path(folder) / "root.pem"
        file.write_text(pem)
        yield str(file)


def demand(runner: Runner, argv: list[str], *, what: str, hint: str) -> Completed:
    """Run a tool that must succeed. Raises HostError with its own last words."""
    done = runner(argv)
    if done.code != 0:
        said = (done.stderr.strip() or done.stdout.strip()).decode("utf-8", "replace").splitlines()
        words = f": {said[-1][:300]}" if said else ""
        raise HostError(f"{what} ({Path(argv[0]).name} ended with {done.code}{words})", hint=hint)
    return done
