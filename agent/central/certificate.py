"""The certificate under which a node serves: loaded at the start, and anew when it was told to read its files again."""

from __future__ import annotations

import ssl

from agent.central.orders import Certificate
from agent.errors import ConfigError


class ServerCertificate:
    """A TLS context for listeners, whose certificate can be replaced while connections are open."""

    def __init__(self, files: Certificate) -> None:
        """Read the files. Blocks. Raises ConfigError."""
        self._files = files
        self.context = _loaded(files)

    def reload(self) -> None:
        """Read the files again; connections that are open keep what they have. Blocks. Raises ConfigError, and keeps
        the certificate in force, where they do not fit together."""
        _loaded(self._files)  # a context half changed would serve a certificate without its key
        self.context.load_cert_chain(self._files.chain, self._files.key, password=_no_password)


def _loaded(files: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(files.chain, files.key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ConfigError(
            f"cannot use the certificate {files.chain} with the key {files.key}: "
            f"{getattr(error, 'reason', None) or getattr(error, 'strerror', None) or error}",
            hint="Both are PEM files; the chain begins with the node's own certificate, the key has no password.",
        ) from error
    return context


def _no_password() -> str:
    """Asked for where a key is locked: without this, OpenSSL would wait at a terminal."""
    raise ValueError("the key is locked with a password")
