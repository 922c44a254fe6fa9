"""Who asks for what, from what is known before a request is read."""

from __future__ import annotations

import sys
import time

from agent.gateway.routing import Route, Way, way_of_policy
from agent.inspection import RuleBook
from agent.model.traffic import Connection
from agent.policy import Destination, Subject, approval


def subject_of(
    route: Route, connection: Connection, *, at: float, platform: str = sys.platform, device: str = ""
) -> Subject:
    """The subject of an exchange that came at the Unix time `at`. `device` is this machine's id."""
    moment = time.localtime(at)
    return Subject(
        host=route.host,
        path=route.plain_path,
        surface=route.surface.id,
        kind=route.surface.kind.value,
        inference=route.endpoint is not None,
        device=device,
        app=connection.app,
        user=connection.process.user if connection.process else "",
        destination=Destination(
            kind="provider" if route.upstream == "gateway" else route.upstream, host=route.target.host
        ),
        device_os={"darwin": "macos", "win32": "windows"}.get(platform, platform),
        hour=moment.tm_hour,
        weekday=moment.tm_wday + 1,
    )


def way_for(rules: RuleBook, connection: Connection, *, at: float, device: str = "") -> Way:
    """Which way the policy sends what a connection asks, by the program behind it."""
    if not rules.policy.apps.ways:
        return way_of_policy(rules)

    def way(route: Route) -> str:
        given = approval.judge(rules.policy, subject_of(route, connection, at=at, device=device))
        return given.way or rules.policy.upstream.route

    return way
