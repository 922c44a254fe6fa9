"""Managed settings on macOS: the property list that a configuration profile leaves in /Library/Managed Preferences."""

from __future__ import annotations

import plistlib
from collections.abc import Mapping
from pathlib import Path

from agent.errors import ConfigError, HostError
from agent.host.files import read_limited
from agent.host.managed import MANAGED_LIMIT

DOMAIN = "com.drawbridge.agent"
MANAGED_FILE = Path("/Library/Managed Preferences") / f"{DOMAIN}.plist"


class PreferencesFile:
    """A property list, XML or binary. Its directory is root's: only the profile service writes there."""

    def __init__(self, path: Path = MANAGED_FILE) -> None:
        self._path = path

    @property
    def place(self) -> str:
        """The file's path."""
        return str(self._path)

    def read(self) -> Mapping[str, object]:
        """The dictionary in the file, without the keys that profiles add themselves. Raises ConfigError."""
        try:
            data = read_limited(self._path, limit=MANAGED_LIMIT)
        except HostError as error:
            raise ConfigError(str(error), hint=error.hint()) from error
        if data is None:
            return {}
        try:
            document = plistlib.loads(data)
        except (
            Exception
        ) as error:  # plistlib raises what its parsers raise: ExpatError, ValueError, KeyError, …
            raise ConfigError(f"{self._path} is not a property list ({type(error).__name__})") from error
        if not isinstance(document, dict):
            raise ConfigError(f"{self._path} does not hold a dictionary")
        # PayloadUUID and its like describe the profile; they are no settings
        return {key: value for key, value in document.items() if not key.startswith("Payload")}
