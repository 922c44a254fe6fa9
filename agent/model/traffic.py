"""Who talks to whom, and by which door it came in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tier(StrEnum):
    """The door an exchange came through."""

    RELAY = "relay"  # TLS ended by us, bytes relayed untouched to the gateway
    HTTP = "http"  # mitmproxy's HTTP layer, for clients that need HTTP/2
    BASE_URL = "base_url"  # the client was pointed at the gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The program behind a connection, as far as the OS tells."""

    pid: int
    name: str
    executable: str = ""
    user: str = ""
    parents: tuple[str, ...] = ()  # names of the programs that started it, the nearest first
    signer: str = ""  # who signed the program or packaged it, where the OS tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What is known of a client connection before the first request byte. Built by our doors only, never from
    anything the client sends inside it, and handed over in process: a client cannot forge it.

    `connect_host` is the name or address the client asked the proxy for, `sni` the name in its TLS hello; both lower
    case, both empty for the base-URL listener.
    """

    id: str
    tier: Tier
    client_address: tuple[str, int] | None = None
    connect_host: str = ""
    connect_port: int = 0
    sni: str = ""
    process: Process | None = None
    app: str = ""  # catalog id of the app behind `process`, empty where unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where an exchange is bound for: an origin (`https://host:port`) and a base path before the request's own path."""

    host: str
    port: int = 443
    tls: bool = True
    base_path: str = ""
