"""One look at one machine: what several groups of checks need is asked for once. Blocks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from agent.assembly import policy_path
from agent.cli.doctor.service import Service
from agent.control.client import Control, NotRunningError
from agent.errors import DrawbridgeError
from agent.gateway.policy_file import PolicyFile
from agent.host.lasting import roots_for
from agent.host.paths import StatePaths
from agent.host.settings import Settings
from agent.host.trust.store import Root
from agent.host.trust.stores import Machine

_HOSTS = ("api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com")
"""Hosts of the catalog that are asked for, while the policy in force has them."""


@dataclass(frozen=True)
class Machinery:
    """One look at one machine: what several groups need is asked for once. `fast`: no network, no long reading."""

    settings: Settings
    environ: Mapping[str, str]
    fast: bool = False

    @cached_property
    def paths(self) -> StatePaths:
        """The agent's files."""
        return StatePaths.under(self.settings.state_dir)

    @cached_property
    def control(self) -> Control:
        """The agent, if one answers."""
        return Control(self.settings)

    @cached_property
    def asked(self) -> tuple[dict[str, Any] | None, str]:
        """Its status; or None and why it is silent where one should answer."""
        try:
            return self.control.ask("status"), ""
        except NotRunningError:
            return None, ""
        except DrawbridgeError as error:
            return None, str(error)

    @property
    def status(self) -> dict[str, Any] | None:
        """What the running agent says of itself."""
        return self.asked[0]

    @cached_property
    def service(self) -> Service | None:
        """What the agent that answers says of itself, where its files are not for this account to read."""
        if self.status is None or os.access(Path(self.status["state_dir"]) / "ca", os.R_OK | os.X_OK):
            return None
        try:
            return Service.of(self.control.ask("service"))
        except (DrawbridgeError, KeyError, TypeError, ValueError):
            return None  # another version answers: what it says of its state is not understood

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """The agent's roots. Raises DrawbridgeError, OSError."""
        if self.service is not None and self.service.roots:
            return self.service.trusted
        return roots_for(Machine.this(), self.paths)

    @cached_property
    def ports(self) -> tuple[int, int]:
        """Those of the running agent, else of the settings."""
        if self.status is not None:
            return int(self.status["proxy_port"]), int(self.status["gateway_port"])
        return self.settings.proxy_port, self.settings.gateway_port

    @cached_property
    def book(self) -> PolicyFile | DrawbridgeError:
        """The policy on the disk, compiled, or what is wrong with it. That of the running agent, where one runs."""
        place = policy_path(self.settings)
        if self.status is not None:
            place = Path(self.status["policy"]["source"])
        try:
            return PolicyFile(place)
        except DrawbridgeError as error:
            return error

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The hosts of the policy in force."""
        if self.status is not None:
            with suppress(DrawbridgeError):
                services = self.control.ask("policy")["services"]
                return frozenset(host for each in services for host in each["hosts"])
        return self.book.rules.catalog.hosts if isinstance(self.book, PolicyFile) else frozenset()

    @property
    def known_hosts(self) -> tuple[str, ...]:
        """Those of the hosts that are asked for which the policy in force has."""
        return tuple(host for host in _HOSTS if host in self.hosts)
