"""What a central node is told on its command line: where it listens, under which certificate, how it ends."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ConfigError
from agent.host.listening import BACKLOG
from agent.host.paths import StatePaths

MAX_WORKERS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen."""

    host: str  # a name or an address, without brackets
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The files of the node's own certificate: the chain, the leaf first, and its key."""

    chain: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How a node serves. What it serves is the policy's."""

    listen: Address
    workers: int = 1
    certificate: Certificate | None = (
        None  # None: plain HTTP, for this machine or a load balancer that ends TLS
    )
    hosts: tuple[
        str, ...
    ] = ()  # names by which clients call it, besides addresses and this machine's own name
    anonymous: bool = False  # serve clients without a virtual key, also from other machines
    drain_seconds: float = 5.0  # between saying that it is not ready and taking no more clients
    finish_seconds: float = 120.0  # for what runs then


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A worker's place in its crew."""

    number: int
    descriptor: int  # of the listening socket
    parent: int  # process id


def worker_paths(root: StatePaths, number: int) -> StatePaths:
    """A worker's own state: two processes cannot write one audit trail."""
    return StatePaths.under(root.root / "workers" / str(number))


def parse_address(text: str) -> Address:
    """HOST:PORT, where an IPv6 address stands in brackets. Raises ConfigError."""
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not bare or (":" in bare) != host.startswith("[") or not (port.isascii() and port.isdigit()):
        raise ConfigError(
            f"{text!r} is no address to listen on",
            hint="Write HOST:PORT, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080.",
        )
    if int(port) > 65535:
        raise ConfigError(f"the port of {text!r} is larger than 65535", hint="Choose another --listen.")
    return Address(host=bare, port=int(port))


def open_listener(address: Address) -> socket.socket:
    """A socket that listens there; the kernel keeps clients until a process takes them. Raises ConfigError."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address.host != "::"))
            sock.bind(where)
            sock.listen(BACKLOG)
        except BaseException:
            sock.close()
            raise
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {address}: {error.strerror or error}", hint="Choose another --listen."
        ) from error
    sock.setblocking(False)  # noqa: FBT003  as Python has it
    return sock
