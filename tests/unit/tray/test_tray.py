"""The tray as a whole, with an agent, a panel and a desktop that only record."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from agent.tray.deeds import Deeds
from agent.tray.menu import Deed, Item
from agent.tray.news import News
from agent.tray.seen import SignIn, SignInState, State
from agent.tray.tray import Tray
from agent.tray.watch import Watch
from tests.fakes.tray import FakeAgent, RecordingNotifier, RecordingPanel, blocked, line


class Desk:
    def __init__(self, folder: Path) -> None:
        self.agent = FakeAgent()
        self.panel = RecordingPanel()
        self.notifier = RecordingNotifier()
        self.now = 0.0
        self.wanted = True
        self.dark = False
        self.answering = threading.Event()
        self.asking = threading.Event()
        self.renewed: list[SignIn] = []
        deeds = Deeds(
            self.agent,
            show=lambda _: True,
            asker=self,
            notifier=self.notifier,
            folder=folder,
            person=lambda: self,  # type: ignore[arg-type,return-value]
        )
        self.tray = Tray(
            Watch(self.agent, user="ann"),
            News(),
            deeds,
            self.notifier,
            tells=lambda: self.wanted,
            dark=lambda: self.dark,
            renew=self.renewed.append,
            clock=lambda: self.now,
        )
        self.tray._panel = self.panel

    def reason(self) -> str:
        self.asking.set()
        self.answering.wait(5)
        return "hotel"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_what_is_seen_is_shown_and_equal_menus_are_not_drawn_anew(desk: Desk) -> None:
    desk.tray.step()
    desk.tray.step()
    assert len(desk.panel.menus) == 1
    desk.agent.status["state"] = "observing"
    desk.tray.step()
    assert [menu.state for menu in desk.panel.menus] == [State.GUARDING, State.OBSERVING]


def test_sums_alone_do_not_close_a_menu_that_somebody_reads(desk: Desk) -> None:
    desk.tray.step()
    desk.agent.me["today"] = {"requests": 3}
    desk.agent.lines.append(line(1))
    desk.now = 5
    desk.tray.step()
    assert len(desk.panel.menus) == 1
    desk.now = 31
    desk.tray.step()
    assert "Today: 3 requests" in desk.panel.labels()


def test_a_block_is_notified_and_in_the_menu_at_once(desk: Desk) -> None:
    desk.tray.step()
    desk.agent.lines.append(blocked(1))
    desk.tray.step()
    assert [title for title, _ in desk.notifier.shown] == [
        "A request of claude-code to claude-opus was blocked"
    ]
    assert any("claude-code blocked: source code in the prompt" in label for label in desk.panel.labels())


def test_who_wants_no_notifications_gets_none_from_then_on(desk: Desk) -> None:
    desk.tray.step()
    desk.wanted = False
    desk.agent.lines.append(blocked(1))
    desk.tray.step()
    assert desk.notifier.shown == []
    assert desk.panel.labels()


def test_who_wishes_quiet_has_it_and_sees_the_tick_at_once(desk: Desk) -> None:
    desk.tray.step()
    desk.tray.choose(desk.panel.find("No notifications"))
    desk.agent.lines.append(blocked(1))
    desk.tray.step()
    assert desk.notifier.shown == []
    assert desk.panel.find("No notifications").checked
    desk.tray.choose(desk.panel.find("No notifications"))
    desk.tray.step()
    assert desk.panel.find("No notifications").checked is False
    desk.agent.lines.append(blocked(2, rules=["another"]))
    desk.tray.step()
    assert len(desk.notifier.shown) == 1


def test_a_desktop_without_notifications_is_said_once(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.notifier.error = "no daemon"
    desk.tray.step()
    for number in range(1, 4):
        desk.agent.lines.append(blocked(number, rules=[str(number)]))
        desk.tray.step()
    assert [record.getMessage() for record in caplog.records] == ["no daemon"]


def test_a_panel_that_becomes_dark_gets_another_icon(desk: Desk) -> None:
    desk.tray.step()
    desk.dark = True
    desk.now = 299
    desk.tray.step()
    desk.now = 300
    desk.tray.step()
    assert desk.panel.dark == [False, True]


def test_a_question_is_asked_once_however_often_it_is_chosen(desk: Desk) -> None:
    desk.tray.step()
    item = desk.panel.find("For 5 minutes")
    desk.tray.choose(item)
    assert desk.asking.wait(5)
    desk.tray._do(item)
    desk.answering.set()
    assert desk.tray._wake.wait(5)
    assert [arguments for verb, arguments in desk.agent.asked if verb == "pause"] == [
        {"minutes": 5, "reason": "hotel"}
    ]


def test_it_runs_until_its_menu_closes_it(desk: Desk) -> None:
    closer = threading.Thread(
        target=lambda: desk.panel.started.wait(5) and desk.tray.choose(Item(deed=Deed.QUIT))
    )
    closer.start()
    desk.tray.run(desk.panel)
    closer.join()


def test_a_bug_ends_it_in_order_and_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.agent.error = RuntimeError("a bug")
    desk.tray.run(desk.panel)
    assert "the tray ends" in caplog.text
    assert desk.tray.failed


def test_the_sign_in_is_looked_after_at_every_look(desk: Desk) -> None:
    desk.agent.me["sign_in"] = {"state": "signed_in", "name": "ada", "renew_at": 5.0}
    desk.tray.step()
    assert desk.renewed == [SignIn(state=SignInState.SIGNED_IN, name="ada", renew_at=5.0)]
