"""Who asks for what, from what is known before a request is read."""

from __future__ import annotations

import sys
import time

from agent.gateway.routing import Route
from agent.model.traffic import Connection
from agent.policy import Destination, Subject

_KINDS = {"gateway": "provider"}  # which one is not known before the request is


def subject_of(route: Route, connection: Connection, *, at: float, platform: str = sys.platform) -> Subject:
    """The subject of an exchange that came at the Unix time `at`."""
    moment = time.localtime(at)
    return Subject(
        host=route.host,
        path=route.plain_path,
        surface=route.surface.id,
        app=connection.app,
        user=connection.process.user if connection.process else "",
        destination=Destination(
            kind="provider" if route.upstream == "gateway" else route.upstream, host=route.target.host
        ),
        device_os={"darwin": "macos", "win32": "windows"}.get(platform, platform),
        hour=moment.tm_hour,
        weekday=moment.tm_wday + 1,
    )
