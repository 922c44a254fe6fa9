"""Fake providers on loopback: every AI host at one address, recording what comes, misbehaving when told to.

`Provider` serves an ASGI application (the echo) in full HTTP, in a thread with a loop of its own, for blocking tests
and the programs they start. For bytes exactly as scripted see `raw_provider`.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import zlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import brotli
import zstandard
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from agent.gateway.echo import EchoApp
from tests.fakes.misbehaviour import Behaviour, Exchange, plain
from tests.fakes.tls import Authority

type Message = Mapping[str, object]
type Application = Callable[..., Awaitable[None]]

PROVIDER_HOSTS = (
    "api.openai.com",
    "api.anthropic.com",
    "generativelanguage.googleapis.com",
    "*.openai.azure.com",
    "openrouter.ai",
    "api.groq.com",
    "api.mistral.ai",
    "api.x.ai",
    "chatgpt.com",
    "statsig.anthropic.com",
)
"""Names in the certificate, besides `localhost` and the loopback addresses."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came in. `path` is decoded, `query` and `body` raw; header names are lower case.

    `connection` numbers the connections in order of arrival, `server_name` is the TLS server name. `complete`
    tells that the body came whole, `disconnected` that the client left before it had the whole answer.
    """

    connection: int
    server_name: str
    method: str
    host: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    complete: bool = False
    disconnected: bool = False

    def header(self, name: str) -> str:
        """The first header of that lower-case name, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def decoded(self) -> bytes:
        """The body free of its Content-Encoding."""
        match self.header("content-encoding"):
            case "gzip":
                return zlib.decompress(self.body, wbits=31)
            case "zstd":
                return zstandard.ZstdDecompressor().decompressobj().decompress(self.body)
            case "br":
                return brotli.decompress(self.body)
            case _:
                return self.body


