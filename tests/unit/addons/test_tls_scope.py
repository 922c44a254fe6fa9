"""The layers of an intercepted connection."""

from __future__ import annotations

import pytest
from mitmproxy.proxy import layer, layers
from mitmproxy.proxy.layers import modes
from mitmproxy.proxy.layers.http import HTTPMode

from addons.tls_scope import TlsScope
from agent.interception.services import GATEWAY
from agent.model.traffic import Tier
from tests.fakes.door import FakeDoor, client_context


def ask(tier: Tier, *, after_tls: bool) -> layer.NextLayer:
    context = client_context()
    modes.TransparentProxy(context)
    if after_tls:
        layers.ClientTLSLayer(context)
    question = layer.NextLayer(context)
    TlsScope(FakeDoor(tier)).next_layer(question)
    return question


@pytest.mark.parametrize(("tier", "pinned"), [(Tier.RELAY, b"http/1.1"), (Tier.HTTP, None)])
def test_tls_is_ended_first_and_the_relay_tier_pins_its_protocol(tier: Tier, pinned: bytes | None) -> None:
    question = ask(tier, after_tls=False)
    assert isinstance(question.layer, layers.ClientTLSLayer)
    assert question.context.client.alpn == pinned


def test_in_the_relay_tier_plain_bytes_go_to_the_gateway_and_are_not_kept() -> None:
    question = ask(Tier.RELAY, after_tls=True)
    assert isinstance(question.layer, layers.TCPLayer)
    assert question.layer.flow is None  # a flow would keep every byte
    assert question.context.server.address == GATEWAY


def test_in_the_http_tier_mitmproxy_reads_http() -> None:
    question = ask(Tier.HTTP, after_tls=True)
    assert isinstance(question.layer, layers.HttpLayer)
    assert question.layer.mode is HTTPMode.transparent
