"""Who is behind a connection: asked once, waited for briefly, never lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from agent.catalog.apps import bundled_apps
from agent.catalog.recognition import Apps
from agent.host.attribution import Attribution
from agent.host.groups import UserGroups
from agent.host.processes import Endpoint
from agent.host.signatures import Signatures
from agent.model.app import Evidence
from agent.model.identity import NO_IDENTITY, Identity
from agent.model.traffic import Connection, Process, Program, Signature, Tier
from tests.fakes.host import FakeFinder, FakeVerifier

APPS = Apps(bundled_apps())
CLIENT, SERVER = ("127.0.0.1", 50_000), ("127.0.0.1", 7717)
CLAUDE = Process(
    pid=7,
    name="claude",
    executable="/x/claude",
    started=5.0,
    line=(
        Program(name="claude", executable="/x/claude"),
        Program(name="code", executable="/usr/share/code/code"),
    ),
)
CONNECTION = Connection(id="c", tier=Tier.RELAY, client_address=CLIENT)


class SlowFinder(FakeFinder):
    """Answers when it is let."""

    def __init__(self, process: Process | None) -> None:
        super().__init__(process)
        self.let = threading.Event()

    def find(self, client: Endpoint, server: Endpoint) -> Process | None:
        self.let.wait(20)
        return super().find(client, server)


class SlowVerifier(FakeVerifier):
    """Answers when it is let."""

    def __init__(self, signatures: Mapping[str, Signature]) -> None:
        super().__init__(signatures)
        self.let = threading.Event()

    def verify(self, executable: str) -> Signature:
        self.let.wait(20)
        return super().verify(executable)


async def test_a_connection_gets_its_program_and_app() -> None:
    finder = FakeFinder(CLAUDE)
    attribution = Attribution(finder, lambda: APPS)
    found = await attribution.identified(CONNECTION, SERVER)
    assert (found.process, found.app, found.evidence, found.within) == (
        CLAUDE,
        "claude-code",
        Evidence.PROCESS,
        ("vscode",),
    )
    assert await attribution.process(CLIENT, SERVER) == CLAUDE
    attribution.close()


async def test_a_connection_is_asked_about_once_whatever_came_of_it() -> None:
    finder = FakeFinder(None)
    attribution = Attribution(finder, lambda: APPS)
    for _ in range(3):
        assert await attribution.identified(CONNECTION, SERVER) == CONNECTION
    assert finder.asked == [(CLIENT, SERVER)]
    attribution.close()


async def test_nobody_is_asked_about_a_client_without_address() -> None:
    finder = FakeFinder(CLAUDE)
    attribution = Attribution(finder, lambda: APPS)
    unknown = Connection(id="u", tier=Tier.BASE_URL)
    assert await attribution.identified(unknown, SERVER) == unknown
    assert finder.asked == []
    attribution.close()


async def test_what_comes_late_is_there_afterwards() -> None:
    finder = SlowFinder(CLAUDE)
    attribution = Attribution(finder, lambda: APPS, seconds=0.05)
    begun = time.monotonic()
    assert (await attribution.identified(CONNECTION, SERVER)).process is None
    assert time.monotonic() - begun < 2
    assert attribution.latest(CONNECTION) == CONNECTION
    finder.let.set()
    while (found := attribution.latest(CONNECTION)).process is None:
        await asyncio.sleep(0.005)
    assert found.app == "claude-code"
    assert await attribution.identified(CONNECTION, SERVER) == found
    assert len(finder.asked) == 1
    attribution.close()


async def test_a_signature_counts_from_when_it_is_known(tmp_path: Path) -> None:
    program = tmp_path / "claude"
    program.touch()
    signed = Signature(
        signer="Anthropic PBC", team="Q6L2SF6YDW", identifier="com.anthropic.claude-code", verified=True
    )
    verifier = SlowVerifier({str(program): signed})
    signatures = Signatures(verifier)
    process = Process(pid=7, name="claude", executable=str(program), started=time.time() + 60)
    attribution = Attribution(FakeFinder(process), lambda: APPS, signatures)
    found = await attribution.identified(CONNECTION, SERVER)
    assert found.evidence is Evidence.PROCESS
    assert attribution.latest(found) is found
    verifier.let.set()
    await asyncio.to_thread(signatures.settle)
    later = attribution.latest(found)
    assert later.process is not None
    assert (later.app, later.evidence, later.process.signer) == (
        "claude-code",
        Evidence.SIGNED,
        "Anthropic PBC",
    )
    assert attribution.latest(later) is later
    another = Connection(id="d", tier=Tier.RELAY, client_address=CLIENT)
    assert (await attribution.identified(another, SERVER)).evidence is Evidence.SIGNED
    attribution.close()


async def test_a_finder_that_breaks_is_no_program(caplog: object) -> None:
    class Broken(FakeFinder):
        def find(self, client: Endpoint, server: Endpoint) -> Process | None:
            raise RuntimeError("no")

    attribution = Attribution(Broken(), lambda: APPS)
    assert (await attribution.identified(CONNECTION, SERVER)).process is None
    attribution.close()


async def test_once_closed_nobody_is_found() -> None:
    attribution = Attribution(FakeFinder(CLAUDE), lambda: APPS)
    attribution.close()
    assert (await attribution.identified(CONNECTION, SERVER)).process is None


async def test_a_new_policy_tells_apps_anew() -> None:
    apps = APPS
    attribution = Attribution(FakeFinder(CLAUDE), lambda: apps)
    await attribution.identified(CONNECTION, SERVER)
    apps = Apps(())
    another = Connection(id="d", tier=Tier.RELAY, client_address=CLIENT)
    assert (await attribution.identified(another, SERVER)).app == ""
    attribution.close()


async def test_the_groups_of_its_user_are_there_too_and_change_with_them() -> None:
    now = [0.0]
    known = {"ann": ("finance",)}

    class Directory:
        def groups(self, user: str) -> tuple[str, ...]:
            return known[user]

    groups = UserGroups(Directory(), lambda: now[0], wait=5)
    attribution = Attribution(FakeFinder(replace(CLAUDE, user="ann")), lambda: APPS, groups=groups, seconds=5)
    connection = await attribution.identified(CONNECTION, SERVER)
    assert connection.process is not None
    assert connection.process.groups == ("finance",)
    known["ann"], now[0] = (), 301.0
    while (connection := attribution.latest(connection)).process.groups:  # type: ignore[union-attr]
        await asyncio.sleep(0.002)
    attribution.close()


async def test_who_has_signed_in_is_told_at_each_exchange() -> None:
    people: dict[str, Identity] = {}
    ada = Identity(issuer="i", subject="1", name="ada@example.com")
    attribution = Attribution(
        FakeFinder(replace(CLAUDE, user="ann")),
        lambda: APPS,
        signed_in=lambda user: people.get(user, NO_IDENTITY),
        seconds=5,
    )
    connection = await attribution.identified(CONNECTION, SERVER)
    seen = []
    for now in ({}, {"ann": ada}, {"bob": ada}):
        people.clear()
        people.update(now)
        connection = attribution.latest(connection)
        assert connection.process is not None
        seen.append(connection.process.identity)
    assert seen == [NO_IDENTITY, ada, NO_IDENTITY]  # signing out counts for connections that are open
    assert attribution.latest(connection) is connection
    attribution.close()
