"""Through the company's proxy, and past it for the hosts that it is not for."""

from __future__ import annotations

from typing import cast

from agent.gateway.transport.base import Transport, Tunnel, UpstreamRequest, UpstreamResponse
from agent.gateway.transport.split import SplitTransport
from agent.model.traffic import Target


class Noting:
    """A transport that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def send(self, target: Target, request: UpstreamRequest) -> UpstreamResponse:
        self.asked.append(f"send {target.host}")
        return cast("UpstreamResponse", None)

    async def connect(self, target: Target) -> Tunnel:
        self.asked.append(f"connect {target.host}")
        return cast("Tunnel", None)

    def drop_idle(self) -> None:
        self.asked.append("drop")

    async def aclose(self) -> None:
        self.asked.append("close")


async def test_each_host_goes_its_way() -> None:
    proxied, direct = Noting(), Noting()
    split: Transport = SplitTransport(proxied, direct, lambda host: host == "near")
    request = cast("UpstreamRequest", None)
    await split.send(Target(host="far", port=443, tls=True), request)
    await split.send(Target(host="near", port=443, tls=True), request)
    await split.connect(Target(host="near", port=443, tls=True))
    split.drop_idle()
    await split.aclose()
    assert proxied.asked == ["send far", "drop", "close"]
    assert direct.asked == ["send near", "connect near", "drop", "close"]
