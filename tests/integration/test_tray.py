"""The tray beside a real agent: what is blocked is notified and in the menu, and a pause is had by it. Only the panel
and the desktop's notifications are recorded instead of shown."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.control.client import Control
from agent.host.settings import Settings
from agent.signin.here import web_of
from agent.signin.person import Person
from agent.signin.token_store import TokenStore
from agent.tray.deeds import Deeds
from agent.tray.menu import Deed
from agent.tray.news import News
from agent.tray.seen import State
from agent.tray.tray import Tray
from agent.tray.watch import Watch
from tests.fakes.tray import RecordingNotifier, RecordingPanel
from tests.integration.agent_process import AgentProcess, wait_until
from tests.integration.prompts import CHAT, made_up_key
from tests.integration.stage import Stage, dialling

POLICY = """\
schema_version: 1
id: house
pause: {allow: with_reason, max_minutes: 15}
guardrails:
  - {id: secrets, detect: [secret], action: block}
"""
SECONDS = 20.0  # several looks


class Desk:
    """A person's tray."""

    def __init__(self, agent: AgentProcess, folder: Path) -> None:
        self.panel = RecordingPanel()
        self.notifier = RecordingNotifier()
        self.addresses: list[str] = []
        self.browser: Callable[[str], bool] = lambda _: True
        settings = Settings(state_dir=agent.paths.root)
        control = Control(settings)
        person = Person(control, web_of(settings), TokenStore(folder / "person", None))
        deeds = Deeds(
            control,
            show=self.show,
            asker=self,
            notifier=self.notifier,
            folder=folder,
            person=lambda: person,
        )
        watch = Watch(control, user="desk")
        self.tray = Tray(watch, News(), deeds, self.notifier, tells=lambda: True, dark=lambda: False)
        self._thread = threading.Thread(target=self.tray.run, args=(self.panel,))

    def __enter__(self) -> Desk:
        self._thread.start()
        wait_until(lambda: bool(self.panel.menus), "a menu", seconds=SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self.tray.close()
        self._thread.join(SECONDS)

    def show(self, address: str) -> bool:
        self.addresses.append(address)
        return self.browser(address)

    def reason(self) -> str:
        return "the hotel's network"

    def wait_for(self, state: State) -> None:
        wait_until(lambda: self.panel.menus[-1].state is state, str(state), seconds=SECONDS)


@pytest.fixture
def agent(stage: Stage, tmp_path: Path) -> Iterator[AgentProcess]:
    with stage.agent(tmp_path, policy=POLICY) as agent:
        yield agent


def test_a_block_is_notified_and_in_the_menu_and_leads_to_its_event(
    agent: AgentProcess, tmp_path: Path
) -> None:
    secret = made_up_key()
    with Desk(agent, tmp_path) as desk:
        assert desk.panel.menus[-1].state is State.GUARDING
        with dialling(agent) as dial:
            dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body(secret))
        wait_until(lambda: bool(desk.notifier.shown), "a notification", seconds=SECONDS)
        [(title, text)] = desk.notifier.shown
        assert title.endswith("was blocked")
        assert "drawbridge explain" in text
        wait_until(lambda: "Last decisions" in desk.panel.labels(), "the decision", seconds=SECONDS)
        assert "Today: 1 request, 1 blocked" in desk.panel.labels()
        item = next(each for each in desk.panel.find("Last decisions").items)
        desk.panel.choose(item)
        wait_until(lambda: bool(desk.addresses), "the dashboard", seconds=SECONDS)
        assert desk.addresses[0].endswith(f"#event={agent.trail.events(kind='exchange')[0].id}")
        assert agent.drawbridge("explain", text[-8:]).returncode == 0
        assert secret not in str(desk.notifier.shown) + str(desk.panel.menus)


def test_a_pause_is_had_by_the_menu_and_ended_by_it(agent: AgentProcess, tmp_path: Path) -> None:
    with Desk(agent, tmp_path) as desk:
        offered = [item.argument for item in desk.panel.find("Pause …").items]
        assert offered == ["5", "15"]
        desk.panel.choose(desk.panel.find("For 15 minutes"))
        desk.wait_for(State.PAUSED)
        assert "Because: the hotel's network" in desk.panel.labels()
        desk.panel.choose(desk.panel.find("Guard again"))
        desk.wait_for(State.GUARDING)
        wait_until(lambda: bool(desk.notifier.shown), "a notification", seconds=SECONDS)
        assert desk.notifier.shown == [("Drawbridge: guarding", "The pause is over.")]
    [row] = agent.trail.events(kind="paused")
    assert "the hotel's network" in agent.event_text(row)


def test_what_becomes_wrong_is_told_with_its_cause(agent: AgentProcess, tmp_path: Path) -> None:
    with Desk(agent, tmp_path) as desk:
        (tmp_path / "policy.yaml").write_text("schema_version: 1\nid: house\nguardrail: []\n")
        agent.signal(signal.SIGHUP)
        desk.wait_for(State.DEGRADED)
        wait_until(lambda: bool(desk.notifier.shown), "a notification", seconds=SECONDS)
        [(title, text)] = desk.notifier.shown
        assert title == "Drawbridge: The policy on disk was refused"
        assert "drawbridge policy check" in text
        assert desk.panel.labels()[0] == "The policy on disk was refused"


def test_an_agent_that_ends_is_told_and_its_menu_offers_nothing(agent: AgentProcess, tmp_path: Path) -> None:
    with Desk(agent, tmp_path) as desk:
        agent.stop()
        wait_until(lambda: bool(desk.notifier.shown), "a notification", seconds=SECONDS)
        assert desk.notifier.shown == [
            ("Drawbridge is not running", "AI traffic is not guarded by this agent.")
        ]
        assert {item.deed for item in desk.panel.menus[-1].items} == {Deed.NOTHING, Deed.QUIET, Deed.QUIT}


def test_a_program_that_may_not_ask_is_notified_too(stage: Stage, tmp_path: Path) -> None:
    closed = "schema_version: 1\nid: closed\napps: {default: denied}\n"
    with (
        stage.agent(tmp_path, policy=closed) as agent,
        Desk(agent, tmp_path) as desk,
        dialling(agent) as dial,
    ):
        dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hello"))
        wait_until(lambda: bool(desk.notifier.shown), "a notification", seconds=SECONDS)
        [(title, text)] = desk.notifier.shown
        assert title.endswith("was blocked")
        assert "is not allowed" in text
