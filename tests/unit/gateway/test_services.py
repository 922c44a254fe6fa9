"""How services are reached that we ask for ourselves."""

from __future__ import annotations

from pathlib import Path

from agent.gateway.services import towards_services
from agent.host.setting_values import Resolve
from agent.host.settings import Settings


def test_as_upstreams_are() -> None:
    found = towards_services(
        Settings(
            state_dir=Path("/x"),
            upstream_proxy="http://proxy.example:3128",
            upstream_direct=("*.corp.example",),
            resolve=(Resolve.parse("a.example:443=127.0.0.1:8443"),),
        )
    )
    assert found.proxy_for("id.example") == "http://proxy.example:3128"
    assert found.proxy_for("id.corp.example") == ""
    assert found.resolve == {("a.example", 443): ("127.0.0.1", 8443)}


def test_without_a_proxy_directly() -> None:
    assert towards_services(Settings(state_dir=Path("/x"))).proxy_for("id.example") == ""
