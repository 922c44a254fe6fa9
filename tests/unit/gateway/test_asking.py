"""Who asks, by one way for every door."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.accounts.accounts import ANYBODY, Accounts
from agent.accounts.local import LocalStore
from agent.gateway.asking import Asking, places_without_our_keys
from agent.gateway.routing import Route
from agent.gateway.transport.base import Headers
from agent.gateway.wire import ClientRequest
from agent.inspection import RuleBook
from agent.model.app import Evidence
from agent.model.device import Device
from agent.model.login import LoginKind
from agent.model.traffic import Connection, Process, Tier
from tests.unit.gateway.conftest import policy

KIOSK = Device(id="dev-1", hostname="k", os_name="Linux", os_version="", groups=("kiosks",))
ANN = Process(pid=7, name="curl", user="ann", groups=("finance", "staff"))
OURS = b"sk-db-" + b"a" * 40
BOUND = """
accounts:
  virtual_keys: [{id: for-groups}, {id: for-apps}]
  bindings:
    - {key: for-groups, groups: [finance], devices: [dev-1]}
    - {key: for-apps, apps: [codex]}
"""


def asking(rules: RuleBook) -> Asking:
    section = rules.policy.accounts
    return Asking(Accounts(section, store=LocalStore(Path("never-opened.db"))), KIOSK)


def request(*fields: tuple[bytes, bytes], process: Process | None = ANN, app: str = "") -> ClientRequest:
    connection = Connection(
        id="c",
        tier=Tier.RELAY,
        connect_host="api.openai.com",
        sni="api.openai.com",
        process=process,
        app=app,
        evidence=Evidence.PROCESS if app else Evidence.NONE,
    )
    headers: Headers = ((b"host", b"api.openai.com"), *fields)
    return ClientRequest(connection=connection, method="POST", target=b"/v1/responses", headers=headers)


def routed(made: Asking, rules: RuleBook, asked: ClientRequest) -> Route:
    route = made.route(rules, asked, at=0.0)
    assert isinstance(route, Route)
    return route


def test_a_subject_has_the_devices_groups_before_the_users(rules: RuleBook) -> None:
    made, asked = asking(rules), request()
    route = routed(made, rules, asked)
    subject = made.subject(made.who(rules, asked, route), route, asked.connection, at=0.0)
    assert (subject.user, subject.device) == ("ann", "dev-1")
    assert subject.groups == ("kiosks", "finance", "staff")


def test_a_key_of_ours_is_a_virtual_login_and_travels_no_further(rules: RuleBook) -> None:
    made, asked = asking(rules), request((b"authorization", b"Bearer " + OURS), (b"x-app", b"cli"))
    route = routed(made, rules, asked)
    who = made.who(rules, asked, route)
    assert (who.login.kind, who.login.key_type) == (LoginKind.API_KEY, "virtual")
    assert (who.asker.app, who.asker.evidence) == ("claude-code", Evidence.CLAIMED)
    assert places_without_our_keys(asked, route) == (0, 2)
    assert places_without_our_keys(request(), route) is None


@policy(BOUND)
def test_keys_are_bound_to_groups_devices_and_to_apps_that_are_not_only_claimed(rules: RuleBook) -> None:
    made = asking(rules)

    def key(asked: ClientRequest) -> str:
        route = routed(made, rules, asked)
        principal = made.principal(made.who(rules, asked, route), asked, route, at=0.0)
        return getattr(principal, "key_id", "refused")

    assert key(request()) == "for-groups"
    assert key(request(process=None, app="codex")) == "for-apps"
    assert key(request((b"originator", b"codex_cli_rs"), process=None)) == ""


def test_without_accounts_anybody_may_pay(rules: RuleBook) -> None:
    made = Asking(Accounts(None, store=LocalStore(Path("never-opened.db"))))
    asked = request()
    route = routed(made, rules, asked)
    assert made.principal(made.who(rules, asked, route), asked, route, at=0.0) is ANYBODY


@pytest.mark.parametrize("tier", list(Tier))
async def test_where_programs_are_unknown_a_connection_stays_as_it_is(tier: Tier) -> None:
    made = Asking(Accounts(None, store=LocalStore(Path("never-opened.db"))))
    connection = Connection(id="c", tier=tier)
    assert await made.identified(connection, ("127.0.0.1", 1)) is connection
    assert made.latest(connection) is connection
