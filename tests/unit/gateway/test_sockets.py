"""Inspected WebSockets: frames, the handshake, the turns of a connection, and how connections begin and end."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.frames import Opcode as TheirKind
from websockets.protocol import OPEN, SERVER, Protocol

from agent.accounts.accounts import Accounts
from agent.accounts.local import LocalStore
from agent.dialects.base import RequestHead
from agent.dialects.sockets import SOCKETS
from agent.gateway.direct import Direct
from agent.gateway.routing import Route, route_intercepted
from agent.gateway.sockets import handshake
from agent.gateway.sockets.connection import SocketConnection
from agent.gateway.sockets.frames import (
    CloseCode,
    Kind,
    Message,
    MessageReader,
    close,
    frame,
    masked,
)
from agent.gateway.sockets.service import Sockets
from agent.gateway.sockets.surroundings import Room, Surroundings
from agent.gateway.transport.base import FailureKind, Headers, TransportError, Tunnel
from agent.gateway.upgrade import UpgradeHandler
from agent.gateway.wire import ClientRequest
from agent.inspection import RuleBook
from agent.model.app import Evidence
from agent.model.device import Device
from agent.model.record import Exchange, Outcome
from agent.model.traffic import Connection, Process, Tier
from tests.fakes.loopback import until
from tests.fakes.rulebooks import BOMB, TOY, rule_book, toy_policy
from tests.unit.gateway.conftest import Gateway, policy

MASK = b"\x01\x02\x03\x04"
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 section 1.3
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
REDACTED = "[REDACTED:toy]"
UPGRADE: Headers = (
    (b"connection", b"Upgrade"),
    (b"upgrade", b"websocket"),
    (b"sec-websocket-key", KEY),
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-extensions", b"permessage-deflate"),
    (b"authorization", b"Bearer own"),
    (b"proxy-authorization", b"hop"),
)
AGREED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\nx-models-etag: e1\r\n\r\n"
)


CENTRAL = """
upstream: {route: central, central: {base_url: 'https://hub.example/v', virtual_key: 'env:HUB_KEY'}}
"""
AWAY = CENTRAL.replace("}}", ", when_away: native}}")
PROVIDER = """
providers:
  openai: {key: 'env:OPENAI_KEY'}
"""
KEYED = """
accounts:
  virtual_keys:
    - {id: team, limits: {requests_per_minute: 1}}
  bindings: [{key: team}]
"""
LAX = "schema_version: 1\nid: lax\n"


@pytest.fixture(autouse=True, scope="module")
def compiled() -> None:
    """Compiled here: not in the loop."""
    for text in (LAX, *(toy_policy(more) for more in (CENTRAL, AWAY, PROVIDER, KEYED))):
        rule_book(text)


# Frames

messages = st.lists(
    st.tuples(st.sampled_from((Kind.TEXT, Kind.BINARY)), st.binary(max_size=300)), min_size=1, max_size=5
)


def in_frames(spoken: Iterable[tuple[Kind, bytes]], pick: Callable[[int], int], *, mask: bytes) -> bytes:
    """The messages in fragments, with pings in between, as another library writes frames."""
    raw = b""
    for kind, data in spoken:
        cuts = sorted({0, len(data), *(pick(len(data)) for _ in range(2))})
        pieces = [data[a:b] for a, b in pairwise(cuts)] or [b""]
        for place, piece in enumerate(pieces):
            opcode = TheirKind(kind) if place == 0 else TheirKind.CONT
            raw += theirs(opcode, piece, mask=mask, final=place + 1 == len(pieces))
            raw += theirs(TheirKind.PING, b"?", mask=mask)
    return raw


def theirs(opcode: Opcode, data: bytes, *, mask: bytes, final: bool = True) -> bytes:
    return Frame(opcode, data, fin=final).serialize(mask=bool(mask))


@given(messages, st.data(), st.booleans())
def test_any_fragments_and_chunks_give_the_same_messages(
    spoken: list[tuple[Kind, bytes]],
    data: st.DataObject,
    client: bool,
) -> None:
    raw = in_frames(spoken, lambda size: data.draw(st.integers(0, size)), mask=MASK if client else b"")
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=6)))
    reader = MessageReader(masked=client)
    found: list[Message] = []
    for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        found += reader.feed(raw[a:b])
    assert [(each.kind, each.data) for each in found if not each.kind.controls] == spoken
    assert sorted(b"".join(each.raw for each in found)) == sorted(raw)  # no byte is lost, pings move forward
    assert (reader.failure, reader.held) == (None, 0)


@given(st.sampled_from((Kind.TEXT, Kind.BINARY, Kind.PING)), st.integers(0, 70_000), st.booleans())
@settings(max_examples=30)
def test_what_is_written_is_read_by_another_library(kind: Kind, size: int, client: bool) -> None:
    data = bytes(size if kind is not Kind.PING else size % 126)
    parser = Frame.parse(_reading(frame(kind, data, mask=MASK if client else b"")), mask=client)
    with pytest.raises(StopIteration) as ended:
        next(parser)
    assert (ended.value.value.opcode, ended.value.value.data) == (TheirKind(kind), data)


def _reading(raw: bytes) -> Callable[[int], object]:
    rest = bytearray(raw)

    def exactly(count: int) -> object:
        piece = bytes(rest[:count])
        del rest[:count]
        return piece
        yield

    return exactly  # type: ignore[return-value]


@given(st.binary(max_size=100), st.binary(min_size=4, max_size=4))
def test_a_mask_taken_off_gives_what_it_was_put_on(payload: bytes, key: bytes) -> None:
    assert masked(masked(payload, key), key) == payload


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\xc1\x00", CloseCode.PROTOCOL_ERROR),  # compressed, which nobody agreed on
        (b"\x81\x81aaaab", CloseCode.PROTOCOL_ERROR),  # masked by a server
        (b"\x83\x00", CloseCode.PROTOCOL_ERROR),  # an opcode of the future
        (b"\x09\x00", CloseCode.PROTOCOL_ERROR),  # half a ping
        (b"\x89\x7e\x00\x80", CloseCode.PROTOCOL_ERROR),  # a long ping
        (b"\x80\x00", CloseCode.PROTOCOL_ERROR),  # the rest of nothing
        (b"\x01\x00\x81\x00", CloseCode.PROTOCOL_ERROR),  # a message in the middle of another
        (b"\x81\x7f\x00\x00\x00\x00\x7f\x00\x00\x00", CloseCode.TOO_BIG),
        (b"\x01\x7e\x7f\xff" + bytes(0x7FFF) + b"\x80\x7e\x7f\xff", CloseCode.TOO_BIG),
    ],
)
def test_what_is_no_frame_ends_the_stream_and_what_came_before_counts(raw: bytes, code: CloseCode) -> None:
    reader = MessageReader(masked=False, limit=0xA000)
    assert [each.data for each in reader.feed(b"\x81\x02hi" + raw)] == [b"hi"]
    assert reader.failure is not None
    assert reader.failure.code is code
    assert reader.feed(b"\x81\x02hi") == []


def test_a_close_frame_keeps_its_limit() -> None:
    raw = close(CloseCode.GOING_AWAY, "é" * 100)
    protocol = Protocol(SERVER, state=OPEN)
    protocol.receive_data(close(CloseCode.GOING_AWAY, "é" * 100, mask=MASK))
    assert protocol.close_rcvd is not None
    assert protocol.close_rcvd.code == 1001
    assert protocol.close_rcvd.reason.startswith("éé")
    assert len(raw) <= 127


# The handshake


class Saying:
    """A tunnel that says what it is told to; `said` is what was written to it."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        for piece in pieces:
            self._pieces.put_nowait(piece)
        self.said = b""
        self.closed = False

    def say(self, data: bytes) -> None:
        self._pieces.put_nowait(data)

    def end(self) -> None:
        self._pieces.put_nowait(b"")

    async def read(self) -> bytes:
        return await self._pieces.get()

    async def write(self, data: bytes) -> None:
        self.said += data

    async def aclose(self) -> None:
        self.closed = True
        self.end()


