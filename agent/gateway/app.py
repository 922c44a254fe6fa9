"""The gateway's ASGI application: hands each request to the exchange handler, or to the local pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from agent.gateway.asking import Asking
from agent.gateway.exchange import ExchangeHandler
from agent.gateway.local import LocalPages
from agent.gateway.server import ClientLink
from agent.gateway.wire import ClientRequest, Message, Receive, Send, Wire
from agent.model.traffic import Connection, Tier


class Watch(Protocol):
    """Makes a context for the time that an exchange runs."""

    def __call__(
        self, connection: Connection, *, path: str, answering: Callable[[], bool]
    ) -> AbstractContextManager[object]:
        """`answering` tells whether the answer has begun."""
        ...


def _unwatched(
    connection: Connection, *, path: str, answering: Callable[[], bool]
) -> AbstractContextManager[object]:
    del connection, path, answering
    return nullcontext()


class GatewayApp:
    """One callable for every door."""

    def __init__(
        self,
        exchanges: ExchangeHandler,
        pages: LocalPages,
        watch: Watch = _unwatched,
        asking: Asking | None = None,
    ) -> None:
        """`watch` is told of every exchange that runs; `asking` finds the programs behind connections."""
        self._exchanges = exchanges
        self._pages = pages
        self._watch = watch
        self._asking = asking

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """https://asgi.readthedocs.io/en/latest/specs/www.html"""
        link: ClientLink = scope["state"]["link"]
        fields = tuple(scope["headers"])
        query: bytes = scope["query_string"]
        wire = Wire(receive, send, link.in_one_piece)
        if link.connection.tier is Tier.BASE_URL:
            if problem := self._pages.refuses(fields, scope["server"][1]):
                await wire.answer(403, ((b"content-type", b"text/plain; charset=utf-8"),), problem.encode())
                return
            if (page := await self._pages.serve(scope["path"], query, fields)) is not None:
                await wire.answer(*page)
                return
        if self._asking is not None:
            link.connection = await self._asking.identified(link.connection, scope["server"])
        request = ClientRequest(
            connection=link.connection,
            method=scope["method"],
            target=scope["raw_path"] + b"?" + query if query else scope["raw_path"],
            headers=fields,
            memory=link.memory,
        )
        task = asyncio.current_task()
        link.on_lost = task.cancel if task is not None else None
        try:
            with self._watch(link.connection, path=scope["path"], answering=lambda: wire.started):
                whole = await self._exchanges.handle(request, wire)
        finally:
            link.on_lost = None
        if not whole:
            link.abort()
            await asyncio.sleep(0)  # until uvicorn has heard of it: it logs an unfinished answer as an error
