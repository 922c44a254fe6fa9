"""The HTTP tier: requests of HTTP/2 clients, re-routed to the gateway, streamed both ways."""

from __future__ import annotations

from mitmproxy import http

from agent.interception.services import GATEWAY


class HttpTier:
    """Hooks of mitmproxy's HTTP layer."""

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Send the request to the gateway. `Host` stays: the gateway must see whom the client asks."""
        data = flow.request.data
        data.scheme = b"http"
        data.host, data.port = GATEWAY
        flow.request.stream = True

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Never hold an answer back here: the gateway has judged it."""
        if flow.response is not None:
            flow.response.stream = True

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """mitmproxy keeps every message of a WebSocket for ever; nobody needs them."""
        if flow.websocket is not None:
            flow.websocket.messages.clear()
