"""Who may do what: the account of the kernel decides, the table says, the trail remembers."""

from __future__ import annotations

from typing import Any

import pytest

from agent.control.api import HOST, ControlApi
from agent.control.caller import Caller
from agent.control.http import Answer, Request
from agent.control.verbs import VERBS, Role
from agent.errors import ConfigError
from agent.host.peers import Account, Operators, Peer
from agent.model.record import IncidentKind

ROOT, OWN, ADMIN, NAMED, ORDINARY = (Peer(uid=uid, pid=40 + uid) for uid in range(5))
ACCOUNTS = {
    0: Account(name="root"),
    1: Account(name="drawbridge"),
    2: Account(name="ada", groups=frozenset({"sudo"})),
    3: Account(name="olga", groups=frozenset({"staff"})),
    4: Account(name="ann", groups=frozenset({"users"})),
}
JSON = {"host": HOST, "content-type": "application/json"}


class House:
    """An API whose verbs all answer who asked, and what was recorded."""

    def __init__(self) -> None:
        self.recorded: list[dict[str, str]] = []
        self.failing = ""
        operators = Operators(["@staff"], own_uid=1, lookup=ACCOUNTS.__getitem__, platform="linux")
        self.api = ControlApi({verb.name: self.handle for verb in VERBS}, operators, self.note)

    async def handle(self, caller: Caller, wish: Any) -> object:
        if self.failing:
            raise ConfigError(self.failing, hint="mend it")
        return {"name": caller.name, "role": caller.role.name}

    async def note(self, kind: IncidentKind, message: str, detail: tuple[tuple[str, str], ...]) -> None:
        assert kind is IncidentKind.CONTROL
        self.recorded.append({**dict(detail), "message": message})

    async def get(self, verb: str, peer: Peer | None = ORDINARY, **headers: str) -> Answer:
        return await self.api(
            Request(method="GET", path=f"/v1/{verb}", headers={"host": HOST, **headers}), peer
        )

    async def post(self, verb: str, peer: Peer | None, body: bytes = b"{}") -> Answer:
        return await self.api(Request(method="POST", path=f"/v1/{verb}", headers=JSON, body=body), peer)


ORDER = b'{"minutes": 5, "reason": "x"}'


@pytest.mark.parametrize("peer", [ROOT, OWN, ADMIN, NAMED])
async def test_administrators_and_named_accounts_may_change_things(peer: Peer) -> None:
    house = House()
    assert (await house.post("pause", peer, ORDER)).status == 200
    assert b"OPERATOR" in (await house.get("status", peer)).body


async def test_everybody_else_may_look() -> None:
    house = House()
    for verb in VERBS:
        if verb.method == "GET" and verb.role is Role.USER:
            answer = await house.get(verb.name)
            assert (answer.status, b"USER" in answer.body) == (200, True)
    assert (await house.get("diag")).status == 403
    assert (await house.post("pause", ORDINARY, ORDER)).status == 403
    assert (await house.post("resume", ORDINARY)).status == 403


async def test_what_changes_things_is_recorded_with_uid_and_pid() -> None:
    house = House()
    await house.get("status")
    await house.post("pause", ORDINARY, ORDER)
    await house.post("pause", ADMIN, ORDER)
    await house.post("pause", ADMIN, b"[]")
    house.failing = "the policy allows no pause"
    refused = await house.post("pause", ADMIN, ORDER)
    assert (refused.status, b"mend it" in refused.body) == (409, True)
    told = [(each["user"], each["uid"], each["pid"], each["status"]) for each in house.recorded]
    assert told == [
        ("ann", "4", "44", "403"),
        ("ada", "2", "42", "200"),
        ("ada", "2", "42", "400"),
        ("ada", "2", "42", "409"),
    ]
    assert house.recorded[0]["message"] == "ann asked for pause: refused"


@pytest.mark.parametrize("name", ["origin", "referer", "sec-fetch-site"])
async def test_what_a_browser_sends_is_refused_whoever_runs_it(name: str) -> None:
    house = House()
    assert (await house.get("status", ROOT, **{name: "x"})).status == 403


async def test_whoever_nobody_knows_is_refused() -> None:
    assert (await House().get("status", None, authorization="Bearer ")).status == 401


@pytest.mark.parametrize(
    ("verb", "body"), [("begin-sign-in", b"{}"), ("sign-in", b'{"id_token": "a.b.c"}'), ("sign-out", b"{}")]
)
async def test_everybody_signs_in_for_himself_and_no_web_page_for_anybody(verb: str, body: bytes) -> None:
    house = House()
    answer = await house.post(verb, ORDINARY, body)
    assert (answer.status, b'"ann"' in answer.body) == (200, True)
    assert house.recorded[-1]["user"] == "ann"
    assert (await house.post(verb, ORDINARY, b'{"account": "root", "id_token": "x"}')).status == 400
    for field in ("origin", "referer", "sec-fetch-site"):
        request = Request(method="POST", path=f"/v1/{verb}", headers={**JSON, field: "null"}, body=body)
        assert (await house.api(request, ORDINARY)).status == 403
    assert (await house.get(verb)).status == 405
    assert (await house.post(verb, None, body)).status == 401
