"""ClientHellos as OpenSSL says them, caught before they are sent."""

from __future__ import annotations

import contextlib
import ssl


def client_hello(
    sni: str | None = "api.openai.com", alpn: tuple[str, ...] = (), *, tls12: bool = False
) -> bytes:
    """The first flight of a client that asks for `sni`, offering `alpn`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if tls12:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if alpn:
        context.set_alpn_protocols(list(alpn))
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=sni)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()
