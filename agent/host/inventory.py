"""Takes the inventory of this machine: what AI software is installed, which models are served, which MCP servers are
configured. Puts its neighbours together. Blocks for a second or so; never raises."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress

from agent.catalog.inventory import bundled_wanted, platform_name
from agent.catalog.mcp_servers import servers
from agent.catalog.recognition import Apps
from agent.catalog.sighting import Sighting
from agent.errors import ContentError, HostError
from agent.host.files import read_limited
from agent.host.homes import Residents, residents
from agent.host.model_servers import model_servers
from agent.host.process_table import ProcessTable, PsutilTable
from agent.host.software import Places, listed, on_path, registered
from agent.model.inventory import Found, FoundKind, Inventory, McpConfig, Software, Source, Wanted

log = logging.getLogger(__name__)

MAX_FOUND = 4096
_CONFIG_LIMIT = 16 * 1024 * 1024  # ~/.claude.json holds a history of prompts
_YAML_LIMIT = 256 * 1024  # read slowly


def take_inventory(
    apps: Apps,
    own: Iterable[Software] = (),
    *,
    machine: Residents | None = None,
    table: ProcessTable | None = None,
    path: str | None = None,
    platform: str = sys.platform,
) -> Inventory:
    """Look now. `apps` are those of the policy in force, `own` its rows of software; `path` is a $PATH to look along,
    too: that of whoever runs a command."""
    wanted = bundled_wanted(platform_name(platform), apps, own)
    machine = machine or residents(platform)
    where = Places(machine)
    found = [
        *_installed(wanted, machine, where, path),
        *_configured(wanted.configs, where, apps),
        *model_servers(wanted.servers, apps, table or PsutilTable()),
    ]
    unread = [home.user for home in where.homes if not _readable(str(home.path))]
    return Inventory(found=tuple(dict.fromkeys(found))[:MAX_FOUND], unread=tuple(unread))


def _installed(wanted: Wanted, machine: Residents, where: Places, path: str | None) -> tuple[Found, ...]:
    sighting = Sighting(wanted.software)

    def is_wanted(source: Source, name: str) -> bool:
        return sighting.of(source, name) is not None

    items = [*listed(wanted.places, where, is_wanted), *registered(machine, is_wanted)]
    if path is not None:
        items += on_path(path, where.homes[0] if where.homes else None, is_wanted)
    return sighting.found(items)


def _configured(configs: Iterable[McpConfig], where: Places, apps: Apps) -> Iterator[Found]:
    for config in configs:
        for spot in where.spots(config.paths):
            limit = _YAML_LIMIT if config.format == "yaml" else _CONFIG_LIMIT
            try:
                data = read_limited(spot.path, limit=limit) or b""
                named = servers(data, config.format, config.keys) if data.strip() else ()
            except (HostError, ContentError) as error:
                log.debug("%s is not read: %s", spot.path, error)
                continue
            app = apps.get(config.app)
            for name, transport in named:
                yield Found(
                    kind=FoundKind.MCP_SERVER,
                    id=config.app,
                    name=name,
                    host=app.name if app is not None else config.app,
                    user=spot.user,
                    place=str(spot.path),
                    transport=transport,
                )


def _readable(home: str) -> bool:
    with suppress(OSError), os.scandir(home) as entries:
        next(entries, None)
        return True
    return False
