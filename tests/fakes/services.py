"""Services that checks ask: one in memory, and one on loopback that also misbehaves."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from agent.checks.http import HttpConfig
from agent.checks.ports import CheckError, Failure, HttpAnswer, Piece
from agent.checks.runner import Checks
from agent.inspection.outside import Segment
from agent.inspection.veil import veil
from agent.model.content import Role, Slot, Where
from agent.policy import Policy, load
from agent.policy.checks import Check

type Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEAD = "schema_version: 1\nid: p\n"


def policy_of(*checks: str, more: str = "") -> Policy:
    """A policy with these checks, each a YAML flow mapping."""
    lines = "".join(f"  - {check}\n" for check in checks)
    return load(f"{HEAD}{more}\nchecks:\n{lines}", source="p.yaml")


def check_of(text: str) -> Check:
    """The one check of a YAML flow mapping."""
    return policy_of(text).checks[0]


def piece(text: str, role: Role = Role.USER) -> Piece:
    """A piece as adapters get it."""
    return Piece(role=role, text=text)


def segment(
    text: str, *, where: Where = Where.PROMPT, fresh: bool = True, name: str = "0", role: Role = Role.USER
) -> Segment:
    """A segment in which nothing is private."""
    bare = veil(text, (), kinds=frozenset())
    slot = Slot(address=((name,),), role=role, text=text)
    return Segment(id=name, slot=slot, where=where, fresh=fresh, bare=bare, veiled=bare)


@dataclass(frozen=True)
class Posted:
    """One request as it reached a service."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body's document."""
        document: dict[str, object] = orjson.loads(self.body)
        return document


class FakeHttp:
    """Implements `ports.Http`: answers what it is told to, in order; the last answer again and again."""

    def __init__(self, *answers: object, status: int = 200) -> None:
        self._answers = list(answers)
        self._status = status
        self.posted: list[Posted] = []

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        self.posted.append(Posted(url, dict(headers), body))
        await asyncio.sleep(0)
        answer = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        if isinstance(answer, CheckError):
            raise answer
        data = answer if isinstance(answer, bytes) else orjson.dumps(answer)
        return HttpAnswer(status=self._status, body=data)


class FakeKeys:
    """Implements `ports.Keys`: the key of `env:NAME` is `key-of-NAME`."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    async def read(self, reference: str) -> str:
        if reference == "env:MISSING":
            raise CheckError(Failure.CREDENTIALS, "there is none")
        return secret(reference)

    def forget(self, reference: str) -> None:
        self.forgotten.append(reference)


def secret(reference: str) -> str:
    """The key that a reference leads to in these tests."""
    return f"key-of-{reference.partition(':')[2]}"


@dataclass
class Service:
    """A server on loopback. `reply` says what it does; `posted` what reached it."""

    url: str = ""
    posted: list[Posted] = field(default_factory=list)
    reply: Reply = field(default_factory=lambda: replies({}))

    @property
    def seen(self) -> bytes:
        """Everything that reached it: targets, headers, bodies."""
        return b"\n".join(
            b"\n".join((each.url.encode(), repr(each.headers).encode(), each.body)) for each in self.posted
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note the request and reply."""
        body = await request.read()
        self.posted.append(Posted(str(request.rel_url), dict(request.headers), body))
        return await self.reply(request)


@asynccontextmanager
async def service(tls: ssl.SSLContext | None = None) -> AsyncIterator[Service]:
    """A service that runs meanwhile."""
    made = Service()
    app = web.Application(client_max_size=16 * 2**20)
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}"
    try:
        yield made
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running_checks() -> AsyncIterator[Checks]:
    """The real runner, for services on loopback."""
    checks = Checks(HttpConfig(context=ssl.create_default_context), secret)
    try:
        yield checks
    finally:
        await checks.aclose()


def replies(document: object, status: int = 200) -> Reply:
    """Answer with a JSON document."""

    async def reply(_: web.Request) -> web.StreamResponse:
        return web.Response(body=orjson.dumps(document), status=status, content_type="application/json")

    return reply


def says(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with these bytes."""

    async def reply(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers=headers)

    return reply


async def hangs(_: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.sleep(60)
    return web.Response()


async def floods(request: web.Request) -> web.StreamResponse:
    """Answer without end."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65536)


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """Hang up in the middle of an answer."""
    response = web.StreamResponse(headers={"content-length": "1000"})
    await response.prepare(request)
    await response.write(b'{"findings":')
    assert request.transport is not None
    request.transport.abort()
    return response
