"""One try: what is sent, and what is made of what comes back."""

from __future__ import annotations

import asyncio
import gzip
import time
from dataclasses import replace

import pytest

from agent.gateway.dispatch.ports import Prepared
from agent.gateway.dispatch.trial import Committed, Setback, Trial
from agent.gateway.transport.base import FailureKind, Headers, TransportError, UpstreamRequest
from agent.model.traffic import Target
from agent.routing.attempts import Try
from agent.routing.failures import Cause
from agent.routing.health import HealthBook
from agent.routing.plan import Candidate, KeyRef
from tests.fakes.dispatch import START, ToyCredentials, ToyOrder, ToySource, read, said
from tests.fakes.routes import candidate, plan
from tests.fakes.upstream import SSE, FakeResponse, FakeTransport

TARGET = Target(host="a.test", base_path="/base")
ATTEMPT = Try(candidate("a", target=TARGET), KeyRef(name="k"), 1, 0)


async def run(
    *answers: FakeResponse | TransportError, order: ToyOrder | None = None
) -> tuple[Committed | Setback, FakeTransport, HealthBook]:
    transport, health, now = FakeTransport(*answers), HealthBook(), [0.0]

    def clock() -> float:
        now[0] += 0.25
        return now[0]

    trial = Trial(transport, ToyCredentials(), health, clock=clock, wall=lambda: 0.0)
    outcome = await trial.run(order or ToyOrder(plan(ATTEMPT.candidate)), ATTEMPT, first_token=None)
    return outcome, transport, health


async def test_the_request_is_signed_in_place_of_the_clients_credential() -> None:
    outcome, transport, _ = await run(FakeResponse(said("x"), headers=SSE))
    assert isinstance(outcome, Committed)
    asked = transport.asked[0]
    assert (asked.target, asked.request.method, asked.request.target) == (TARGET, b"POST", b"/base/v1/chat")
    assert asked.request.headers == (
        (b"host", b"a.test"),
        (b"content-type", b"application/json"),
        (b"authorization", b"Bearer k"),
    )
    assert asked.body == b'{"model":"m"}'
    await outcome.response.aclose()


async def test_a_host_that_is_prepared_stays() -> None:
    class Order(ToyOrder):
        def prepare(self, candidate: Candidate) -> Prepared:
            fields: Headers = ((b"host", b"signed.test"),)
            return Prepared(target=TARGET, path=b"/", body=b"", headers=fields, source=ToySource())

    outcome, transport, _ = await run(
        FakeResponse(said("x"), headers=SSE), order=Order(plan(ATTEMPT.candidate))
    )
    assert isinstance(outcome, Committed)
    assert transport.asked[0].header(b"host") == b"signed.test"
    await outcome.response.aclose()


async def test_a_job_is_sent_in_a_form_that_the_transport_cannot_repeat() -> None:
    order = ToyOrder(plan(ATTEMPT.candidate), repeatable=False, stream=False)
    outcome, transport, _ = await run(FakeResponse(b"{}"), order=order)
    assert isinstance(outcome, Committed)
    assert not isinstance(transport.asked[0].request.body, bytes)
    assert transport.asked[0].body == b'{"model":"m"}'
    assert transport.asked[0].request.content_length == 13
    assert await read(outcome.response) == b"{}"


async def test_health_hears_of_the_first_content_and_of_the_speed() -> None:
    pieces = [START, *[said(str(number)) for number in range(10)]]
    outcome, _, health = await run(FakeResponse(*pieces, headers=SSE))
    assert isinstance(outcome, Committed)
    assert outcome.first_token_ms == outcome.ms > 0
    assert await read(outcome.response) == b"".join(pieces)
    _, route = health.snapshot(1.0)
    assert route.first_token_ms == pytest.approx(outcome.ms, rel=0.01)
    assert route.chunks_per_second > 0
    assert route.running == 0


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        (FailureKind.DNS, Cause.DNS),
        (FailureKind.CONNECT, Cause.CONNECT),
        (FailureKind.TLS, Cause.TLS),
        (FailureKind.TIMEOUT, Cause.TIMEOUT),
        (FailureKind.PROTOCOL, Cause.PROTOCOL),
        (FailureKind.CLOSED, Cause.CLOSED),
    ],
)
async def test_what_the_transport_meets_has_a_class(kind: FailureKind, cause: Cause) -> None:
    outcome, _, health = await run(TransportError(kind, "a.test is odd", sent=False))
    assert isinstance(outcome, Setback)
    assert (outcome.failure.cause, outcome.sent) == (cause, False)
    assert "a.test is odd" in outcome.failure.message
    assert health.score(("a", "k", "m"), 1.0) < 1.0


async def test_errors_are_read_even_where_they_are_compressed_or_cut() -> None:
    body = gzip.compress(b'{"error":{"code":"insufficient_quota"}}')
    packed = FakeResponse(body, status=429, headers=((b"content-encoding", b"gzip"),))
    outcome, _, _ = await run(packed)
    assert isinstance(outcome, Setback)
    assert outcome.failure.cause is Cause.CREDENTIALS
    assert packed.closed
    lost = TransportError(FailureKind.CLOSED, "lost", sent=True)
    for head in ((), ((b"content-encoding", b"gzip"),)):
        outcome, _, _ = await run(FakeResponse(b"{", lost, status=429, headers=head))
        assert isinstance(outcome, Setback)
        assert outcome.failure.cause is Cause.RATE_LIMITED


async def test_a_provider_that_does_not_answer_in_time_has_failed() -> None:
    class Silent(FakeTransport):
        async def send(self, target: Target, request: UpstreamRequest) -> FakeResponse:
            await asyncio.Event().wait()
            raise AssertionError

    class Order(ToyOrder):
        def prepare(self, candidate: Candidate) -> Prepared:
            return replace(super().prepare(candidate), silence=0.01)

    trial = Trial(Silent(), ToyCredentials(), HealthBook(), clock=time.monotonic, wall=time.time)
    outcome = await trial.run(Order(plan(ATTEMPT.candidate)), ATTEMPT, first_token=30.0)
    assert isinstance(outcome, Setback)
    assert (outcome.failure.cause, outcome.sent) == (Cause.TIMEOUT, True)