async def opened(*pieces: bytes) -> handshake.Opened:
    tunnel: Tunnel = Saying(*pieces)
    return await handshake.read_answer(tunnel, KEY, peer="api.openai.com")


async def test_an_agreement_is_read_however_it_is_cut() -> None:
    for size in (1, 7, 1000):
        raw = AGREED + b"\x81\x02hi"
        found = await opened(*(raw[at : at + size] for at in range(0, len(AGREED), size)))
        assert found.status == 101
        assert dict(found.headers)[b"x-models-etag"] == b"e1"
        assert b"\x81\x02hi".startswith(found.rest)
    assert b"x-models-etag: e1\r\n" in handshake.agreement(found)


async def test_another_answer_is_handed_on_whole() -> None:
    found = await opened(
        b"HTTP/1.1 429 Slow\r\nRetry-After: 9\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno ",
        b"\r\n4\r\nroom\r\n0\r\n\r\n",
    )
    assert (found.status, found.rest) == (429, b"no room")
    said = handshake.declined(found)
    assert said.startswith(b"HTTP/1.1 429 Declined\r\nretry-after: 9\r\ncontent-length: 7\r\n")
    assert said.endswith(b"\r\n\r\nno room")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (AGREED.replace(ACCEPT, b"another"), "accepted another request"),
        (AGREED.replace(b"Upgrade: websocket", b"Upgrade: h2c"), "another protocol"),
        (AGREED.replace(b"x-models-etag: e1", b"Sec-WebSocket-Extensions: x"), "extension"),
        (AGREED.replace(b"x-models-etag: e1", b"x models: e1\r\n y"), "malformed"),
        (b"SSH-2.0-x\r\n\r\n", "not valid HTTP/1.1"),
        (b"", "closed the connection"),
        (b"HTTP/1.1 101 x\r\n" + b"a: b\r\n" * 20_000, "no end"),
    ],
)
async def test_what_is_no_answer_is_an_error_of_the_service(raw: bytes, reason: str) -> None:
    with pytest.raises(TransportError, match=reason):
        await opened(raw, b"")


def test_keys_that_pages_put_among_the_subprotocols_are_taken_out() -> None:
    fields = [(b"sec-websocket-protocol", b"realtime, openai-insecure-api-key.abc, v1"), (b"a", b"b")]
    assert handshake.without_keys(fields) == [(b"sec-websocket-protocol", b"realtime, v1"), (b"a", b"b")]


# A connection


