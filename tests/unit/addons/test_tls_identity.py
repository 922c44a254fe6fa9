"""The TLS server towards the client."""

from __future__ import annotations

import logging
import ssl

import pytest
from mitmproxy import tls
from OpenSSL import SSL

from addons.tls_identity import TlsIdentity
from tests.fakes.door import FakeDoor, client_context, handshake, self_signed

LEAF = self_signed("api.openai.com")


def start(addon: TlsIdentity, *, sni: str = "api.openai.com", alpn: bytes | None = None) -> tls.TlsData:
    context = client_context(sni, alpn)
    data = tls.TlsData(context.client, context)
    addon.tls_start_client(data)
    return data


@pytest.mark.parametrize(
    ("pinned", "offers", "chosen"),
    [
        (b"http/1.1", ("h2", "http/1.1"), "http/1.1"),
        (b"http/1.1", ("h2",), None),
        (b"http/1.1", (), None),
        (None, ("h2", "http/1.1"), "h2"),
        (None, ("http/1.1", "h2"), "http/1.1"),
        (None, ("spdy/3",), None),
    ],
)
def test_the_relay_tier_speaks_http1_and_the_http_tier_what_the_client_prefers(
    pinned: bytes | None, offers: tuple[str, ...], chosen: str | None
) -> None:
    data = start(TlsIdentity(FakeDoor(leaf=LEAF)), alpn=pinned)
    assert data.ssl_conn is not None
    assert handshake(data.ssl_conn, offers).selected_alpn_protocol() == chosen


def test_the_leaf_is_asked_for_by_the_name_in_the_hello() -> None:
    door = FakeDoor(leaf=LEAF)
    data = start(TlsIdentity(door), sni="x.openai.azure.com")
    assert door.asked == [(data.context.client.id, "x.openai.azure.com")]
    assert isinstance(data.ssl_conn, SSL.Connection)
    assert data.ssl_conn.get_certificate().get_serial_number() == LEAF.certificate.serial_number


def test_a_name_without_a_certificate_gets_no_connection(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert start(TlsIdentity(FakeDoor())).ssl_conn is None
    assert caplog.messages == ["no certificate"]


def test_connections_share_a_context_until_the_chain_changes() -> None:
    door = FakeDoor(leaf=LEAF)
    addon = TlsIdentity(door)
    contexts = [start(addon).ssl_conn.get_context() for _ in range(2)]  # type: ignore[union-attr]
    assert contexts[0] is contexts[1]
    door.shown = self_signed("other.example")
    assert start(addon).ssl_conn.get_context() is not contexts[0]  # type: ignore[union-attr]


def test_versions_before_tls_1_2_are_not_spoken() -> None:
    addon = TlsIdentity(FakeDoor(leaf=LEAF))
    assert handshake(start(addon).ssl_conn, at_most=ssl.TLSVersion.TLSv1_2).version() == "TLSv1.2"
    with pytest.raises(SSL.Error, match="unsupported protocol"):
        handshake(start(addon).ssl_conn, at_most=ssl.TLSVersion.TLSv1_1)


def test_who_takes_the_certificate_and_who_does_not_is_told() -> None:
    door = FakeDoor(leaf=LEAF)
    addon = TlsIdentity(door)
    context = client_context()
    data = tls.TlsData(context.client, context)
    addon.tls_established_client(data)
    data.conn.error = "The client does not trust the proxy's certificate."
    addon.tls_failed_client(data)
    assert [report for report, _ in door.reports] == ["trusted", data.conn.error]
    assert {client_id for _, client_id in door.reports} == {context.client.id}
