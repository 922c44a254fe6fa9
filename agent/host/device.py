"""Who this machine is. Owns device.json; the id in it is random and tells nothing about hardware or user."""

from __future__ import annotations

import json
import logging
import platform
import socket
import sys
import uuid
from contextlib import suppress

from agent.host.files import read_private, write_atomically
from agent.host.paths import StatePaths
from agent.model.device import Device

_LIMIT = 64 * 1024  # bytes

log = logging.getLogger(__name__)


def read_device(paths: StatePaths) -> Device:
    """This machine; its id is made on the first call and kept. Blocks.

    A damaged file costs the machine its old id, never its start: a new id is made, and the loss is logged.
    Raises HostError where the file cannot be read or written.
    """
    data = read_private(paths.device, limit=_LIMIT)
    known = _parse_id(data) if data is not None else None
    if data is not None and known is None:
        log.warning("%s is damaged: this machine gets a new id", paths.device)
    if known is None:
        known = str(uuid.uuid4())
        write_atomically(paths.device, json.dumps({"id": known}).encode() + b"\n")
    name, version = _os()
    return Device(id=known, hostname=socket.gethostname(), os_name=name, os_version=version)


def _parse_id(data: bytes) -> str | None:
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        return str(uuid.UUID(json.loads(data)["id"]))
    return None


def _os() -> tuple[str, str]:
    match sys.platform:
        case "darwin":
            return "macOS", platform.mac_ver()[0]
        case "win32":
            return "Windows", platform.version()
        case _:
            try:
                release = platform.freedesktop_os_release()
            except OSError:  # no os-release: the kernel's version says more than nothing
                return platform.system(), platform.release()
            return "Linux", release.get("PRETTY_NAME", platform.release())
