"""Builds the layers of an intercepted connection: TLS first, then the relay or mitmproxy's HTTP layer."""

from __future__ import annotations

from mitmproxy import connection
from mitmproxy.proxy import layer, layers
from mitmproxy.proxy.layers.http import HTTPMode

from agent.interception.services import GATEWAY, DoorServices
from agent.model.traffic import Tier


class TlsScope:
    """Answers mitmproxy's question what comes next on a connection."""

    def __init__(self, services: DoorServices) -> None:
        self._services = services

    def next_layer(self, data: layer.NextLayer) -> None:
        """TLS is ended first. Then, in the relay tier, the plain bytes go to the gateway untouched: the destination
        is replaced here and not in `server_connect`, where connection reuse would break."""
        context = data.context
        tier = self._services.tier(context.client.id)
        if not isinstance(context.layers[-1], layers.ClientTLSLayer):
            if tier is Tier.RELAY:
                context.client.alpn = b"http/1.1"
            data.layer = layers.ClientTLSLayer(context)
        elif tier is Tier.RELAY:
            context.server = connection.Server(address=GATEWAY)
            data.layer = layers.TCPLayer(context, ignore=True)
        else:
            data.layer = layers.HttpLayer(context, HTTPMode.transparent)
