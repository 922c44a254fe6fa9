"""What an inspected WebSocket costs, beside a bare relay of the same bytes, in one run on loopback:
python -m tests.bench.sockets

Service, client and what stands between share one process and one loop. Every round streams an answer of many small
messages through each way in turn. CPU is the process's own for one message, the least disturbed of several rounds; what
service and client take is in it everywhere, so only differences say something. Under a policy that looks for nothing in
answers the price of frames, turns and exchanges remains; under the bundled one the texts are searched as well, as those
of server-sent events are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from websockets.protocol import CLIENT, OPEN, SERVER, Protocol
from wsproto import ConnectionType
from wsproto.connection import Connection as WsprotoConnection
from wsproto.events import TextMessage

from agent.accounts.accounts import Accounts
from agent.accounts.local import LocalStore
from agent.catalog import Harness
from agent.dialects.base import RequestHead
from agent.dialects.sockets import SOCKETS
from agent.gateway.asking import Asking
from agent.gateway.conversations import Conversations
from agent.gateway.dispatch import Dispatcher
from agent.gateway.exchange import ExchangeHandler
from agent.gateway.policy_file import PolicyFile
from agent.gateway.routing import Route, route_intercepted
from agent.gateway.scans import ScanPool
from agent.gateway.sockets.connection import SocketConnection
from agent.gateway.sockets.frames import Kind, MessageReader, frame
from agent.gateway.sockets.surroundings import Room, Surroundings
from agent.gateway.transport.tunnel import StreamTunnel
from agent.gateway.unified.keys import Keys
from agent.gateway.unified.planning import Planner
from agent.gateway.unified.recall import Recall
from agent.gateway.unified.serving import Serving
from agent.gateway.wire import ClientRequest
from agent.host.loops import loop_factory
from agent.host.paths import bundled_policies
from agent.host.tasks import TaskGroup
from agent.model.record import AuditEvent
from agent.model.traffic import Connection, Tier
from agent.routing.health import HealthBook

WORDS = (
    "The",
    "gate",
    "stands",
    "open",
    "for",
    "everything",
    "that",
    "may",
    "pass",
    "and",
    "nothing",
    "more",
)
WAYS = ("direct", "bare relay", "inspected, nothing to look for", "inspected, bundled policy")
MASK = b"mask"
ASKED = frame(
    Kind.TEXT, json.dumps({"type": "response.create", "model": "m", "input": "go"}).encode(), mask=MASK
)


def answer(messages: int) -> list[bytes]:
    """The frames of one answer, a word each, then its end."""
    said = []
    for number in range(messages):
        event = {
            "type": "response.output_text.delta",
            "sequence_number": number,
            "item_id": "msg_0123456789abcdef",
            "output_index": 0,
            "content_index": 0,
            "delta": WORDS[number % len(WORDS)] + " ",
        }
        said.append(frame(Kind.TEXT, json.dumps(event).encode()))
    ended = {"type": "response.completed", "response": {"id": "r", "status": "completed", "output": []}}
    return [*said, frame(Kind.TEXT, json.dumps(ended).encode())]


@dataclass
class Contender:
    """One way from the client to the service."""

    name: str
    port: int
    cpu: list[float] = field(default_factory=list)  # seconds for a message
    delay: list[float] = field(default_factory=list)  # seconds from the service's write to the client's read

    async def measure(self, rounds: int, messages: int) -> None:
        """Stream answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        frames = MessageReader(masked=False)
        begun = time.process_time()
        for _ in range(rounds):
            writer.write(ASKED)
            left = messages + 1
            while left:
                left -= len(frames.feed(await reader.read(65_536)))
        self.cpu.append((time.process_time() - begun) / rounds / (messages + 1))
        writer.close()
        await asyncio.sleep(0.05)


class Service:
    """Answers each message it gets; `pause` lets every message travel by itself."""

    def __init__(self, said: list[bytes]) -> None:
        self.said = said
        self.pause = False
        self.sent_at = 0.0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):  # the client of a round leaves when it has all
            await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = MessageReader(masked=True)
        while data := await reader.read(65_536):
            for _ in frames.feed(data):
                for one in self.said:
                    self.sent_at = time.perf_counter()
                    writer.write(one)
                    await writer.drain()
                    await asyncio.sleep(0.002 if self.pause else 0)
        writer.close()


async def latency(contender: Contender, service: Service, messages: int) -> None:
    """How long one message travels while nothing else happens."""
    service.pause = True
    reader, writer = await asyncio.open_connection("127.0.0.1", contender.port)
    writer.write(ASKED)
    frames, left = MessageReader(masked=False), messages + 1
    while left:
        found = frames.feed(await reader.read(65_536))
        contender.delay.append(time.perf_counter() - service.sent_at)
        left -= len(found)
    service.pause = False
    writer.close()


