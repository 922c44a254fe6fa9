"""By which names a central node may be called. A web page that had its own name resolve to the node (DNS rebinding)
calls it by that name; and whatever a page asks for from elsewhere carries an `Origin`."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from agent.gateway import headers
from agent.gateway.local import Guard
from agent.gateway.transport.base import Headers

ANY = "*"


def own_names() -> frozenset[str]:
    """What this machine is called, by itself."""
    return frozenset({"localhost", socket.gethostname().lower()})


def guard_for(allowed: Iterable[str], own: Iterable[str] = ()) -> Guard:
    """Lets pass what names an address, one of `own`, or of `allowed`: a name, `*.suffix` for every name below it, or
    `*`. An address cannot be rebound: a page that calls it by that came from there."""
    listed = {each.lower().rstrip(".") for each in allowed}
    names = {*own, *(each for each in listed if "*" not in each)}
    suffixes = tuple(each[1:] for each in listed if each.startswith("*."))

    def guard(fields: Headers, port: int) -> str:
        del port  # a load balancer has another one
        if headers.get(fields, b"origin"):
            return "requests from web pages are not served"
        if ANY in listed:
            return ""
        name = _name(headers.get(fields, b"host").decode("latin-1"))
        if name and (name in names or name.endswith(suffixes) or _is_address(name)):
            return ""
        return "this gateway is not called by that name; its administrator can add it (--allowed-host)"

    return guard


def _name(host: str) -> str:
    text = host.strip().lower()
    if text.startswith("["):
        return text.partition("]")[0].removeprefix("[")
    return text.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
