"""TLS towards upstreams: whose certificates are trusted, and from which version on.

There is no switch that turns verification off. Building a context reads the system's roots (about 30 ms), so it is
done once, off the event loop.

Sessions are not resumed, although that would save two thirds of a handshake's processor time (1.3 ms): a resumed
session shows no certificates, and truststore, which verifies after every handshake, could only refuse it.
"""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

import truststore

from agent.errors import ConfigError

NATIVE = sys.platform in ("darwin", "win32")
"""Whether the system verifies certificates itself and has no file of roots. On Linux truststore would only load
OpenSSL's roots, and anew for every connection: 44 ms of a blocked event loop, measured."""

_BUNDLES = (  # where distributions keep their roots, for a program whose OpenSSL was built on another one
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # RHEL 11, Fedora 44
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine
)


def client_context(ca_file: Path | None = None, *, native: bool = NATIVE) -> ssl.SSLContext:
    """A context that trusts the system's roots and, besides them, those in `ca_file` (PEM). Blocks.

    Raises ConfigError where `ca_file` cannot be used.
    """
    if native:
        context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load_system_roots(context)
        # An administrator may hand out the issuing CA of an inspecting proxy instead of its root.
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"the CA file {ca_file} cannot be used: {getattr(error, 'strerror', None) or error}",
                hint="Give a readable file of certificates in PEM form.",
            ) from error
    return context


def _load_system_roots(context: ssl.SSLContext) -> None:
    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())):
        context.set_default_verify_paths()
        return
    for bundle in _BUNDLES:
        if Path(bundle).is_file():
            context.load_verify_locations(cafile=bundle)
            return
