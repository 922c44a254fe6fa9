"""Who asked, as the trail tells it."""

from __future__ import annotations

from dataclasses import replace

from agent.audit.who import Introductions
from agent.model.app import UNKNOWN_ASKER, Asker, Evidence
from agent.model.login import NO_LOGIN, Login, LoginKind
from tests.fakes.audit import CONNECTION

ASKER = Asker(app="codex-cli", evidence=Evidence.PROCESS, seen="codex-cli")
LOGIN = Login(kind=LoginKind.API_KEY, tail="abcd", organisation="acme")


def test_who_asked_is_told() -> None:
    told = Introductions("laptop").of(CONNECTION, ASKER, LOGIN)
    assert told.actor["app_name"] == "codex-cli"
    assert told.actor["session"] == {"credential_uid": "…abcd"}
    assert told.source == {"hostname": "laptop", "ip": "127.0.0.1", "port": 50123}
    assert told.connection["id"] == "c1"
    assert told.asker["seen"] == "codex-cli"
    assert told.login["organisation"] == "acme"


def test_a_connection_is_described_once() -> None:
    introductions = Introductions("laptop")
    first = introductions.of(CONNECTION, ASKER, LOGIN)
    assert introductions.of(CONNECTION, ASKER, LOGIN) is first
    assert introductions.of(CONNECTION, replace(ASKER), replace(LOGIN)) is first  # equal, though made anew


def test_what_is_found_out_later_is_told() -> None:
    introductions = Introductions("laptop")
    assert introductions.of(CONNECTION, UNKNOWN_ASKER, NO_LOGIN).login == {}
    assert introductions.of(CONNECTION, UNKNOWN_ASKER, LOGIN).login["tail"] == "abcd"
    assert introductions.of(CONNECTION, ASKER, LOGIN).asker["app"] == "codex-cli"
    assert introductions.of(replace(CONNECTION, id="c2"), ASKER, LOGIN).connection["id"] == "c2"


def test_few_connections_are_remembered() -> None:
    introductions = Introductions("laptop")
    first = introductions.of(CONNECTION, ASKER, LOGIN)
    held = [replace(CONNECTION, id=f"c{number}") for number in range(300)]
    for each in held:
        introductions.of(each, ASKER, LOGIN)
    again = introductions.of(CONNECTION, ASKER, LOGIN)
    assert again == first
    assert again is not first