def relayed(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """A relay that looks at nothing."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, back), pump(there, writer))

    return relay


class _Nowhere:
    """An audit trail that keeps nothing: what the disk costs is measured elsewhere."""

    async def append(self, event: AuditEvent) -> None:
        del event


@asynccontextmanager
async def inspected(
    policy: PolicyFile, port: int
) -> AsyncIterator[Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]]:
    """The connections of the gateway, under the bundled policy."""
    health, tasks, scans = HealthBook(), TaskGroup("bench"), ScanPool()
    accounts = Accounts(None, store=LocalStore(Path("never-opened.db")))
    dispatcher = Dispatcher(None, Keys(None), health)  # type: ignore[arg-type]
    asking = Asking(accounts)
    handler = ExchangeHandler(
        policy=policy,
        transport=None,  # type: ignore[arg-type]
        audit=_Nowhere(),
        secret=lambda reference: "",
        scans=scans,
        capture_key=b"k" * 32,
        conversations=Conversations(Harness(), time.monotonic),
        accounts=accounts,
        asking=asking,
        serving=Serving(dispatcher, Planner(health), Recall(None, tasks), limit=1 << 20),
    )
    around = Surroundings(
        exchanges=handler,
        asking=asking,
        policy=policy,
        scans=scans,
        watch=lambda connection, *, path, answering: nullcontext(),
        room=Room(1 << 30),
    )
    facts = Connection(
        id="c", tier=Tier.RELAY, connect_host="api.openai.com", connect_port=443, sni="api.openai.com"
    )
    request = ClientRequest(
        connection=facts, method="GET", target=b"/v1/responses", headers=((b"host", b"api.openai.com"),)
    )
    route = route_intercepted(policy.rules, facts, request.headers, request.target)
    assert isinstance(route, Route)
    socket = SOCKETS["openai-responses"]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await SocketConnection(
            around,
            request,
            route,
            socket,
            socket.session(RequestHead(method="GET", path="/v1/responses")),
            reader=reader,
            writer=writer,
            upstream=StreamTunnel("service", there, back),
        ).run(b"")

    yield serve
    scans.close()


def libraries(messages: int) -> list[tuple[str, float]]:
    """Reading a frame and writing it again, by three libraries: microseconds."""
    small = answer(1)[0]
    text = MessageReader(masked=False).feed(small)[0].data
    found = []

    def ours() -> None:
        for message in reader.feed(small):
            frame(Kind.TEXT, message.data)

    def websockets() -> None:
        client.receive_data(small)
        for event in client.events_received():
            server.send_text(event.data)
            server.data_to_send()

    def wsproto() -> None:
        theirs.receive_data(small)
        for event in theirs.events():
            if isinstance(event, TextMessage):
                back.send(TextMessage(data=event.data))

    reader = MessageReader(masked=False)
    client, server = Protocol(CLIENT, state=OPEN), Protocol(SERVER, state=OPEN)
    theirs, back = WsprotoConnection(ConnectionType.CLIENT), WsprotoConnection(ConnectionType.SERVER)
    for name, step in (("ours", ours), ("websockets", websockets), ("wsproto", wsproto)):
        best = min(_timed(step, messages) for _ in range(5))
        found.append((f"{name} ({len(text)} bytes)", best * 1e6))
    return found


def _timed(step: Callable[[], None], times: int) -> float:
    begun = time.process_time()
    for _ in range(times):
        step()
    return (time.process_time() - begun) / times


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--messages", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        lax = Path(directory) / "policy.yaml"
        lax.write_text("schema_version: 1\nid: lax\n")
        policies = [PolicyFile(lax), PolicyFile(bundled_policies() / "default")]
    for policy in policies:
        policy.rules.warm()
    service = Service(answer(arguments.messages))
    servers = [await asyncio.start_server(service, "127.0.0.1", 0)]
    port = servers[0].sockets[0].getsockname()[1]
    async with inspected(policies[0], port) as idle, inspected(policies[1], port) as serve:
        servers.append(await asyncio.start_server(relayed(port), "127.0.0.1", 0))
        servers.append(await asyncio.start_server(idle, "127.0.0.1", 0))
        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0))
        contenders = [
            Contender(name, server.sockets[0].getsockname()[1])
            for name, server in zip(WAYS, servers, strict=True)
        ]
        for contender in contenders:
            await contender.measure(1, arguments.messages)
            contender.cpu.clear()
        for _ in range(arguments.rounds):
            for contender in contenders:
                await contender.measure(1, arguments.messages)
        for contender in contenders:
            await latency(contender, service, len(service.said) - 1)
        for server in servers:
            server.close()
    table = Table("way", "CPU µs/message", "more than the relay", "latency µs (median)")
    floor = min(contenders[1].cpu)
    for each in contenders:
        cpu, delay = min(each.cpu), statistics.median(each.delay)
        table.add_row(each.name, f"{cpu * 1e6:.1f}", f"{(cpu - floor) * 1e6:+.1f}", f"{delay * 1e6:.0f}")
    console = Console(width=100)
    console.print(table)
    table = Table("reading and writing one frame", "CPU µs")
    for name, cost in libraries(20_000):
        table.add_row(name, f"{cost:.1f}")
    console.print(table)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())
