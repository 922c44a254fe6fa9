"""What the mitmproxy addons may ask of us."""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.x509 import Certificate

from agent.model.traffic import Tier

GATEWAY = ("gateway.drawbridge.invalid", 1)
"""The address that stands for the in-process gateway; it is never resolved (RFC 6761: .invalid)."""


class ServerLeaf(Protocol):
    """A leaf certificate with its key and the certificates between it and the root."""

    @property
    def certificate(self) -> Certificate: ...
    @property
    def key(self) -> EllipticCurvePrivateKey: ...
    @property
    def chain(self) -> tuple[Certificate, ...]: ...


class DoorServices(Protocol):
    """Questions about one intercepted connection, by mitmproxy's id of its client side."""

    def tier(self, client_id: str) -> Tier:
        """By which tier the connection is served."""
        ...

    def leaf(self, client_id: str, sni: str) -> ServerLeaf:
        """The certificate to show. Raises HostError for a name outside the device CA's constraints."""
        ...

    def trusted(self, client_id: str) -> None:
        """The client accepted our certificate."""
        ...

    def distrusted(self, client_id: str, error: str) -> None:
        """The TLS handshake with the client failed."""
        ...
