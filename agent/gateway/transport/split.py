"""Two transports as one: through the company's proxy, and past it for the hosts that it is not for."""

from __future__ import annotations

from collections.abc import Callable

from agent.gateway.transport.base import Transport, Tunnel, UpstreamRequest, UpstreamResponse
from agent.model.traffic import Target


class SplitTransport:
    """`base.Transport`; `is_direct` says which hosts are reached without the proxy."""

    def __init__(self, proxied: Transport, direct: Transport, is_direct: Callable[[str], bool]) -> None:
        self._proxied = proxied
        self._direct = direct
        self._is_direct = is_direct

    async def send(self, target: Target, request: UpstreamRequest) -> UpstreamResponse:
        """See `base.Transport`."""
        return await self._towards(target).send(target, request)

    async def connect(self, target: Target) -> Tunnel:
        """See `base.Transport`."""
        return await self._towards(target).connect(target)

    def drop_idle(self) -> None:
        """See `base.Transport`."""
        self._proxied.drop_idle()
        self._direct.drop_idle()

    async def aclose(self) -> None:
        """See `base.Transport`."""
        await self._proxied.aclose()
        await self._direct.aclose()

    def _towards(self, target: Target) -> Transport:
        return self._direct if self._is_direct(target.host) else self._proxied
