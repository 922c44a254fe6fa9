"""A keeper of the front door that decides by a table and notes what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.interception.clienthello import ClientHello
from agent.interception.request_head import ProxyHead
from agent.interception.scope import Passage, Way


class FakeKeeper:
    """Implements `Keeper`. Hosts in `ours` are known and intercepted, unless `verdict` says otherwise."""

    def __init__(self, *ours: str) -> None:
        self.ours = set(ours)
        self.verdict: Callable[[ProxyHead, ClientHello | None], Passage] | None = None
        self.asked: list[tuple[str, ClientHello | None]] = []
        self.refusals: list[Passage] = []
        self.served: list[ProxyHead] = []
        self.strangers: list[tuple[str, ClientHello | None]] = []

    def known(self, host: str) -> bool:
        return host in self.ours

    async def judge(self, head: ProxyHead, hello: ClientHello | None, peer: tuple[str, int]) -> Passage:
        assert peer[0] == "127.0.0.1"
        self.asked.append((head.host, hello))
        await asyncio.sleep(0)
        if self.verdict is not None:
            return self.verdict(head, hello)
        if head.host not in self.ours:
            return Passage(way=Way.TUNNEL)
        return Passage(way=Way.INTERCEPT if hello is not None else Way.REFUSE, reason="plain bytes")

    async def intercept(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        head: ProxyHead,
        hello: ClientHello,
        passage: Passage,
    ) -> None:
        """Says what it read, the hello included, until the client ends."""
        self.served.append(head)
        try:
            while data := await reader.read(65536):
                writer.write(b"got:" + data)
                await writer.drain()
        finally:
            writer.close()

    def tunnelled(self, head: ProxyHead, hello: ClientHello | None, peer: tuple[str, int]) -> None:
        assert peer[0] == "127.0.0.1"
        self.strangers.append((head.host, hello))

    async def refused(self, head: ProxyHead, passage: Passage, peer: tuple[str, int]) -> None:
        self.refusals.append(passage)

    def pac(self) -> str:
        return "function FindProxyForURL() {}"
