"""Hosts on loopback, over TLS, with certificates that only those trust who were given the root."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from pathlib import Path

import pytest

from agent.gateway.echo import EchoApp
from agent.gateway.echo.service import LoopbackOrigins, Origin


async def peer_certificate(origin: Origin, context: ssl.SSLContext) -> bytes:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", origin.port, ssl=context, server_hostname=origin.host
    )
    writer.write(f"GET /api/hello HTTP/1.1\r\nhost: {origin.host}\r\nconnection: close\r\n\r\n".encode())
    certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()
    return certificate


@pytest.fixture
def origins(tmp_path: Path) -> LoopbackOrigins:
    return LoopbackOrigins(tmp_path)


async def test_each_host_shows_its_own_certificate(origins: LoopbackOrigins) -> None:
    trusting = ssl.create_default_context(cafile=origins.ca_file)
    async with origins:
        for host in ("api.openai.com", "bank.example"):
            origin = await origins.serve(host, EchoApp())
            certificate = await peer_certificate(origin, trusting)
            assert hashlib.sha256(certificate).digest() == origin.sha256


async def test_nobody_else_trusts_them(origins: LoopbackOrigins) -> None:
    async with origins:
        origin = await origins.serve("bank.example", EchoApp())
        with pytest.raises(ssl.SSLCertVerificationError):
            await peer_certificate(origin, ssl.create_default_context())


async def test_a_certificate_is_good_for_its_host_only(origins: LoopbackOrigins) -> None:
    trusting = ssl.create_default_context(cafile=origins.ca_file)
    async with origins:
        origin = await origins.serve("bank.example", EchoApp())
        with pytest.raises(ssl.SSLCertVerificationError):
            await peer_certificate(Origin(host="shop.example", port=origin.port, sha256=b""), trusting)


async def test_when_closed_nobody_listens_and_no_key_is_left(
    origins: LoopbackOrigins, tmp_path: Path
) -> None:
    async with origins:
        origin = await origins.serve("bank.example", EchoApp())
        left = [path.name for path in tmp_path.iterdir()]
    assert left == ["origins-root.pem"]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", origin.port)
