"""What time servers say it is: heard on the way, from those alone whose word is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from agent.gateway.transport.base import Headers, Transport, Tunnel, UpstreamRequest, UpstreamResponse
from agent.gateway.transport.dated import DatedTransport
from agent.model.traffic import Target

SECURE = Target(host="near", port=443, tls=True)
DATE = (b"date", b"Fri, 27 Nov 2026 12:00:00 GMT")
NOON = 1_795_780_800.0


@dataclass
class Answering:
    """A transport whose answers have these headers."""

    headers: Headers = (DATE,)

    async def send(self, target: Target, request: UpstreamRequest) -> UpstreamResponse:
        return cast("UpstreamResponse", self)

    async def connect(self, target: Target) -> Tunnel:
        return cast("Tunnel", target.host)

    def drop_idle(self) -> None:
        self.headers = ()

    async def aclose(self) -> None:
        self.headers = ()


async def heard(*answers: Headers, target: Target = SECURE, seconds: float = 60.0) -> list[float]:
    """What is heard of such answers, so many seconds apart."""
    found: list[float] = []
    now = 100.0
    inner = Answering()
    dated: Transport = DatedTransport(inner, found.append, clock=lambda: now)
    for headers in answers:
        inner.headers = headers
        await dated.send(target, cast("UpstreamRequest", None))
        now += seconds
    return found


async def test_a_server_with_a_good_certificate_is_heard_now_and_then() -> None:
    assert await heard((DATE,)) == [NOON]
    assert await heard((DATE,), (DATE,)) == [NOON, NOON]
    assert await heard((DATE,), (DATE,), seconds=1.0) == [NOON]


@pytest.mark.parametrize(
    "headers",
    [(), ((b"age", b"5"), DATE), ((b"date", b"noon"),), ((b"date", b"\xff"),), ((b"date", b"1" * 999),)],
    ids=["none", "from a cache", "no date", "no text", "long"],
)
async def test_what_says_nothing_sound_is_not_heard(headers: Headers) -> None:
    assert await heard(headers) == []
    assert await heard(headers, (DATE,), seconds=1.0) == [NOON]  # the next one is


async def test_without_tls_anybody_may_have_said_it() -> None:
    assert await heard((DATE,), target=Target(host="near", port=80, tls=False)) == []


async def test_everything_else_passes() -> None:
    dated: Transport = DatedTransport(inner := Answering(), lambda _: None)
    assert cast("str", await dated.connect(SECURE)) == "near"
    dated.drop_idle()
    await dated.aclose()
    assert inner.headers == ()
