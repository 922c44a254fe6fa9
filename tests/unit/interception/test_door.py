"""The keeper of the front door: which program is behind a connection, and what it means that one distrusts us."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from agent.host.attribution import Attribution
from agent.host.tasks import TaskGroup
from agent.interception.clienthello import ClientHello
from agent.interception.door import Door
from agent.interception.engine import Intercepted
from agent.interception.request_head import ProxyHead
from agent.interception.scope import Way
from agent.interception.strangers import SAMPLE_SECONDS
from agent.model.app import Evidence
from agent.model.record import IncidentKind
from agent.model.traffic import Connection, Process, Tier
from tests.fakes.audit import FakeAudit
from tests.fakes.host import FakeFinder
from tests.fakes.rulebooks import rule_book, toy_policy

PEER = ("127.0.0.1", 50_000)
HEAD = ProxyHead(method="CONNECT", target="api.openai.com:443", host="api.openai.com", port=443)
HELLO = ClientHello(sni="api.openai.com")
CURL = Process(pid=7, name="curl", executable="/usr/bin/curl", user="ann")
TUNNEL = toy_policy("client_distrust: {action: tunnel, hours: 2}")
REFUSE = toy_policy("client_distrust: {action: refuse, hours: 2}")
CLOSED = toy_policy("fail: {default: closed}")
SAYS_WHY = "The client does not trust the proxy's certificate for api.openai.com (tlsv1 alert unknown ca)"


class FakeEngine:
    """Notes what it was to run."""

    def __init__(self) -> None:
        self.ran: list[Intercepted] = []

    async def run(self, reader: object, writer: object, intercepted: Intercepted) -> None:
        self.ran.append(intercepted)


class FakeWriter:
    """Knows its peer."""

    def get_extra_info(self, name: str) -> object:
        return PEER if name == "peername" else None


class Setting:
    """A door and everything around it."""

    def __init__(self) -> None:
        self.policy = TUNNEL
        self.unpermitted: set[str] = set()
        self.now = 1_000_000.0
        self.resting: set[str] = set()
        self.shielded: set[str] = set()
        self.finder, self.engine, self.audit, self.tasks = (
            FakeFinder(CURL),
            FakeEngine(),
            FakeAudit(),
            TaskGroup("t"),
        )
        self.door = Door(
            rules=lambda: rule_book(self.policy),
            engine=self.engine,  # type: ignore[arg-type]
            attribution=Attribution(self.finder, lambda: rule_book(self.policy).apps),
            record=self.audit.append,
            tasks=self.tasks,
            ports=lambda: (7717, 7718),
            passes=lambda host: host in self.resting,
            shields=lambda host: host in self.shielded,
            permits=lambda host: host not in self.unpermitted,
            clock=lambda: self.now,
        )

    def intercepted(self) -> Intercepted:
        facts = Connection(id="c", tier=Tier.RELAY, client_address=PEER, sni="api.openai.com")
        described = asyncio.get_running_loop().create_future()
        described.set_result(replace(facts, process=self.finder.process))
        return Intercepted(facts, described)

    async def handshake_fails(self, error: str = SAYS_WHY) -> None:
        self.door.distrusted(self.intercepted(), error)
        await self.settled()

    async def settled(self) -> None:
        while len(self.tasks):
            await asyncio.sleep(0.001)

    async def way(self, head: ProxyHead = HEAD, hello: ClientHello | None = HELLO) -> Way:
        return (await self.door.judge(head, hello, PEER)).way


@pytest.fixture(autouse=True, scope="module")
def _compiled() -> None:
    for policy in (TUNNEL, REFUSE, CLOSED):
        rule_book(policy)


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    made = Setting()
    yield made
    await made.tasks.cancel()


def test_the_catalog_in_force_says_who_is_known() -> None:
    door = Setting().door
    assert door.known("api.openai.com")
    assert not door.known("api.openai.com.evil.tld")


STRANGER = replace(HEAD, host="cdn.example", target="cdn.example:443")
CODEX = Process(pid=9, name="codex", executable="/opt/codex", user="ann")


async def test_an_ai_program_at_an_uncatalogued_host_is_noted_once(setting: Setting) -> None:
    setting.finder.process = CODEX
    for _ in range(3):
        setting.now += SAMPLE_SECONDS
        setting.door.tunnelled(STRANGER, ClientHello(sni="cdn.example"), PEER)
        await setting.settled()
    assert len(setting.finder.asked) == 3
    (incident,) = setting.audit.incidents
    assert incident.kind is IncidentKind.UNKNOWN_HOST
    assert "Codex talks to cdn.example" in incident.message
    assert dict(incident.detail) == {"app": "codex", "host": "cdn.example", "evidence": "process"}


async def test_where_a_browser_or_a_tool_goes_is_not_noted(setting: Setting) -> None:
    for name in ("curl", "firefox", "nobody-knows"):
        setting.finder.process = replace(CODEX, name=name, executable=f"/usr/bin/{name}")
        setting.now += SAMPLE_SECONDS
        setting.door.tunnelled(STRANGER, None, PEER)
        await setting.settled()
    assert len(setting.finder.asked) == 3
    assert setting.audit.incidents == []


async def test_tunnels_are_looked_into_one_at_a_time_and_not_again_for_a_while(setting: Setting) -> None:
    for number in range(3):
        setting.door.tunnelled(replace(STRANGER, host=f"{number}.example"), None, PEER)
    await setting.settled()
    setting.door.tunnelled(replace(STRANGER, host="0.example"), None, PEER)
    await setting.settled()
    assert len(setting.finder.asked) == 1


@pytest.mark.parametrize("more", ["discovery: {enabled: false}", "discovery: {unknown_hosts: false}"])
def test_a_policy_may_have_nobody_look(more: str) -> None:
    setting = Setting()
    setting.policy = toy_policy(more)
    setting.door.tunnelled(STRANGER, None, PEER)
    assert len(setting.tasks) == 0


def test_the_pac_file_names_the_catalog_and_our_port() -> None:
    pac = Setting().door.pac()
    assert '"api.openai.com"' in pac
    assert "PROXY 127.0.0.1:7717" in pac


async def test_names_decide_and_as_long_as_all_trust_us_no_program_is_looked_for(setting: Setting) -> None:
    assert await setting.way() is Way.INTERCEPT
    assert await setting.way(replace(HEAD, host="example.com"), ClientHello(sni="example.com")) is Way.TUNNEL
    assert await setting.way(hello=None) is Way.REFUSE
    assert setting.finder.asked == []


async def test_an_intercepted_connection_is_described_with_its_program(setting: Setting) -> None:
    passage = await setting.door.judge(HEAD, HELLO, PEER)
    await setting.door.intercept(None, FakeWriter(), HEAD, HELLO, passage)  # type: ignore[arg-type]
    (intercepted,) = setting.engine.ran
    facts = await intercepted.describe
    assert facts == replace(intercepted.facts, process=CURL, app="curl", evidence=Evidence.PROCESS)
    assert (facts.connect_host, facts.connect_port, facts.sni) == ("api.openai.com", 443, "api.openai.com")
    assert (facts.client_address, facts.tier) == (PEER, Tier.RELAY)
    assert setting.finder.asked == [(PEER, ("127.0.0.1", 7717))]


async def test_a_system_that_is_slow_to_tell_the_program_is_not_waited_for(setting: Setting) -> None:
    setting.finder.seconds = 0.4
    passage = await setting.door.judge(HEAD, HELLO, PEER)
    await setting.door.intercept(None, FakeWriter(), HEAD, HELLO, passage)  # type: ignore[arg-type]
    begun = time.monotonic()
    facts = await setting.engine.ran[0].describe
    assert facts.process is None
    assert time.monotonic() - begun < 0.39


async def test_a_refused_connection_is_an_incident(setting: Setting) -> None:
    passage = await setting.door.judge(HEAD, None, PEER)
    await setting.door.refused(HEAD, passage, PEER)
    (incident,) = setting.audit.incidents
    assert incident.kind is IncidentKind.MISDIRECTED
    assert "plain bytes" in incident.message
    assert incident.connection is not None
    assert incident.connection.connect_host == "api.openai.com"


async def test_a_program_that_refuses_our_certificate_may_pass_for_a_time_and_both_are_recorded(
    setting: Setting,
) -> None:
    await setting.handshake_fails()
    assert await setting.way() is Way.TUNNEL
    kinds = [incident.kind for incident in setting.audit.incidents]
    assert kinds == [IncidentKind.CLIENT_DISTRUST, IncidentKind.BYPASS]
    assert "2 h" in setting.audit.incidents[0].message
    assert setting.audit.incidents[1].connection is not None
    assert setting.audit.incidents[1].connection.process == CURL
    setting.now += 2 * 3600
    assert await setting.way() is Way.INTERCEPT


async def test_another_program_does_not_pass_with_it(setting: Setting) -> None:
    await setting.handshake_fails()
    setting.finder.process = replace(CURL, executable="/usr/bin/wget", name="wget")
    assert await setting.way() is Way.INTERCEPT
    setting.finder.process = replace(CURL, user="bob")
    assert await setting.way() is Way.INTERCEPT


async def test_an_unknown_program_never_passes(setting: Setting) -> None:
    setting.finder.process = None
    await setting.handshake_fails()
    assert await setting.way() is Way.INTERCEPT
    assert "its connections stay closed" in setting.audit.incidents[0].message


async def test_where_policy_refuses_distrust_nobody_passes(setting: Setting) -> None:
    setting.policy = REFUSE
    await setting.handshake_fails()
    assert await setting.way() is Way.INTERCEPT
    assert [incident.kind for incident in setting.audit.incidents] == [IncidentKind.CLIENT_DISTRUST]


async def test_a_handshake_that_was_just_broken_off_counts_from_the_second_time_on(setting: Setting) -> None:
    await setting.handshake_fails("The client disconnected during the handshake.")
    assert await setting.way() is Way.INTERCEPT
    await setting.handshake_fails("The client disconnected during the handshake.")
    assert await setting.way() is Way.TUNNEL


async def test_a_handshake_in_between_wipes_that_slate(setting: Setting) -> None:
    await setting.handshake_fails("The client disconnected during the handshake.")
    setting.door.trusted(setting.intercepted(), "")
    await setting.settled()
    await setting.handshake_fails("The client disconnected during the handshake.")
    assert await setting.way() is Way.INTERCEPT


async def test_a_bypass_that_cannot_be_recorded_is_none(setting: Setting) -> None:
    await setting.handshake_fails()
    setting.audit.broken = True
    with pytest.raises(Exception, match="disk is full"):
        await setting.way()


async def test_while_interception_rests_a_connection_passes_and_an_event_says_who(setting: Setting) -> None:
    setting.resting.add("api.openai.com")
    passage = await setting.door.judge(HEAD, HELLO, PEER)
    assert (passage.way, passage.paused) == (Way.TUNNEL, True)
    (incident,) = setting.audit.incidents
    assert incident.kind is IncidentKind.BYPASS
    assert incident.connection is not None
    assert incident.connection.process == CURL


async def test_a_pause_lets_nothing_pass_that_would_have_been_refused(setting: Setting) -> None:
    setting.resting.add("api.openai.com")
    assert await setting.way(hello=None) is Way.REFUSE
    assert await setting.way(replace(HEAD, host="example.com")) is Way.REFUSE
    assert await setting.way(
        replace(HEAD, host="api.anthropic.com"), ClientHello(sni="api.anthropic.com")
    ) is (Way.INTERCEPT)


async def test_a_host_without_a_certificate_passes_unseen_and_is_told_of_once(setting: Setting) -> None:
    setting.unpermitted = {"api.openai.com"}
    assert await setting.way() is Way.TUNNEL
    assert await setting.way() is Way.TUNNEL
    (told,) = setting.audit.incidents
    assert told.kind is IncidentKind.BYPASS
    assert "no certificate can be made for api.openai.com" in told.message


async def test_a_host_without_a_certificate_goes_nowhere_where_policy_closes_it(setting: Setting) -> None:
    setting.policy = CLOSED
    setting.unpermitted = {"api.openai.com"}
    passage = await setting.door.judge(HEAD, HELLO, PEER)
    assert passage.way is Way.REFUSE
    assert "policy lets nothing pass unseen" in passage.reason


async def test_where_people_sign_in_nothing_is_read_whatever_the_catalog_says(setting: Setting) -> None:
    setting.shielded = {"api.openai.com"}
    assert await setting.way() is Way.TUNNEL
    assert setting.audit.incidents == []
    assert (
        await setting.way(replace(HEAD, host="api.anthropic.com"), HELLO) is Way.REFUSE
    )  # names that differ
