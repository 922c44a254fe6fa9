"""The mitmproxy addons: thin hooks without any guard logic. An exception in a hook forwards the request, so nothing
that must hold is decided here; the gateway decides."""

from __future__ import annotations

from addons.http_tier import HttpTier
from addons.tls_identity import TlsIdentity
from addons.tls_scope import TlsScope
from agent.interception.services import DoorServices

__all__ = ["build_addons"]


def build_addons(services: DoorServices) -> tuple[object, ...]:
    """Our addons, in hook order."""
    return (TlsScope(services), TlsIdentity(services), HttpTier())
