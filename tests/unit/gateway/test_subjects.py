"""Who asks for what, as the gateway knows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from agent.gateway.routing import Route
from agent.gateway.subjects import subject_of, way_for
from agent.model.app import Asker, Evidence
from agent.model.device import NO_DEVICE
from agent.model.identity import Identity
from agent.model.login import NO_LOGIN, Login
from agent.model.surface import Surface
from agent.model.traffic import Target
from agent.policy import Destination
from tests.fakes.audit import CONNECTION
from tests.fakes.rulebooks import rule_book, toy_policy

ROUTE = Route(
    surface=Surface(id="openai", name="OpenAI", provider="openai", hosts=("api.openai.com",)),
    endpoint=None,
    host="api.openai.com",
    path="/v1/x",
    plain_path="/v1/x",
    query=b"",
    target=Target(host="hub.example"),
    upstream="central",
)
FRIDAY_EVENING = datetime(2026, 11, 27, 22, 30).astimezone().timestamp()


def test_a_subject_is_what_route_and_connection_tell() -> None:
    subject = subject_of(ROUTE, CONNECTION, at=FRIDAY_EVENING)
    assert (subject.host, subject.path, subject.surface) == ("api.openai.com", "/v1/x", "openai")
    assert (subject.app, subject.user) == ("codex-cli", "alice")
    assert subject.destination == Destination(kind="central", host="hub.example")
    assert (subject.hour, subject.weekday) == (22, 5)


@pytest.mark.parametrize(
    ("platform", "name"), [("darwin", "macos"), ("win32", "windows"), ("linux", "linux")]
)
def test_the_system_is_named_as_people_name_it(platform: str, name: str) -> None:
    assert subject_of(ROUTE, CONNECTION, at=0, platform=platform).device_os == name


def test_the_subject_knows_the_kind_of_surface_whether_a_model_is_asked_and_the_device() -> None:
    subject = subject_of(ROUTE, CONNECTION, at=0, device=replace(NO_DEVICE, id="dev-1"))
    assert (subject.kind, subject.inference, subject.device) == (
        ROUTE.surface.kind,
        ROUTE.endpoint is not None,
        "dev-1",
    )


def test_the_way_is_the_policys_where_no_program_has_its_own() -> None:
    asker = Asker(app=CONNECTION.app, evidence=Evidence.PROCESS, seen=CONNECTION.app)

    def way(more: str) -> str:
        return way_for(rule_book(toy_policy(more)), CONNECTION, lambda _: (asker, NO_LOGIN), at=0)(ROUTE)

    central = "upstream: {route: central, central: {base_url: 'https://hub.example', virtual_key: 'env:K'}}"
    own = f"apps: {{rules: [{{id: a, apps: [{CONNECTION.app}], state: denied, routing: native}}]}}"
    assert way("") == "native"
    assert way(central) == "central"
    assert way(f"{central}\n{own}") == "native"


def test_what_the_request_tells_stands_beside_what_the_connection_shows() -> None:
    asker = Asker(app="cline", evidence=Evidence.CLAIMED, claimed="cline", seen="vscode", within=("vscode",))
    login = Login(plan="team")
    subject = subject_of(ROUTE, CONNECTION, at=0, asker=asker, login=login)
    assert (subject.app, subject.asker, subject.login) == ("cline", asker, login)
    plain = subject_of(ROUTE, CONNECTION, at=0)
    assert (plain.asker.seen, plain.asker.claimed) == ("codex-cli", "")


def test_groups_of_the_directory_stand_before_the_systems() -> None:
    assert CONNECTION.process is not None
    identity = Identity(issuer="i", subject="1", name="ada@example.com", groups=("engineering",))
    process = replace(CONNECTION.process, groups=("staff",), identity=identity)
    device = replace(NO_DEVICE, groups=("kiosks",))
    subject = subject_of(ROUTE, replace(CONNECTION, process=process), at=FRIDAY_EVENING, device=device)
    assert subject.groups == ("kiosks", "engineering", "staff")
    assert subject.names == ("alice", "ada@example.com")
    assert subject.about("gpt", size=1, attachments=()).identity is identity
