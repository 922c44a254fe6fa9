"""Translates aiohttp's errors into ours. Their own texts are not passed on: some quote the answer."""

from __future__ import annotations

import aiohttp

from agent.gateway.transport.base import FailureKind, TransportError
from agent.gateway.transport.dial import no_address, no_connection, peer_name, system_reason, tls_failures
from agent.gateway.transport.proxy import Proxy, proxy_refusal


def head_failure(
    error: aiohttp.ClientError | OSError | ValueError, peer: str, proxy: Proxy | None
) -> TransportError:
    """What went wrong before the head, in words that quote nothing of the answer."""
    match error:
        case aiohttp.ClientConnectorError():
            return _connector_failure(error, peer, proxy)
        case aiohttp.ClientHttpProxyError() if proxy is not None:
            return proxy_refusal(proxy, error.status)
        case aiohttp.ConnectionTimeoutError():
            return no_connection(peer, "no answer in time", kind=FailureKind.TIMEOUT)
        case ValueError():  # aiohttp's refusal to build the request; InvalidURL is one
            return TransportError(
                FailureKind.PROTOCOL, f"the request to {peer} cannot be forwarded", sent=False
            )
        case TimeoutError():
            return TransportError(FailureKind.TIMEOUT, f"{peer} did not answer in time", sent=True)
        case aiohttp.ClientResponseError():
            return TransportError(
                FailureKind.PROTOCOL, f"{peer} sent an answer that is not valid HTTP/1.1", sent=True
            )
        case _:
            return TransportError(
                FailureKind.CLOSED, f"{peer} closed the connection without an answer", sent=True
            )


def _connector_failure(error: aiohttp.ClientConnectorError, peer: str, proxy: Proxy | None) -> TransportError:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return no_address(error.host)
        case aiohttp.ClientConnectorCertificateError():
            return _tls_failure(error.certificate_error, peer)
        case aiohttp.ClientConnectorSSLError():
            return _tls_failure(error.os_error, peer)
        case aiohttp.ClientConnectorError(os_error=ConnectionResetError()):
            return _tls_failure(error.os_error, peer)  # connect(2) is past: it would have been refused
        case _:
            where = f"the proxy {peer_name(error.host, error.port or 0)}" if proxy else peer
            return no_connection(where, system_reason(error.os_error))


def _tls_failure(cause: Exception, peer: str) -> TransportError:
    try:
        with tls_failures(peer):
            raise cause
    except TransportError as failure:
        return failure


def body_failure(error: Exception, peer: str) -> TransportError:
    """What went wrong in the body, in words that quote nothing of it."""
    match error:
        case TimeoutError():
            kind, what = FailureKind.TIMEOUT, "stopped in the middle of its answer"
        case _:
            kind, what = FailureKind.CLOSED, "closed the connection in the middle of its answer"
    return TransportError(kind, f"{peer} {what}", sent=True)
