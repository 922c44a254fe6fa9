"""The stand-in and a pause are told the hosts that fail closed, as the policy in force has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.standin_file import read_standin
from agent.upkeep.standin import StandInKeeper
from tests.fakes.rulebooks import rule_book, toy_policy

CLOSED = rule_book(toy_policy("fail: {default: closed, hosts: {api.openai.com: open}}"))
OPEN = rule_book(toy_policy("fail: {default: open}"))


def test_what_the_policy_closes_is_refused_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "standin.json"
    keeper = StandInKeeper(file)
    assert not keeper.refuses("api.anthropic.com")
    keeper.follow(CLOSED)
    assert [keeper.refuses(host) for host in ("api.anthropic.com", "api.openai.com", "a.example")] == [
        True,
        False,
        False,
    ]
    assert not file.exists()
    keeper.keep(CLOSED, "the PAC file")
    kept = read_standin(file)
    assert (kept.pac, kept.refuses("api.anthropic.com"), kept.refuses("api.openai.com")) == (
        "the PAC file",
        True,
        False,
    )
    keeper.keep(OPEN, "")
    assert not keeper.refuses("api.anthropic.com")
    assert not read_standin(file).refuses("api.anthropic.com")


def test_a_file_that_cannot_be_written_is_said_and_the_rules_hold(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    keeper = StandInKeeper(tmp_path / "file" / "standin.json")
    keeper.keep(CLOSED, "")
    assert keeper.refuses("api.anthropic.com")
    assert [record.levelname for record in caplog.records] == ["ERROR"]