class Client:
    """The client's side: a transport for the writer, and a parser of somebody else's for what it gets."""

    def __init__(self) -> None:
        self.reader = asyncio.StreamReader()
        self.got = b""
        self.closed = False

    # StreamWriter, as far as connections use it

    def write(self, data: bytes) -> None:
        self.got += data

    async def drain(self) -> None:
        await asyncio.sleep(0)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    async def wait_closed(self) -> None:
        pass

    # What a test does and sees

    def say(self, message: object, *, kind: Kind = Kind.TEXT) -> None:
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.reader.feed_data(frame(kind, data, mask=MASK))

    @property
    def messages(self) -> list[Message]:
        reader = MessageReader(masked=False)
        found = reader.feed(self.got)
        assert reader.failure is None
        return found

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(each.data) for each in self.messages if not each.kind.controls]

    @property
    def closes(self) -> list[int]:
        return [int.from_bytes(each.data[:2]) for each in self.messages if each.kind is Kind.CLOSE]

    def text(self) -> str:
        return "".join(str(each["delta"]) for each in self.events if str(each["type"]).endswith(".delta"))


class House:
    """One connection between a client and a service in memory, with a real exchange handler."""

    def __init__(
        self, gateway: Gateway, path: str, *, host: str = "api.openai.com", room: int = 1 << 20
    ) -> None:
        self.gateway = gateway
        self.client = Client()
        self.upstream = Saying()
        self.path, self.host = path, host
        self.around = Surroundings(
            exchanges=gateway.handler,
            asking=gateway.asking,
            policy=gateway.policy,
            scans=gateway.scans,
            watch=lambda connection, *, path, answering: nullcontext(),
            room=Room(room),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SocketConnection]:
        """The connection, carried meanwhile."""
        facts = Connection(id="c", tier=Tier.RELAY, connect_host=self.host, connect_port=443, sni=self.host)
        request = ClientRequest(
            connection=facts,
            method="GET",
            target=self.path.encode(),
            headers=((b"host", self.host.encode()), *UPGRADE),
        )
        route = route_intercepted(self.gateway.policy.rules, facts, request.headers, request.target)
        assert isinstance(route, Route)
        assert route.endpoint is not None
        socket = SOCKETS[route.endpoint.socket]
        connection = SocketConnection(
            self.around,
            request,
            route,
            socket,
            socket.session(RequestHead(method="GET", path=route.plain_path, query=route.query.decode())),
            reader=self.client.reader,
            writer=self.client,  # type: ignore[arg-type]
            upstream=self.upstream,
        )
        self.task = asyncio.create_task(connection.run(b""))
        try:
            yield connection
        finally:
            self.client.reader.feed_eof()
            await asyncio.wait_for(self.task, 10)

    def says(self, *events: object) -> None:
        """The service's messages."""
        for event in events:
            self.upstream.say(frame(Kind.TEXT, json.dumps(event).encode()))

    @property
    def heard(self) -> list[dict[str, object]]:
        """What the service got."""
        reader = MessageReader(masked=True)
        return [json.loads(each.data) for each in reader.feed(self.upstream.said) if not each.kind.controls]

    @property
    def exchanges(self) -> list[Exchange]:
        return self.gateway.audit.exchanges


def create(text: str, **more: object) -> dict[str, object]:
    return {"type": "response.create", "model": "gpt-5", "input": text, **more}


def delta(text: str, item: int = 0) -> dict[str, object]:
    return {"type": "response.output_text.delta", "item_id": "m", "output_index": item, "delta": text}


def completed(tokens: int = 7) -> dict[str, object]:
    usage = {"input_tokens": tokens, "output_tokens": 2}
    response = {"id": "r", "status": "completed", "model": "gpt-5-x", "output": [], "usage": usage}
    return {"type": "response.completed", "response": response}


@pytest.fixture
def house(gateway: Gateway) -> House:
    return House(gateway, "/v1/responses")


async def test_a_turn_is_one_exchange_with_its_usage(house: House) -> None:
    async with house.running():
        house.client.say(create(f"a {TOY} b"))
        await until(lambda: len(house.heard) == 1)
        assert house.heard == [create(f"a {REDACTED} b")]
        house.says(delta("hel"), delta("lo"), completed())
        await until(lambda: len(house.client.events) == 3)
    [event] = house.exchanges
    assert (event.outcome, event.status, event.model, event.dialect) == (
        Outcome.COMPLETED,
        101,
        "gpt-5",
        "openai-responses",
    )
    assert (event.usage.input_tokens, event.answer_model, event.finish_reason) == (7, "gpt-5-x", "completed")
    assert (event.timing.chunks, event.stream) == (3, True)
    assert event.decision.action.word == "redact"


async def test_a_connection_that_has_ended_is_not_kept_by_its_turns(house: House) -> None:
    gc.disable()
    try:
        async with house.running() as connection:
            house.client.say(create("hello"))
            await until(lambda: len(house.heard) == 1)
            house.says(completed())
            await until(lambda: len(house.client.events) == 1)
        kept = weakref.ref(connection)
        del connection, house.task
        await until(lambda: kept() is None)
    finally:
        gc.enable()


async def test_the_record_is_kept_before_the_client_has_the_last_message(house: House) -> None:
    seen: list[int] = []
    house.gateway.audit.durable = lambda event: seen.append(len(house.client.events))
    async with house.running():
        house.client.say(create("hello"))
        await until(lambda: bool(house.heard))
        house.says(delta("a"), completed())
        await until(lambda: len(house.client.events) == 2)
        house.client.say(create(BOMB))
        await until(lambda: len(house.client.events) == 3)
    assert [seen[0] < 2, seen[1]] == [True, 2]


