"""A gateway whose upstream, audit trail and secrets are in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.accounts.accounts import Accounts
from agent.accounts.local import LocalStore
from agent.caching.cache import AnswerCache
from agent.catalog import Harness
from agent.errors import ConfigError, HostError
from agent.gateway.asking import Asking
from agent.gateway.conversations import Conversations
from agent.gateway.dispatch import Dispatcher, Prepared
from agent.gateway.exchange import ExchangeHandler
from agent.gateway.filebook import FileBook
from agent.gateway.files import FileReader
from agent.gateway.ports import CheckRunner, Identities
from agent.gateway.scans import ScanPool
from agent.gateway.transport.base import Headers
from agent.gateway.unified.planning import Planner
from agent.gateway.unified.recall import Recall
from agent.gateway.unified.routebook import RouteBook
from agent.gateway.unified.serving import Serving
from agent.gateway.wire import ClientRequest, Wire
from agent.host.tasks import TaskGroup
from agent.inspection import RuleBook
from agent.model.device import NO_DEVICE, Device
from agent.model.provider import Scheme
from agent.model.record import Exchange
from agent.model.traffic import Connection, Process, Tier
from agent.routing.health import HealthBook
from agent.routing.plan import Candidate, KeyRef
from tests.fakes.audit import FakeAudit
from tests.fakes.documents import HereParser
from tests.fakes.rulebooks import route_book, rule_book, toy_policy
from tests.fakes.upstream import FakeClient, FakeResponse, FakeTransport, Piece

POST_JSON: Headers = ((b"content-type", b"application/json"),)


@dataclass
class InForce:
    """Implements `PolicyInForce`."""

    rules: RuleBook

    @property
    def book(self) -> RouteBook:
        """What the same policy says about providers."""
        return route_book(self.rules)


class Keys:
    """Implements `dispatch.Credentials` with what a test says the secrets are; each is kept until it is refused."""

    def __init__(self, secret: Callable[[str], str]) -> None:
        self._secret = secret
        self._kept: dict[str, str] = {}

    def refused(self, key: KeyRef) -> None:
        """Forget it."""
        self._kept.pop(key.reference, None)

    async def headers(self, candidate: Candidate, key: KeyRef, prepared: Prepared) -> Headers:
        """As the provider's row says."""
        if not key.reference:
            return ()
        if key.reference not in self._kept:
            self._kept[key.reference] = self._secret(key.reference)
        value = self._kept[key.reference].encode()
        if candidate.provider.scheme is Scheme.HEADER:
            return ((candidate.provider.key_header.encode(), value),)
        return ((b"authorization", b"Bearer " + value),)


class Reasons:
    """Implements `JustificationSource`: those that a test gives."""

    def __init__(self) -> None:
        self.key = b"j" * 32
        self.given: dict[tuple[str, str], str] = {}
        self.asked: list[int] = []  # for how many minutes each time
        self.broken = False

    def reasons(self, *, now: float, minutes: int, terminal: bool) -> dict[tuple[str, str], str]:
        assert terminal
        del now
        self.asked.append(minutes)
        if self.broken:
            raise HostError("others may open the file")
        return self.given


@pytest.fixture
def rules(request: pytest.FixtureRequest) -> RuleBook:
    """The toy policy; parametrize indirectly with further keys. Compiled here: not in the loop."""
    return rule_book(toy_policy(getattr(request, "param", "")))


def policy(more: str) -> pytest.MarkDecorator:
    """Run the test under the toy policy with further keys."""
    return pytest.mark.parametrize("rules", [more], indirect=True, ids=[""])


class Gateway:
    """An exchange handler and everything around it."""

    max_body = 100_000

    def __init__(
        self,
        rules: RuleBook,
        *,
        checks: CheckRunner | None = None,
        accounts: Accounts | None = None,
        cache: AnswerCache | None = None,
        harness: Harness | None = None,
        device: Device = NO_DEVICE,
        identities: Identities | None = None,
    ) -> None:
        self.policy = InForce(rules)
        self.tasks = TaskGroup("test")
        self.recall = Recall(cache, self.tasks)
        self.accounts = accounts or Accounts(None, store=LocalStore(Path("never-opened.db")))
        self.asking = Asking(self.accounts, device, identities)
        self.transport = FakeTransport()
        self.audit = FakeAudit()
        self.secrets = {"env:HUB_KEY": "hub-" + "secret", "env:OPENAI_KEY": "open-" + "secret"}
        self.scans = ScanPool()
        self.reasons = Reasons()
        self.whole: bool | None = None  # what the last exchange returned
        self.parser = HereParser()
        self.files = FileReader(self.parser, self.scans, FileBook(time.monotonic))
        self.handler = ExchangeHandler(
            policy=self.policy,
            transport=self.transport,
            audit=self.audit,
            secret=self._secret,
            scans=self.scans,
            capture_key=b"k" * 32,
            conversations=Conversations(harness or Harness(), time.monotonic),
            justifications=self.reasons,
            max_body=self.max_body,
            checks=checks,
            files=self.files,
            accounts=self.accounts,
            asking=self.asking,
            serving=self._serving(),
        )

    def _serving(self) -> Serving:
        health = HealthBook()
        dispatcher = Dispatcher(self.transport, Keys(self._secret), health)
        return Serving(dispatcher, Planner(health), self.recall, limit=self.max_body)

    def _secret(self, reference: str) -> str:
        if reference not in self.secrets:
            raise ConfigError("a secret reference leads nowhere", hint="set it")
        return self.secrets[reference]

    def answers(self, *pieces: Piece, status: int = 200, headers: Headers = POST_JSON) -> FakeResponse:
        """What the upstream will answer."""
        answer = FakeResponse(*pieces, status=status, headers=headers)
        self.transport.answers.append(answer)
        return answer

    async def ask(
        self,
        body: bytes = b"",
        *,
        path: str = "/v1/chat/completions",
        host: str = "api.openai.com",
        method: str = "POST",
        headers: Headers = POST_JSON,
        tier: Tier = Tier.RELAY,
        made_for: str = "",
        app: str = "",
        client: FakeClient | None = None,
    ) -> FakeClient:
        """One exchange from beginning to end."""
        client = client or FakeClient(body)
        name = (made_for or host) if tier is Tier.RELAY else ""
        connection = Connection(
            id="c",
            tier=tier,
            connect_host=name,
            connect_port=443,
            sni=name,
            process=Process(pid=1, name="p", user="ann"),
            app=app,
        )
        fields = ((b"host", host.encode()), *headers)
        request = ClientRequest(connection=connection, method=method, target=path.encode(), headers=fields)
        self.whole = await self.handler.handle(request, Wire(client.receive, client.send))
        return client

    @property
    def event(self) -> Exchange:
        """The one exchange that was recorded."""
        return self.audit.exchange

    def spawn(self, body: bytes, client: FakeClient, **more: object) -> asyncio.Task[FakeClient]:
        """The same exchange beside the test."""
        return asyncio.create_task(self.ask(body, client=client, **more))  # type: ignore[arg-type]


@pytest.fixture
async def gateway(rules: RuleBook) -> AsyncIterator[Gateway]:
    made = Gateway(rules)
    yield made
    made.scans.close()
