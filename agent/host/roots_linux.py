"""The roots of a Linux system: the first of the files that distributions generate."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from agent.errors import HostError
from agent.host.files import read_limited
from agent.host.pem import certificates_in

# the order of Go's crypto/x509, root_linux.go
WELL_KNOWN = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Gentoo, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # RHEL 7 and later
    "/etc/ssl/cert.pem",  # Alpine
)
_LIMIT = 16 * 1024 * 1024  # bytes


class CertificateFiles:
    """A `RootStore` of PEM files, of which the first that holds certificates counts."""

    def __init__(self, files: Sequence[Path] | None = None) -> None:
        """`files` replaces the well-known places and OpenSSL's own default."""
        # `cafile` would follow SSL_CERT_FILE, which may point at the bundle that is being made
        defaults = [*WELL_KNOWN, ssl.get_default_verify_paths().openssl_cafile]
        self._files = tuple(files) if files is not None else tuple(map(Path, defaults))

    def stamp(self) -> str:
        """See `RootStore`."""
        for file in self._files:
            with suppress(OSError):
                found = file.stat()
                return f"{file} {found.st_mtime_ns} {found.st_size}"
        return ""

    def certificates(self) -> tuple[bytes, ...]:
        """See `RootStore`."""
        for file in self._files:
            with suppress(HostError):
                if found := certificates_in(read_limited(file, limit=_LIMIT) or b""):
                    return found
        raise HostError("no file with the system's root certificates was found")