class Endpoint:
    """A listener on loopback in a thread with its own loop."""

    def __init__(
        self, directory: Path, hosts: tuple[str, ...], authority: Authority | None, tls: bool, port: int = 0
    ) -> None:
        self.authority = authority or Authority(directory)
        leaf = self.authority.leaf(*hosts, *_LOOPBACK)
        self.port = port
        self._tls = leaf.server_context() if tls else None
        if self._tls:
            self._tls.sni_callback = _remember_name
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-provider", daemon=True)
        self._changed = threading.Condition()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The origin, for clients that take a base URL."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        """The root certificate that clients must trust."""
        return self.authority.ca_file

    def start(self) -> Self:
        """Listen on 127.0.0.1, on a free port where none was given."""
        self._thread.start()
        self._server = self._call(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def stop(self) -> None:
        """Drop every connection and end the thread. Safe to call twice."""
        if self._loop.is_closed():
            return
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _listen(self) -> asyncio.Server:
        raise NotImplementedError

    async def _close(self) -> None:
        if self._server:
            self._server.close()
            self._server.abort_clients()
            current = asyncio.current_task()
            for task in (tasks := [task for task in asyncio.all_tasks() if task is not current]):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._server.wait_closed()

    def _call[T](self, coroutine: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)

    def _wait(self, reached: Callable[[], bool], timeout: float, what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(reached, timeout):
                raise AssertionError(f"within {timeout} s the provider did not see {what}")


class Provider(Endpoint):
    """Providers' hosts, served by one ASGI application: the echo unless another is given.

    `sockets` serves WebSockets; without it they are requests like any other, which the echo refuses with 426. `script`
    makes chosen paths misbehave. Everything recorded can be read from any thread.
    """

    def __init__(
        self,
        directory: Path,
        *,
        app: Application | None = None,
        sockets: Application | None = None,
        hosts: tuple[str, ...] = PROVIDER_HOSTS,
        authority: Authority | None = None,
        tls: bool = True,
        port: int = 0,
    ) -> None:
        super().__init__(directory, hosts, authority, tls, port)
        self._app = app or EchoApp()
        self._sockets = sockets
        self._received: list[Received] = []
        self._scripts: list[_Script] = []
        self._connections = 0

    def script(self, path: str, behaviour: Behaviour, *, times: int | None = None) -> None:
        """Let requests for `path` meet `behaviour`: the next `times` of them, or all. Oldest first."""
        with self._changed:
            self._scripts.append(_Script(path=path, behaviour=behaviour, left=times))

    def reset(self) -> None:
        """Forget the scripts and what was recorded."""
        with self._changed:
            self._scripts.clear()
            self._received.clear()

    def forget(self) -> None:
        """Forget what was recorded."""
        with self._changed:
            self._received.clear()

    @property
    def requests(self) -> tuple[Received, ...]:
        """All requests so far, in the order in which their heads came."""
        with self._changed:
            return tuple(self._received)

    def bodies(self, path: str | None = None) -> list[bytes]:
        """The raw bodies, of one path or of all."""
        return [one.body for one in self.requests if path in {None, one.path}]

    def saw(self, text: str) -> bool:
        """Whether `text` stands in any body: raw, decoded, or in a JSON string, nested JSON included."""
        return any(contains(one.body, text) or contains(one.decoded, text) for one in self.requests)

    def wait_for_requests(self, count: int, timeout: float = 5.0) -> tuple[Received, ...]:
        """Block until `count` requests came in whole; all requests then. Raises AssertionError."""
        self._wait(
            lambda: sum(one.complete for one in self._received) >= count, timeout, f"{count} whole requests"
        )
        return self.requests

    def wait_for_disconnect(self, timeout: float = 5.0) -> None:
        """Block until a client left before its answer was complete. Raises AssertionError."""
        self._wait(
            lambda: any(one.disconnected for one in self._received), timeout, "a client leave its answer"
        )

    async def _listen(self) -> asyncio.Server:
        config = Config(
            self._serve,
            interface="asgi3",
            log_config=None,
            access_log=False,
            ws="none" if self._sockets is None else "websockets-sansio",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
        )
        config.load()
        state = ServerState()
        return await self._loop.create_server(
            lambda: _Protocol(config=config, server_state=state, app_state={"number": self._number()}),
            host="127.0.0.1",
            port=self.port,
            ssl=self._tls,
            ssl_shutdown_timeout=1.0 if self._tls else None,
        )

    def _number(self) -> int:
        self._connections += 1
        return self._connections

    async def _serve(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: object) -> None:
        """Record the request, then answer as the scripts say."""
        place = self._record(scope)
        if scope["type"] == "websocket":
            assert self._sockets is not None
            self._amend(place, complete=True)
            await self._sockets(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self._amend(place, body=bytes(body), disconnected=True)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        exchange = Exchange(scope=scope, body=bytes(body), send=send, app=self._app)
        self._amend(place, body=bytes(body), complete=True)
        watch = asyncio.create_task(exchange.watch(receive))
        try:
            await self._behaviour(str(scope["path"]))(exchange)
        finally:
            if exchange.gone.is_set():
                self._amend(place, disconnected=True)
            watch.cancel()

    def _record(self, scope: Message) -> int:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        received = Received(
            connection=scope["state"]["number"],
            server_name=_name_of(scope["transport"]) if "transport" in scope else "",
            method=scope.get("method", "GET"),
            host=dict(headers).get("host", ""),
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
        )
        with self._changed:
            self._received.append(received)
            return len(self._received) - 1

    def _amend(self, place: int, **changes: object) -> None:
        with self._changed:
            if place < len(self._received):
                self._received[place] = replace(self._received[place], **changes)
            self._changed.notify_all()

    def _behaviour(self, path: str) -> Behaviour:
        with self._changed:
            for script in self._scripts:
                if script.path == path and script.left != 0:
                    if script.left is not None:
                        script.left -= 1
                    return script.behaviour
        return plain


@dataclass(slots=True, kw_only=True)
class _Script:
    path: str
    behaviour: Behaviour
    left: int | None


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol; the transport goes along, for behaviours that break connections."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["transport"] = self.transport

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing to warn of: the application refuses upgrades itself."""


def contains(body: bytes, text: str) -> bool:
    """Whether `text` stands in `body`, raw or in a JSON string, JSON inside a string included."""
    return text.encode(errors="surrogatepass") in body or any(text in one for one in _strings(body))


def _strings(source: bytes | str, depth: int = 5) -> Iterator[str]:
    try:
        value = json.loads(source)
    except (ValueError, RecursionError):
        return
    waiting = [value]
    while waiting:
        match waiting.pop():
            case dict() as fields:
                waiting += fields
                waiting += fields.values()
            case list() as items:
                waiting += items
            case str() as text:
                yield text
                if depth:
                    yield from _strings(text, depth - 1)


def _remember_name(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
    connection.asked_name = name or ""


def _name_of(transport: asyncio.Transport) -> str:
    return getattr(transport.get_extra_info("ssl_object"), "asked_name", "")
