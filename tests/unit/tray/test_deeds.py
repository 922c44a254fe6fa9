"""What choosing a line of the menu does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import ConfigError, HostError
from agent.signin.person import SignedOut
from agent.tray.deeds import Deeds
from agent.tray.menu import Deed, Item
from agent.tray.seen import PauseRules
from tests.fakes.tray import FakeAgent, RecordingNotifier

ASKS = PauseRules(may=True, reason=True, max_minutes=30)
FREE = PauseRules(may=True, reason=False, max_minutes=30)


class House:
    def __init__(self, folder: Path, *, reason: str = "", browser: bool = True) -> None:
        self.agent = FakeAgent()
        self.notifier = RecordingNotifier()
        self.addresses: list[str] = []
        self.browser = browser
        self.said = reason
        self.asked = 0
        self.problem = ""
        self.deeds = Deeds(
            self.agent,
            show=self.show,
            asker=self,
            notifier=self.notifier,
            folder=folder,
            person=lambda: self,  # type: ignore[arg-type,return-value]
        )

    def sign_in(self, show: Callable[[str], bool]) -> dict[str, str]:
        if not show("https://id.example/authorize"):
            raise HostError("no browser was found")
        return {"name": "ada@example.com"}

    def sign_out(self) -> SignedOut:
        return SignedOut(was="ada@example.com", problem=self.problem)

    def show(self, address: str) -> bool:
        self.addresses.append(address)
        return self.browser

    def reason(self) -> str:
        self.asked += 1
        return self.said

    def do(self, deed: Deed, argument: str = "", rules: PauseRules = ASKS) -> None:
        self.deeds.do(Item(label="x", deed=deed, argument=argument), rules)


def test_the_dashboard_opens_at_the_event_that_was_chosen(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.do(Deed.DASHBOARD)
    house.do(Deed.DASHBOARD, "01-ab")
    house.do(Deed.NOTICE)
    assert house.addresses == [
        "http://127.0.0.1:1/enter?ticket=t",
        "http://127.0.0.1:1/enter?ticket=t#event=01-ab",
        "http://127.0.0.1:1/notice",
    ]


def test_without_a_browser_the_command_is_told(tmp_path: Path) -> None:
    house = House(tmp_path, browser=False)
    house.do(Deed.DASHBOARD)
    assert "drawbridge dashboard --print" in house.notifier.shown[0][1]


def test_a_reason_is_asked_for_where_the_policy_wants_one(tmp_path: Path) -> None:
    house = House(tmp_path, reason="hotel")
    house.do(Deed.PAUSE, "15")
    assert house.agent.asked == [("pause", {"minutes": 15, "reason": "hotel"})]
    house.do(Deed.PAUSE, "5", FREE)
    assert house.agent.asked[1:] == [("pause", {"minutes": 5, "reason": ""})]
    assert house.asked == 1


def test_who_gives_no_reason_pauses_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.do(Deed.PAUSE, "15")
    assert house.agent.asked == []
    assert house.notifier.shown == []


def test_a_refusal_is_told_with_its_remedy(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.agent.refused["resume"] = ConfigError("resume is for administrators", hint="Run it with sudo.")
    house.do(Deed.RESUME)
    assert house.notifier.shown == [
        ("Drawbridge could not do that", "resume is for administrators\nRun it with sudo.")
    ]


@pytest.mark.parametrize("operator", [True, False])
def test_diagnostics_are_saved_for_their_owner_alone(tmp_path: Path, operator: bool) -> None:
    house = House(tmp_path)
    if not operator:
        house.agent.refused["diag"] = ConfigError("for administrators")
    house.do(Deed.DIAGNOSTICS)
    [file] = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text()) == ({"verb": "diag"} if operator else house.agent.status)
    assert str(file) in house.notifier.shown[0][1]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    house = House(tmp_path / "missing")
    house.do(Deed.DIAGNOSTICS)
    assert "cannot write" in house.notifier.shown[0][1]


def test_signing_in_opens_the_providers_page(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.do(Deed.SIGN_IN)
    assert house.addresses == ["https://id.example/authorize"]
    assert house.notifier.shown == [("Signed in", "as ada@example.com")]
    house.browser = False
    house.do(Deed.SIGN_IN)
    assert "no browser" in house.notifier.shown[-1][1]


def test_signing_out_says_what_did_not_work(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.do(Deed.SIGN_OUT)
    assert house.notifier.shown == []
    house.problem = "it does not answer"
    house.do(Deed.SIGN_OUT)
    assert "it does not answer" in house.notifier.shown[0][1]
