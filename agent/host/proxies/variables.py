"""Environment files: the variables of `drawbridge exec`, for every program that is started from now on. Linux only.

Where this is asked for, command-line tools have no way around a stopped agent but a new shell: browsers follow a PAC
file instead, which has one.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.errors import HostError
from agent.host.environment import exec_environment
from agent.host.proxies.textfile import TextFile

KIND = "environment-file"
_ADDED_TO = ("NO_PROXY", "no_proxy")  # what a user has there stays
_HEAD = "# Written by drawbridge setup; drawbridge restore removes it.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFiles:
    """The files of one user, or of the machine. A shell reads `profile`, systemd's session manager `session`."""

    session: Path
    profile: Path | None = None

    @property
    def driver(self) -> TextFile:
        """Writes them."""
        files = [each for each in (self.session, self.profile) if each is not None]
        return TextFile(
            KIND, files, tidies=[self.session.parent]
        )  # profile.d belongs to the system, even empty

    def texts(self, variables: Mapping[str, str]) -> Mapping[str, str]:
        """What is to stand in each. Raises HostError."""
        texts = {str(self.session): session_text(variables)}
        if self.profile is not None:
            texts[str(self.profile)] = profile_text(variables)
        return texts


def variables(*, proxy_port: int, bundle: Path, root: Path) -> Mapping[str, str]:
    """Every variable, as `drawbridge exec` sets it where the user has set none."""
    return exec_environment({}, proxy_url=f"http://127.0.0.1:{proxy_port}", bundle=bundle, root=root)


def profile_text(variables: Mapping[str, str]) -> str:
    """For a POSIX shell (/etc/profile.d)."""
    lines = []
    for name, value in sorted(variables.items()):
        if name in _ADDED_TO:
            lines.append(f'export {name}="${{{name}:+${name},}}"{shlex.quote(value)}\n')
        else:
            lines.append(f"export {name}={shlex.quote(value)}\n")
    return _HEAD + "".join(lines)


def session_text(variables: Mapping[str, str]) -> str:
    """For systemd (environment.d(5)). Raises HostError for a value that cannot be written there."""
    lines = []
    for name, value in sorted(variables.items()):
        if any(char in '"\\$`\n' for char in value):
            raise HostError(
                f"{name} cannot be set to {value!r} in an environment file",
                hint="Choose a state directory without quotes, backslashes and dollar signs in its path.",
            )
        before = f"${{{name}:+${name},}}" if name in _ADDED_TO else ""
        lines.append(f'{name}="{before}{value}"\n')
    return _HEAD + "".join(lines)
