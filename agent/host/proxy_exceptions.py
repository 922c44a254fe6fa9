"""The hosts that a company's proxy is not for, as people write them in NO_PROXY and in desktops' settings. Pure.

`name` means the host and all below it; so do `.name` and `*.name`. `10.*` and other wildcards, networks (`10.0.0.0/8`),
`<local>` for names without a dot, and `*` for every host are understood; a port behind a name is left out of account.
"""

from __future__ import annotations

import fnmatch
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from agent.host.earlier import is_loopback

_MOST = 1024  # entries
_LONG = 253  # characters of a name

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyExceptions:
    """What `parse` understood."""

    names: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    local: bool = False

    @classmethod
    def parse(cls, entries: Iterable[str]) -> ProxyExceptions:
        """Read entries; what is none is left out."""
        names: list[str] = []
        shapes: list[str] = []
        networks: list[Network] = []
        local = False
        for entry in tuple(entries)[:_MOST]:
            name = _without_port(entry.strip().lower())
            if not name or len(name) > _LONG:
                continue
            network = _network(name)
            if name == "<local>":
                local = True
            elif network is not None:
                networks.append(network)
            elif "*" in name.removeprefix("*."):
                shapes.append(name)
            else:
                names.append(name.removeprefix("*").strip("."))
        return cls(
            names=tuple(sorted(set(names) - {""})),
            shapes=tuple(sorted(set(shapes))),
            networks=tuple(sorted(set(networks), key=str)),
            local=local,
        )

    def cover(self, host: str) -> bool:
        """Whether a host is reached without the proxy. This machine always is."""
        name = host.lower().rstrip(".").strip("[]")
        if is_loopback(name) or (self.local and "." not in name and ":" not in name):
            return True
        if any(name == each or name.endswith(f".{each}") for each in self.names):
            return True
        if any(fnmatch.fnmatchcase(name, shape) for shape in self.shapes):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return any(address in network for network in self.networks)


def _without_port(entry: str) -> str:
    host, colon, digits = entry.rpartition(":")
    return host if colon and digits.isdigit() and ":" not in host else entry


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None
