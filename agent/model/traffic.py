"""Who talks to whom, and by which door it came in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.model.app import Evidence
from agent.model.direct import direct
from agent.model.identity import NO_IDENTITY, Identity


class Tier(StrEnum):
    """The door an exchange came through."""

    RELAY = "relay"  # TLS ended by us, bytes relayed untouched to the gateway
    HTTP = "http"  # mitmproxy's HTTP layer, for clients that need HTTP/2
    BASE_URL = "base_url"  # the client was pointed at the gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a process runs. Never its arguments: those may hold secrets.

    `script` is the path of the script, with `/`, or the name of the module (then `is_module`) that an interpreter was
    given. `bundle` is the identifier of the macOS application it belongs to.
    """

    name: str
    executable: str = ""
    script: str = ""
    is_module: bool = False
    bundle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who vouches for an executable. Empty where nobody does.

    `signer` is for people: an organisation, or `dpkg:code`. `team` and `identifier` are Apple's; `package` is the name
    of a Linux package. `verified` where the system checked it: a signature that fits the file, or a file that only
    root can have put there.
    """

    signer: str = ""
    team: str = ""
    identifier: str = ""
    package: str = ""
    verified: bool = False


UNSIGNED = Signature()
"""Nobody vouches, or it is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The program behind a connection, as far as the OS tells."""

    pid: int
    name: str
    executable: str = ""
    user: str = ""
    parents: tuple[str, ...] = ()  # names of the programs that started it, the nearest first
    signer: str = ""  # who signed the program or packaged it, where the OS tells
    started: float = 0.0  # Unix seconds; 0 where unknown
    genuine: bool = True  # whether the path of its executable leads to the very file that it runs
    sandbox: str = ""  # flatpak:ID, snap:NAME or container:ID, where it runs in one
    line: tuple[Program, ...] = ()  # the program itself, then those that started it, the nearest first
    signature: Signature = UNSIGNED
    groups: tuple[str, ...] = ()  # of its user, by name
    identity: Identity = NO_IDENTITY  # as which its user has signed in


@direct
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
    evidence: Evidence = Evidence.NONE  # how `app` is known
    within: tuple[str, ...] = ()  # ids of the apps that started it, the nearest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where an exchange is bound for: an origin (`https://host:port`) and a base path before the request's own path."""

    host: str
    port: int = 443
    tls: bool = True
    base_path: str = ""
