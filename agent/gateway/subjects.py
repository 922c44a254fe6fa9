"""Who asks for what, from what is known before a request is read."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from agent.gateway.routing import Route, Way, way_of_policy
from agent.inspection import RuleBook
from agent.model.app import Asker
from agent.model.device import NO_DEVICE, Device
from agent.model.identity import NO_IDENTITY
from agent.model.login import NO_LOGIN, Login
from agent.model.traffic import Connection
from agent.policy import Destination, Subject, approval

_SYSTEMS = {"darwin": "macos", "win32": "windows"}  # as rules call them


def subject_of(
    route: Route,
    connection: Connection,
    *,
    at: float,
    asker: Asker | None = None,
    login: Login = NO_LOGIN,
    platform: str = sys.platform,
    device: Device = NO_DEVICE,
) -> Subject:
    """The subject of an exchange that came at the Unix time `at`. Without `asker` it is what the connection shows.
    `device` is this machine: its groups stand before those of the user, who may have many, and those of the company's
    directory before the system's."""
    moment = time.localtime(at)
    process = connection.process
    identity = process.identity if process is not None else NO_IDENTITY
    if asker is None:
        asker = Asker(
            app=connection.app,
            evidence=connection.evidence,
            seen=connection.app,
            within=connection.within,
        )
    return Subject(
        host=route.host,
        path=route.plain_path,
        surface=route.surface.id,
        kind=route.surface.kind.value,
        inference=route.endpoint is not None,
        device=device.id,
        app=asker.app,
        asker=asker,
        login=login,
        user=process.user if process is not None else "",
        identity=identity,
        groups=(*device.groups, *identity.groups, *(process.groups if process is not None else ())),
        destination=Destination(
            kind="provider" if route.upstream == "gateway" else route.upstream, host=route.target.host
        ),
        device_os=_SYSTEMS.get(platform, platform),
        hour=moment.tm_hour,
        weekday=moment.tm_wday + 1,
    )


def way_for(
    rules: RuleBook,
    connection: Connection,
    who: Callable[[Route], tuple[Asker, Login]],
    *,
    at: float,
    device: Device = NO_DEVICE,
) -> Way:
    """Which way the policy sends what a connection asks, by the program behind it. `who` says which app asks by a route
    and with which account; it is only asked where that matters."""
    if not rules.policy.apps.ways:
        return way_of_policy(rules)

    def way(route: Route) -> str:
        asker, login = who(route)
        subject = subject_of(route, connection, at=at, asker=asker, login=login, device=device)
        return approval.judge(rules.policy, subject).way or rules.policy.upstream.route

    return way
