"""Who asks for what, from what is known before a request is read."""

from __future__ import annotations

import sys
import time

from agent.gateway.routing import Route
from agent.model.app import Asker
from agent.model.login import NO_LOGIN, Login
from agent.model.traffic import Connection
from agent.policy import Destination, Subject

_KINDS = {"gateway": "provider"}  # which one is not known before the request is


def subject_of(
    route: Route,
    connection: Connection,
    *,
    at: float,
    asker: Asker | None = None,
    login: Login = NO_LOGIN,
    platform: str = sys.platform,
) -> Subject:
    """The subject of an exchange that came at the Unix time `at`. Without `asker` it is what the connection shows."""
    moment = time.localtime(at)
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
        app=asker.app,
        asker=asker,
        login=login,
        user=connection.process.user if connection.process else "",
        destination=Destination(
            kind="provider" if route.upstream == "gateway" else route.upstream, host=route.target.host
        ),
        device_os={"darwin": "macos", "win32": "windows"}.get(platform, platform),
        hour=moment.tm_hour,
        weekday=moment.tm_wday + 1,
    )