async def test_a_message_that_needs_no_change_keeps_its_bytes_and_its_mask(house: House) -> None:
    raw = frame(Kind.TEXT, b'{"input" :"hi",  "type":"response.create"}', mask=b"\xff\x00\xfe\x01")
    async with house.running():
        house.client.reader.feed_data(raw)
        await until(lambda: bool(house.upstream.said))
    assert house.upstream.said == raw


async def test_one_that_was_changed_has_a_mask_of_ours(house: House) -> None:
    async with house.running():
        house.client.say(create(TOY))
        await until(lambda: bool(house.heard))
    assert MASK not in house.upstream.said[:12]


@pytest.mark.parametrize("pieces", [1, 3, 17])
async def test_a_finding_split_over_messages_of_an_answer_is_taken_out(house: House, pieces: int) -> None:
    said = f"see {TOY} there"
    async with house.running():
        house.client.say(create("hello"))
        await until(lambda: bool(house.heard))
        house.says(*(delta(said[at : at + pieces]) for at in range(0, len(said), pieces)), completed())
        await until(lambda: house.client.events[-1:] == [completed()])
    assert house.client.text() == f"see {REDACTED} there"


async def test_an_answer_that_is_stopped_is_swallowed_to_its_end(house: House) -> None:
    async with house.running():
        house.client.say(create("hello"))
        await until(lambda: bool(house.heard))
        house.says(delta(f"x {BOMB} y"), delta("z"))
        await until(lambda: bool(house.client.events))
        house.client.say(create("and now"))
        await asyncio.sleep(0.05)
        assert len(house.heard) == 1  # the first is still to be told from the second
        house.says(delta("of the first"), completed())
        await until(lambda: len(house.heard) == 2)
        house.says(delta("second"), completed())
        await until(lambda: house.client.events[-1:] == [completed()])
    kinds = [each["type"] for each in house.client.events]
    assert kinds == ["response.failed", "response.output_text.delta", "response.completed"]
    assert house.client.text() == "second"
    assert [each.outcome for each in house.exchanges] == [Outcome.BLOCKED, Outcome.COMPLETED]


async def test_what_the_service_begins_by_itself_is_an_exchange_as_well(house: House) -> None:
    async with house.running():
        house.says({"type": "response.created", "response": {"id": "r"}}, delta(f"a {TOY}"), completed())
        await until(lambda: len(house.client.events) == 3)
    assert house.client.text() == f"a {REDACTED}"
    [event] = house.exchanges
    assert (event.outcome, event.decision.action.word, event.request_bytes) == (
        Outcome.COMPLETED,
        "redact",
        0,
    )


@policy("access: [{id: not-here, models: ['gpt-5*'], action: block, message: 'Not {rule}'}]")
async def test_access_rules_hold_for_each_turn(house: House) -> None:
    async with house.running():
        house.client.say(create("hello"))
        await until(lambda: bool(house.client.events))
        house.client.say({**create("hello"), "model": "o9"})
        await until(lambda: bool(house.heard))
    response = house.client.events[0]["response"]
    assert isinstance(response, dict)
    assert response["error"]["message"] == "Not not-here"
    assert house.heard == [{**create("hello"), "model": "o9"}]


async def test_the_next_turn_is_judged_by_the_policy_in_force_then(house: House) -> None:
    async with house.running():
        house.client.say(create(f"one {TOY}"))
        await until(lambda: bool(house.heard))
        house.says(completed())
        await until(lambda: bool(house.client.events))
        house.gateway.policy.rules = rule_book(LAX)
        house.client.say(create(f"two {TOY}"))
        await until(lambda: len(house.heard) == 2)
    assert house.heard == [create(f"one {REDACTED}"), create(f"two {TOY}")]
    assert [each.policy_id for each in house.exchanges] == ["toys", "lax"]


async def test_a_policy_that_sends_it_elsewhere_ends_the_connection(house: House) -> None:
    async with house.running():
        house.gateway.policy.rules = rule_book(toy_policy(CENTRAL))
        house.client.say(create("hello"))
        await until(lambda: house.task.done())
    assert house.heard == []
    assert house.client.closes == [CloseCode.SERVICE_RESTART]
    assert house.client.events[0]["status"] == 503


async def test_a_message_of_an_unknown_kind_passes_unless_something_is_found(house: House) -> None:
    async with house.running():
        for said in ("nothing", f"a {TOY}", BOMB):
            house.client.say({"type": "response.future", "anything": said})
        await until(lambda: bool(house.client.events))
    assert [each["anything"] for each in house.heard] == ["nothing", f"a {REDACTED}"]
    assert [each.operation for each in house.exchanges] == ["context", "context"]


async def test_an_inspection_that_fails_forwards_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("a bug")

    monkeypatch.setattr("agent.gateway.judging.inspect_request", broken)
    async with house.running():
        house.client.say(create("hello"))
        await until(lambda: bool(house.client.events))
    assert house.heard == []
    assert house.exchanges[0].outcome is Outcome.BLOCKED


