"""Shows clients a leaf of the device CA, and reports who accepts it and who does not.

Stands in for mitmproxy's own TlsConfig: that one copies the upstream's names, uses the CA's key for every leaf, and
keeps leaves past their end.
"""

from __future__ import annotations

import logging
from typing import Any

from mitmproxy import tls
from OpenSSL import SSL

from agent.errors import HostError
from agent.interception.services import DoorServices, ServerLeaf

log = logging.getLogger(__name__)


class TlsIdentity:
    """The TLS server towards the client."""

    def __init__(self, services: DoorServices) -> None:
        self._services = services
        self._context: SSL.Context | None = None
        self._chain: tuple[object, ...] = ()

    def tls_start_client(self, data: tls.TlsData) -> None:
        """Give mitmproxy the TLS connection object for a client."""
        client = data.context.client
        try:
            leaf = self._services.leaf(client.id, client.sni or "")
        except HostError as error:  # without a connection object mitmproxy closes
            log.warning("%s", error)
            return
        ssl_connection = SSL.Connection(self._ready(leaf))
        ssl_connection.use_certificate(leaf.certificate)
        ssl_connection.use_privatekey(leaf.key)
        pinned = client.alpn  # the relay tier's; None lets the client choose
        ssl_connection.set_app_data((pinned,) if pinned else (b"h2", b"http/1.1"))
        ssl_connection.set_accept_state()
        data.ssl_conn = ssl_connection

    def tls_established_client(self, data: tls.TlsData) -> None:
        """The client took our certificate."""
        self._services.trusted(data.context.client.id)

    def tls_failed_client(self, data: tls.TlsData) -> None:
        """The client did not, or broke off."""
        self._services.distrusted(data.context.client.id, data.conn.error or "")

    def _ready(self, leaf: ServerLeaf) -> SSL.Context:
        """One context for all connections, so that clients can resume sessions; a new one when the chain changes."""
        if self._context is None or self._chain != leaf.chain:
            context = SSL.Context(SSL.TLS_SERVER_METHOD)
            context.set_min_proto_version(SSL.TLS1_2_VERSION)
            context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
            context.set_session_id(b"drawbridge")
            context.set_alpn_select_callback(_select)
            for certificate in leaf.chain:
                context.add_extra_chain_cert(certificate)
            self._context, self._chain = context, leaf.chain
        return self._context


def _select(ssl_connection: SSL.Connection, offers: list[bytes]) -> Any:
    """The first of the client's protocols that this connection may speak."""
    spoken: tuple[bytes, ...] = ssl_connection.get_app_data()
    return next((offer for offer in offers if offer in spoken), SSL.NO_OVERLAPPING_PROTOCOLS)
