"""What every system's proxy setting can do, and the values that they share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol

from agent.errors import HostError
from agent.host.earlier import Earlier
from agent.host.journal import SettingDriver
from agent.host.run import Completed


class ProxySetting(SettingDriver, Protocol):
    """A kind of setting that leads programs to a PAC file."""

    def scopes(self) -> tuple[str, ...]:
        """What there is to be set on this machine now, in the order in which it takes effect; none where the system is
        not there. Raises HostError."""
        ...

    def ours(self, scope: str, pac_url: str) -> str:
        """The value that leads to `pac_url`."""
        ...

    def earlier(self, values: Mapping[str, str | None]) -> Earlier:
        """Where values of `read`, by their scopes, lead programs. Raises HostError."""
        ...


def compose(**facts: object) -> str:
    """The text of a value that has parts: always the same one for the same parts."""
    return json.dumps(facts, sort_keys=True)


def parts(value: str | None) -> Mapping[str, object]:
    """What `compose` was given. Raises HostError for a text that is none of its."""
    try:
        found = json.loads(value or "{}")
    except ValueError as error:
        raise HostError("a value in the journal of settings cannot be read") from error
    if not isinstance(found, dict):
        raise HostError("a value in the journal of settings cannot be read")
    return found


def text_of(done: Completed, what: str) -> str:
    """What a tool said. Raises HostError, with its complaint, where it failed."""
    if done.code != 0:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise HostError(f"{what} ended with {done.code}" + (f": {said[0][:200]}" if said else ""))
    return done.stdout.decode("utf-8", "replace")