async def test_a_reader_that_fails_ends_the_connection(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("a bug")

    async with house.running() as connection:
        monkeypatch.setattr(connection._session, "hear", broken)
        house.client.say(create("hello"))
        await until(lambda: house.task.done())
    assert (house.heard, house.client.closes) == ([], [CloseCode.INTERNAL_ERROR])


async def test_a_service_that_breaks_off_leaves_no_answer_that_looks_whole(house: House) -> None:
    async with house.running():
        house.client.say(create("hello"))
        await until(lambda: bool(house.heard))
        house.says(delta("half"))
        await until(lambda: bool(house.client.events))
        house.upstream.end()
        await until(lambda: house.task.done())
    assert (house.client.closes, house.client.closed) == ([], True)
    assert house.exchanges[0].outcome is Outcome.UPSTREAM_FAILED


async def test_a_service_that_closes_in_the_middle_is_heard_out(house: House) -> None:
    async with house.running():
        house.client.say(create("hello"))
        await until(lambda: bool(house.heard))
        house.says(delta("see T"))  # held: it may become something
        house.upstream.say(frame(Kind.CLOSE, (1001).to_bytes(2) + b"bye"))
        await until(lambda: house.task.done())
    assert (house.client.text(), house.client.closes) == ("see T", [1001])
    assert house.exchanges[0].outcome is Outcome.UPSTREAM_FAILED


async def test_a_client_that_takes_its_leave_gets_the_services_close(house: House) -> None:
    async with house.running():
        house.client.say(create("hello"))
        await until(lambda: bool(house.heard))
        house.client.say((1000).to_bytes(2), kind=Kind.CLOSE)
        await until(lambda: house.upstream.said.endswith(masked((1000).to_bytes(2), MASK)))
        house.says(delta("too late"))
        house.upstream.say(frame(Kind.CLOSE, (1000).to_bytes(2)))
        await until(lambda: house.task.done())
    assert (house.client.events, house.client.closes) == ([], [1000])
    assert house.exchanges[0].outcome is Outcome.CLIENT_CLOSED


async def test_control_frames_pass_at_once(house: House) -> None:
    async with house.running():
        house.client.say(create("hello"))
        await until(lambda: bool(house.heard))
        house.says(delta("see T"))
        house.upstream.say(frame(Kind.PING, b"now"))
        await until(lambda: bool(house.client.messages))
        house.client.say(b"now", kind=Kind.PONG)
        await until(lambda: house.upstream.said.endswith(masked(b"now", MASK)))
    assert house.client.messages[0] == Message(Kind.PING, b"now", frame(Kind.PING, b"now"))


async def test_it_goes_away_once_no_answer_runs(house: House) -> None:
    async with house.running() as connection:
        house.client.say(create("hello"))
        await until(lambda: bool(house.heard))
        connection.go_away()
        assert connection.turns == 1
        house.says(delta("a"), completed())
        await until(lambda: house.task.done())
    assert (house.client.text(), house.client.closes) == ("a", [CloseCode.GOING_AWAY])
    assert house.exchanges[0].outcome is Outcome.COMPLETED


async def test_an_idle_one_goes_away_at_once(house: House) -> None:
    async with house.running() as connection:
        connection.go_away()
        await until(lambda: house.task.done())
    assert house.client.closes == [CloseCode.GOING_AWAY]


async def test_nonsense_from_either_side_closes_both(gateway: Gateway) -> None:
    for side in ("client", "service"):
        house = House(gateway, "/v1/responses")
        async with house.running():
            if side == "client":
                house.client.reader.feed_data(b"\x81\x00")
            else:
                house.upstream.say(b"\xc1\x00")
            await until(lambda: house.task.done())  # noqa: B023
        assert house.client.closes == [CloseCode.PROTOCOL_ERROR]
        [said] = MessageReader(masked=True).feed(house.upstream.said)
        assert (said.kind, said.data[:2]) == (Kind.CLOSE, b"\x03\xea")


async def test_all_connections_together_hold_no_more_than_there_is_room_for(gateway: Gateway) -> None:
    house = House(gateway, "/v1/responses", room=1000)
    async with house.running():
        house.client.reader.feed_data(frame(Kind.TEXT, bytes(5000), mask=MASK)[:3000])
        await until(lambda: house.task.done())
    assert house.client.closes == [CloseCode.TRY_AGAIN_LATER]
    assert house.around.room.moved(0, 1000)  # it was given back


def audio() -> dict[str, object]:
    return {"type": "input_audio_buffer.append", "audio": "AAAA"}


async def test_audio_is_judged_once_and_noted_with_the_turn(gateway: Gateway) -> None:
    house = House(gateway, "/v1/realtime?model=m")
    async with house.running():
        for _ in range(5):
            house.client.say(audio())
        await until(lambda: len(house.heard) == 5)
        house.client.say({"type": "response.create"})
        await until(lambda: len(house.heard) == 6)
    first, turn = house.exchanges
    assert (first.operation, [each.kind for each in first.attachments]) == ("context", ["audio"])
    assert [(each.kind, each.size) for each in turn.attachments] == [("audio", 15)]


@policy("access: [{id: no-audio, when: 'size(attachments) > 0', action: block, message: 'No {rule}'}]")
async def test_audio_that_is_not_allowed_goes_nowhere(gateway: Gateway) -> None:
    house = House(gateway, "/v1/realtime?model=m")
    async with house.running():
        for _ in range(5):
            house.client.say(audio())
        house.client.say({"type": "input_audio_buffer.clear"})
        await until(lambda: bool(house.heard))
    assert house.heard == [{"type": "input_audio_buffer.clear"}]
    assert [each["type"] for each in house.client.events] == ["error"]
    assert len(house.exchanges) == 1


async def test_answers_that_overlap_are_told_apart_by_name(gateway: Gateway) -> None:
    house = House(gateway, "/v1/realtime?model=m")

    def piece(answer: str, text: str) -> dict[str, object]:
        return {"type": "response.output_text.delta", "response_id": answer, "item_id": "i", "delta": text}

    def ended(answer: str) -> dict[str, object]:
        return {"type": "response.done", "response": {"id": answer, "status": "completed", "output": []}}

    first, second = TOY[:5], TOY[5:]
    async with house.running():
        house.client.say({"type": "response.create"})
        await until(lambda: len(house.heard) == 1)
        house.says({"type": "response.created", "response": {"id": "a"}}, piece("a", first))
        house.says({"type": "response.created", "response": {"id": "b"}}, piece("b", f"b {BOMB}"))
        house.says(ended("b"), piece("a", second), piece("a", " fine"), ended("a"))
        await until(lambda: house.client.events[-1:] == [ended("a")])
    said = "".join(str(each["delta"]) for each in house.client.events if each.get("response_id") == "a")
    assert said == f"{REDACTED} fine"
    assert [each.outcome for each in house.exchanges] == [Outcome.BLOCKED, Outcome.COMPLETED]


SPOKEN = st.lists(
    st.sampled_from(("plain words", f"a {TOY} b", f"x {BOMB} y", "grüße 👋")), min_size=1, max_size=3
)


@given(SPOKEN, st.data())
@settings(max_examples=25, deadline=None)
def test_no_cut_of_the_bytes_changes_a_verdict(texts: list[str], data: st.DataObject) -> None:
    """Fragments and chunks of what the client says, and of what the service answers."""
    rules = rule_book(toy_policy())
    asked = [(Kind.TEXT, json.dumps(create(text), ensure_ascii=False).encode()) for text in texts]
    raw = in_frames(asked, lambda size: data.draw(st.integers(0, size)), mask=MASK)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=8)))
    allowed = [text for text in texts if BOMB not in text]
    said = [(Kind.TEXT, json.dumps(each).encode()) for text in allowed for each in (delta(text), completed())]
    back = in_frames(said, lambda size: data.draw(st.integers(0, size)), mask=b"")

    async def spoken() -> House:
        gateway = Gateway(rules)
        house = House(gateway, "/v1/responses")
        async with house.running():
            for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True):
                house.client.reader.feed_data(raw[a:b])
                await asyncio.sleep(0)
            await until(lambda: len(house.heard) == len(allowed))
            for at in range(0, len(back), 11):
                house.upstream.say(back[at : at + 11])
            wanted = [each["type"] for each in map(json.loads, (one for _, one in said))]
            await until(
                lambda: (
                    [each["type"] for each in house.client.events if each["type"] != "response.failed"]
                    == wanted
                )
            )
        gateway.scans.close()
        return house

    house = asyncio.run(spoken())
    assert [each["input"] for each in house.heard] == [text.replace(TOY, REDACTED) for text in allowed]
    assert house.client.text() == "".join(allowed).replace(TOY, REDACTED)
    refused = [each for each in house.client.events if each["type"] == "response.failed"]
    assert len(refused) == len(texts) - len(allowed)


