"""Signing in and out from the command line, with a browser that follows where it is led."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.cli.sign_in import standing_line
from agent.control.verbs import SignInToken
from agent.host.paths import StatePaths, sign_in_directory
from tests.fakes.command_line import Drawbridge
from tests.fakes.identity_provider import CLIENT, Browser, IdentityProvider, identity_provider
from tests.fakes.running_agent import FACTS, answering_agent

STANDING = {
    "state": "signed_in",
    "name": "ada@example.com",
    "full_name": "Ada [Lovelace]",
    "groups": [f"g{n}" for n in range(12)],
    "groups_left_out": False,
    "until": 1_800_000_000.0,
}


class Desk:
    """An agent that believes every token."""

    def __init__(self, provider: IdentityProvider) -> None:
        self.offer = {
            "issuer": provider.issuer,
            "client": CLIENT,
            "scopes": ["openid"],
            "port": 0,
            "device_code": True,
            "nonce": "n",
        }
        self.tokens: list[str] = []
        self.told = {
            "begin-sign-in": lambda _: self.offer,
            "sign-in": self.take,
            "sign-out": lambda _: {"was": "ada@example.com"},
            "me": lambda _: {"sign_in": {"state": "signed_out", **self.offer}},
        }

    def take(self, wish: SignInToken) -> dict[str, Any]:
        self.tokens.append(wish.id_token)
        return STANDING


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as made:
        yield made


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Browser]:
    made = Browser()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("webbrowser.open", made)
    monkeypatch.setattr("agent.signin.here.system_backend", lambda: None)
    yield made
    made.close()


def test_it_says_who_has_signed_in(
    drawbridge: Drawbridge, tmp_path: Path, provider: IdentityProvider, browser: Browser
) -> None:
    desk = Desk(provider)
    with answering_agent(StatePaths.under(tmp_path / "state"), desk.told):
        result = drawbridge("sign-in")
        assert result.exit_code == 0, result.output
        assert "signed in as ada@example.com (Ada [Lovelace])" in result.stdout
        assert "and 2 more" in result.stdout
        assert len(desk.tokens) == 1
        assert desk.tokens[0] not in result.output
        kept = (sign_in_directory() / "session.json").read_text()
        assert json.loads(kept)["refresh_token"] not in result.output
        renewed = drawbridge("sign-in", "--renew", "--json")
        assert json.loads(renewed.stdout)["state"] == "signed_in"
        assert len(browser.opened) == 1
        out = drawbridge("sign-out", "--everywhere")
    assert "ada@example.com is signed out" in out.stdout
    assert browser.opened[-1].startswith(f"{provider.issuer}/logout")
    assert len(provider.revoked) == 1
    assert not (sign_in_directory() / "session.json").exists()


def test_a_code_is_shown_with_a_warning(
    drawbridge: Drawbridge,
    tmp_path: Path,
    provider: IdentityProvider,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agent.signin.device_code._SHORTEST", 0.0)
    with answering_agent(StatePaths.under(tmp_path / "state"), Desk(provider).told):
        result = drawbridge("sign-in", "--code")
    assert result.exit_code == 0, result.output
    assert "ABCD-EFGH" in result.stderr
    assert "Only type a code" in result.stderr
    assert browser.opened == []


def test_nothing_to_renew_is_a_failure(
    drawbridge: Drawbridge, tmp_path: Path, provider: IdentityProvider, browser: Browser
) -> None:
    with answering_agent(StatePaths.under(tmp_path / "state"), Desk(provider).told):
        result = drawbridge("sign-in", "--renew")
    assert (result.exit_code, "drawbridge sign-in" in result.stderr) == (1, True)


def test_a_provider_that_cannot_be_told_is_said(
    drawbridge: Drawbridge, tmp_path: Path, provider: IdentityProvider, browser: Browser
) -> None:
    with answering_agent(StatePaths.under(tmp_path / "state"), Desk(provider).told):
        drawbridge("sign-in")
        provider.bodies["/tenant/.well-known/openid-configuration"] = b"gone"
        result = drawbridge("sign-out")
    assert (result.exit_code, "could not be told" in result.stderr) == (1, True)


def test_no_agent_is_said(drawbridge: Drawbridge) -> None:
    result = drawbridge("sign-in")
    assert (result.exit_code, "not running" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("standing", "line"),
    [
        ({"state": "not_set_up"}, ""),
        ({"state": "signed_in", "name": "ada"}, "signed in as ada"),
        ({"state": "grace", "name": "ada", "until": 0.0}, "signed in as ada, not renewed, until"),
        ({"state": "expired", "name": "ada"}, "the sign-in of ada has expired"),
        ({"state": "signed_out"}, "signed out"),
        ({"state": "signed_out", "why": "refused"}, "signed out: the identity provider would not renew it"),
        ({}, ""),
    ],
)
def test_a_line_says_how_a_person_stands(standing: dict[str, Any], line: str) -> None:
    assert standing_line(standing).startswith(line)
    assert bool(standing_line(standing)) is bool(line)


def test_the_status_has_that_line(drawbridge: Drawbridge, tmp_path: Path) -> None:
    told = {"status": lambda _: {**FACTS, "sign_in": {"state": "signed_in", "name": "ada"}}}
    with answering_agent(StatePaths.under(tmp_path / "state"), told):
        assert "signed in as ada" in drawbridge("status").stdout
    told = {"status": lambda _: {**FACTS, "sign_in": {"state": "not_set_up"}}}
    with answering_agent(StatePaths.under(tmp_path / "state"), told):
        assert "sign in" not in drawbridge("status").stdout
