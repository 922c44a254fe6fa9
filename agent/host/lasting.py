"""The changes of the operating system that stay while the agent does not serve: trust in its certificate.

Apart from `arrangement`, which the supervisor loads: what reads certificates and keys is no part of that process.
Everything here blocks.
"""

from __future__ import annotations

from dataclasses import replace

from agent.errors import ConfigError, HostError
from agent.host.journal import SettingDriver, Wanted
from agent.host.pairs import utc_now
from agent.host.paths import SetupPaths, StatePaths
from agent.host.settings import Settings
from agent.host.trust.files import PublicFiles
from agent.host.trust.store import Root
from agent.host.trust.stores import Machine, roots_to_trust, trust_drivers, trust_stores, trust_wanted


def lasting_drivers(setup: SetupPaths) -> tuple[SettingDriver, ...]:
    """The drivers of everything lasting that may have been changed."""
    return trust_drivers(_machine(setup))


def lasting_wanted(settings: Settings, paths: StatePaths, setup: SetupPaths) -> tuple[Wanted, ...]:
    """What `settings` ask for. Files that variables of all users name are published for these alone, too. Raises
    ConfigError, HostError."""
    machine = _machine(setup)
    trusts = settings.manage_trust != "none"
    if not trusts and not (setup.machine and settings.manage_environment != "none"):
        return ()
    return trust_wanted(machine, roots_for(machine, paths), trust_stores(machine) if trusts else ())


def roots_for(machine: Machine, paths: StatePaths) -> tuple[Root, ...]:
    """The roots to trust. Raises ConfigError where this machine has no authority yet."""
    try:
        found = roots_to_trust(machine, paths, utc_now())
    except PermissionError as error:
        raise HostError(
            f"{paths.ca} may not be read by this account",
            hint="An administrator must run it once: sudo drawbridge ca install",
        ) from error
    if not found:
        raise ConfigError(
            f"there is no certificate authority at {paths.ca} yet", hint="it is made by: drawbridge up"
        )
    return found


def refresh_public(setup: SetupPaths) -> None:
    """Bring the bundle for everybody in step with the system's roots. Raises HostError."""
    if setup.machine:
        machine = _machine(setup)
        PublicFiles(machine.public, machine.store).refresh()


def _machine(setup: SetupPaths) -> Machine:
    return replace(Machine.this(), privileged=setup.machine)
