"""Which policy a command is about that names none: the running agent's, else the one that an agent would use."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from agent.errors import HostError
from agent.host.paths import StatePaths, bundled_policies
from agent.host.runfile import read_runfile
from agent.host.settings import Settings, Source

DEFAULT = "Policy file; default: the running agent's, else the one it would use."
"""What `--policy` says of itself."""


def policy_in_force(settings: Settings, named: Path | None = None) -> Path:
    """`named`, or the policy in force.

    An agent may have been started with a policy of its own (`drawbridge up --policy FILE`), of which the settings of
    this command know nothing; what device management or this command's own environment says stands above it.
    """
    if named is not None:
        return named
    if settings.origins["policy"].source in (Source.FILE, Source.DEFAULT):
        with suppress(HostError):  # another account's agent
            running = read_runfile(StatePaths.under(settings.state_dir))
            if running is not None and running.policy:
                return Path(running.policy)
    return settings.policy or bundled_policies() / "default"