# How connections begin and end


class Door:
    """An upgrade handler that inspects, with a client at the other end of a TCP connection."""

    def __init__(self, gateway: Gateway, *, most: int = 8, accounts: Accounts | None = None) -> None:
        self.gateway = gateway
        self.house = House(gateway, "")
        self.sockets = Sockets(
            self.house.around,
            transport=gateway.transport,
            direct=Direct(gateway.transport, gateway._secret),
            accounts=accounts or gateway.accounts,
            most=most,
        )
        self.handler = UpgradeHandler(
            gateway.policy,
            gateway.transport,
            gateway.audit,
            gateway.asking,
            lambda fields, port: "",
            self.sockets,
        )

    async def upgrade(
        self,
        path: str = "/v1/responses",
        *,
        host: str = "api.openai.com",
        tier: Tier = Tier.RELAY,
        fields: Headers = UPGRADE,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.Task[None]]:
        started: asyncio.Future[asyncio.Task[None]] = asyncio.get_running_loop().create_future()
        name = host if tier is Tier.RELAY else ""
        connection = Connection(id="c", tier=tier, connect_host=name, connect_port=443, sni=name)
        request = ClientRequest(
            connection=connection,
            method="GET",
            target=path.encode(),
            headers=((b"host", host.encode()), *fields),
        )

        def accepted(transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            started.set_result(asyncio.create_task(self.handler.handle(request, transport)))

        server = await asyncio.get_running_loop().create_server(lambda: _Told(accepted), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        task = await started
        server.close()
        return reader, writer, task

    def service(self, *pieces: bytes) -> Saying:
        """What the next connection to a service finds there."""
        tunnel = Saying(*pieces)
        self.gateway.transport.tunnels.append(tunnel)  # type: ignore[arg-type]
        return tunnel


class _Told(asyncio.Protocol):
    def __init__(self, made: Callable[[asyncio.BaseTransport], None]) -> None:
        self._made = made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._made(transport)


async def head_of(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)


async def ended(task: Awaitable[None], writer: asyncio.StreamWriter) -> None:
    writer.close()
    await asyncio.wait_for(task, 5)


async def test_the_upgrade_goes_on_without_extensions_and_the_answer_comes_back(gateway: Gateway) -> None:
    door = Door(gateway)
    tunnel = door.service(AGREED)
    reader, writer, task = await door.upgrade("/v1/responses?x=1")
    said = await head_of(reader)
    assert said.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"sec-websocket-accept: " + ACCEPT in said
    assert said.count(b"pgrade: websocket\r\n") == 1
    assert tunnel.said.startswith(b"GET /v1/responses?x=1 HTTP/1.1\r\nhost: api.openai.com\r\n")
    assert b"authorization: Bearer own\r\n" in tunnel.said
    assert b"extensions" not in tunnel.said
    assert b"proxy-authorization" not in tunnel.said
    writer.write(frame(Kind.TEXT, json.dumps(create(TOY)).encode(), mask=MASK))
    await until(lambda: REDACTED.encode() in masked_free(tunnel.said))
    await ended(task, writer)
    assert tunnel.closed
    assert door.sockets.turns == 0


async def test_the_central_gateway_is_asked_with_its_key(gateway: Gateway) -> None:
    gateway.policy.rules = rule_book(toy_policy(CENTRAL))
    door = Door(gateway)
    tunnel = door.service(AGREED)
    fields = (*UPGRADE, (b"sec-websocket-protocol", b"realtime, openai-insecure-api-key.own"))
    reader, writer, task = await door.upgrade("/v1/realtime?model=m", fields=fields)
    assert (await head_of(reader)).startswith(b"HTTP/1.1 101 ")
    assert gateway.transport.connected[0].host == "hub.example"
    assert tunnel.said.startswith(b"GET /v/openai/v1/realtime?model=m HTTP/1.1\r\nhost: hub.example\r\n")
    assert b"authorization: Bearer hub-secret\r\n" in tunnel.said
    assert b"own" not in tunnel.said
    await ended(task, writer)


@pytest.mark.parametrize(("more", "status"), [(CENTRAL, b"426"), (AWAY, b"101")])
async def test_a_central_gateway_that_is_away_follows_the_policy(
    gateway: Gateway, more: str, status: bytes
) -> None:
    gateway.policy.rules = rule_book(toy_policy(more))
    door = Door(gateway)
    gateway.transport.tunnels.append(TransportError(FailureKind.CONNECT, "nobody there", sent=False))
    tunnel = door.service(AGREED)
    reader, writer, task = await door.upgrade()
    assert (await head_of(reader)).startswith(b"HTTP/1.1 " + status)
    if status == b"101":
        assert b"Bearer own" in tunnel.said
        writer.write(frame(Kind.TEXT, json.dumps(create("hello")).encode(), mask=MASK))
        await until(lambda: b"response.create" in masked_free(tunnel.said))
    await ended(task, writer)


def masked_free(said: bytes) -> bytes:
    """What was said after the head, without masks."""
    messages = MessageReader(masked=True).feed(said.partition(b"\r\n\r\n")[2])
    return b"".join(each.data for each in messages)


async def test_a_provider_of_the_policy_is_asked_with_the_policys_key(gateway: Gateway) -> None:
    gateway.policy.rules = rule_book(toy_policy(PROVIDER))
    door = Door(gateway)
    tunnel = door.service(AGREED)
    reader, writer, task = await door.upgrade("/openai/v1/responses", host="127.0.0.1:1", tier=Tier.BASE_URL)
    assert (await head_of(reader)).startswith(b"HTTP/1.1 101 ")
    assert b"\r\nauthorization: Bearer open-secret\r\n" in tunnel.said
    assert b"\r\nsec-websocket-key: " + KEY in tunnel.said
    assert b"own" not in tunnel.said
    await ended(task, writer)


async def test_there_are_only_so_many_at_once(gateway: Gateway) -> None:
    door = Door(gateway, most=1)
    door.service(AGREED)
    reader, writer, task = await door.upgrade()
    await head_of(reader)
    second, other, refused = await door.upgrade()
    assert (await head_of(second)).startswith(b"HTTP/1.1 426 ")
    third, another, also = await door.upgrade("/v1/realtime")
    assert (await head_of(third)).startswith(b"HTTP/1.1 503 ")
    for each in ((task, writer), (refused, other), (also, another)):
        await ended(*each)
    assert len(gateway.audit.incidents) == 2


async def test_a_gateway_that_closes_sends_idle_ones_away_and_takes_no_more(gateway: Gateway) -> None:
    door = Door(gateway)
    door.service(AGREED)
    reader, writer, task = await door.upgrade()
    await head_of(reader)
    assert len(door.handler.tasks) == 1
    door.handler.close()
    assert await asyncio.wait_for(reader.read(), 5) == close(CloseCode.GOING_AWAY, "Drawbridge is stopping")
    await ended(task, writer)
    assert (door.handler.tasks, door.handler.active) == (frozenset(), 0)
    second, other, refused = await door.upgrade()
    assert (await head_of(second)).startswith(b"HTTP/1.1 426 ")
    await ended(refused, other)


ACCESS = "access: [{id: no-ws, paths: ['/v1/*'], action: block, message: 'Not {rule}'}]"


@policy(ACCESS)
async def test_an_access_rule_sends_the_client_to_https_where_there_is_such_a_way(gateway: Gateway) -> None:
    for path, status in (("/v1/responses", b"426"), ("/v1/realtime", b"403")):
        reader, writer, task = await Door(gateway).upgrade(path)
        assert (await head_of(reader)).startswith(b"HTTP/1.1 " + status)
        assert await reader.read() == b"Not no-ws"
        await ended(task, writer)
    assert gateway.transport.connected == []


async def test_a_limit_that_is_reached_is_said_in_the_socket(tmp_path: Path) -> None:
    rules = rule_book(toy_policy(KEYED))
    accounts = Accounts(rules.policy.accounts, store=LocalStore(tmp_path / "a.db"))
    await accounts.open()
    gateway = Gateway(rules, accounts=accounts)
    house = House(gateway, "/v1/responses")
    async with house.running():
        house.client.say(create("one"))
        await until(lambda: len(house.heard) == 1)
        house.says(completed())
        await until(lambda: len(house.client.events) == 1)
        house.client.say(create("two"))
        await until(lambda: len(house.client.events) == 2)
    assert len(house.heard) == 1
    assert (house.client.events[1]["type"], house.client.events[1]["status"]) == ("error", 429)
    assert [each.outcome for each in house.exchanges] == [Outcome.COMPLETED, Outcome.REFUSED]
    assert house.exchanges[0].served.virtual_key == "team"
    gateway.scans.close()
    await accounts.close()


# Who opens them: the same as who asks over HTTPS

TOKEN = b".".join(
    base64.urlsafe_b64encode(part).strip(b"=")
    for part in (
        b'{"alg": "RS256"}',
        b'{"iss": "https://auth.openai.com", "https://api.openai.com/auth": {"chatgpt_plan_type": "plus"}}',
        b"signature",
    )
)
OPENING = tuple(each for each in UPGRADE if each[0] != b"authorization")
BEARER_OF_A_PERSON: Headers = ((b"authorization", b"Bearer " + TOKEN),)
KIOSK = Device(id="dev-1", hostname="k", os_name="Linux", os_version="", groups=("kiosks",))
CODEX = "/backend-api/codex/responses"


@pytest.mark.parametrize(
    ("rules", "fields", "status"),
    [
        ("apps: {accounts: block}", BEARER_OF_A_PERSON, b"426"),
        ("apps: {accounts: block}", (), b"101"),
        (
            "apps: {rules: [{id: a, state: denied, when: 'app_claimed == \"codex\"'}]}",
            ((b"originator", b"codex_cli_rs"),),
            b"426",
        ),
        ("apps: {rules: [{id: a, groups: [kiosks], state: denied}]}", (), b"426"),
        ("apps: {rules: [{id: a, devices: [dev-*], state: denied}]}", (), b"426"),
        ("apps: {rules: [{id: a, groups: [others], devices: [x], state: denied}]}", (), b"101"),
        (
            "access: [{id: a, when: 'login.tenancy == \"personal\"', action: block}]",
            BEARER_OF_A_PERSON,
            b"426",
        ),
        ("access: [{id: a, when: '\"kiosks\" in groups', action: block}]", (), b"426"),
    ],
    indirect=["rules"],
)
async def test_account_program_and_device_are_judged_before_a_socket_opens(
    rules: RuleBook, fields: Headers, status: bytes
) -> None:
    gateway = Gateway(rules, device=KIOSK)
    door = Door(gateway)
    door.service(AGREED)
    reader, writer, task = await door.upgrade(CODEX, host="chatgpt.com", fields=(*OPENING, *fields))
    said = await head_of(reader)
    await ended(task, writer)
    assert said[9:12] == status
    gateway.scans.close()


@policy(
    f"""
{CENTRAL}
apps: {{rules: [{{id: own, tenancies: [personal], state: approved, routing: native}}]}}
"""
)
async def test_a_socket_goes_the_way_of_the_account_that_asks(gateway: Gateway) -> None:
    door = Door(gateway)
    hosts = []
    for fields in ((), BEARER_OF_A_PERSON):
        door.service(AGREED)
        reader, writer, task = await door.upgrade(fields=(*OPENING, *fields))
        await head_of(reader)
        hosts.append(gateway.transport.connected[-1].host)
        await ended(task, writer)
    assert hosts == ["hub.example", "api.openai.com"]


class Programs:
    """Implements `Identities`: what a test says is behind each connection, from the moment it says so."""

    def __init__(self) -> None:
        self.found = False

    async def identified(self, connection: Connection, server: tuple[str, int]) -> Connection:
        assert server[0] == "127.0.0.1"
        return self.latest(connection)

    def latest(self, connection: Connection) -> Connection:
        if not self.found:
            return connection
        process = Process(pid=7, name="curl", user="ann", groups=("finance",))
        return replace(connection, process=process, app="curl", evidence=Evidence.PROCESS)


@policy(f"{PROVIDER}\napps: {{rules: [{{id: a, groups: [finance], state: denied}}]}}")
async def test_a_base_url_client_is_asked_about_before_its_socket_opens(rules: RuleBook) -> None:
    gateway = Gateway(rules, identities=(programs := Programs()))
    door = Door(gateway)
    statuses = []
    for programs.found in (False, True):
        door.service(AGREED)
        reader, writer, task = await door.upgrade(
            "/openai/v1/responses", host="127.0.0.1:1", tier=Tier.BASE_URL
        )
        statuses.append((await head_of(reader))[9:12])
        await ended(task, writer)
    assert statuses == [b"101", b"426"]
    gateway.scans.close()


async def test_a_program_that_is_found_later_counts_for_the_next_turn(rules: RuleBook) -> None:
    gateway = Gateway(rules, identities=(programs := Programs()))
    house = House(gateway, "/v1/responses")
    async with house.running():
        for number, programs.found in enumerate((False, True), start=1):
            house.client.say(create("hello"))
            await until(lambda number=number: len(house.heard) == number)  # type: ignore[misc]
            house.says(completed())
            await until(lambda number=number: len(house.exchanges) == number)  # type: ignore[misc]
    assert [each.asker.app for each in house.exchanges] == ["", "curl"]
    gateway.scans.close()
