"""Serves the echo over TLS on loopback, in the place of providers, with certificates that are thrown away.

For `drawbridge demo`. It binds 127.0.0.1 and nothing else, and signs with a root that is made at run time and that
only those trust who are given its file.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from agent.host.certificates import LeafIssuer, issue_root, new_key
from agent.host.files import write_atomically

type App = Callable[..., Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A host that is served at `127.0.0.1:port`. `sha256` is the fingerprint of its certificate."""

    host: str
    port: int
    sha256: bytes


class LoopbackOrigins:
    """Hosts on loopback, each with a listener and a certificate. Leaving the `async with` block closes them."""

    def __init__(self, directory: Path) -> None:
        """Make the root. `directory` exists, is private and is thrown away by the caller; it gets the keys. Blocks.

        Raises HostError.
        """
        now = datetime.now(UTC)
        root_key = new_key()
        root = issue_root(root_key, hostname="throw-away", now=now)
        self._key = new_key()
        self._issuer = LeafIssuer(intermediate=root, intermediate_key=root_key, leaf_key=self._key)
        self._directory = directory
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []
        self.ca_file = directory / "origins-root.pem"
        write_atomically(self.ca_file, root.public_bytes(serialization.Encoding.PEM))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
            server.abort_clients()
            await server.wait_closed()

    async def serve(self, host: str, app: App) -> Origin:
        """Serve an ASGI application as `https://host`, on a free port. Raises HostError, OSError."""
        leaf = self._issuer.issue(host, now=datetime.now(UTC))
        config = Config(
            app,
            interface="asgi3",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        config.load()
        context = await asyncio.to_thread(self._context, host, leaf)
        server = await asyncio.get_running_loop().create_server(
            lambda: HttpToolsProtocol(config, self._state, {}), "127.0.0.1", 0, ssl=context
        )
        self._servers.append(server)
        port = int(server.sockets[0].getsockname()[1])
        return Origin(host=host, port=port, sha256=leaf.fingerprint(hashes.SHA256()))

    def _context(self, host: str, leaf: x509.Certificate) -> ssl.SSLContext:
        # The ssl module reads keys from files only.
        file = self._directory / f"origins-{host}.pem"
        key = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_atomically(file, key + leaf.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        file.unlink()
        context.set_alpn_protocols(["http/1.1"])
        return context
