"""Managed settings on Linux: one JSON object in /etc/drawbridge/managed.json, root's, 0644."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from agent.errors import ConfigError, HostError
from agent.host.files import read_protected
from agent.host.managed import MANAGED_LIMIT

MANAGED_FILE = Path("/etc/drawbridge/managed.json")


class JsonFile:
    """A JSON file that only root may write."""

    def __init__(self, path: Path = MANAGED_FILE, *, owner: int = 0) -> None:
        """`owner` is the user id that must own the file."""
        self._path = path
        self._owner = owner

    @property
    def place(self) -> str:
        """The file's path."""
        return str(self._path)

    def read(self) -> Mapping[str, object]:
        """The object in the file. Raises ConfigError for a file of another owner or of another shape."""
        try:
            data = read_protected(self._path, limit=MANAGED_LIMIT, owner=self._owner)
        except HostError as error:
            raise ConfigError(str(error), hint=error.hint()) from error
        if data is None:
            return {}
        try:
            document = json.loads(data)
        except ValueError as error:
            raise ConfigError(f"{self._path} is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise ConfigError(f"{self._path} does not hold a JSON object")
        return document
