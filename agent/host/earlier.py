"""What programs were led to before us: the company's proxies, or its PAC file. All but AI traffic still goes there.

A value, the guard against a setting that leads back to us, and the file in which whoever changes settings leaves it for
the engine. Standard library only: the supervisor reads it, too.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from agent.errors import HostError
from agent.host.files import read_limited, write_atomically

PAC_LIMIT = 512 * 1024  # bytes of a company's PAC file; Windows takes no more than 1 MB
_LIMIT = 4 * 1024 * 1024
_VERSION = 1
_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._:")
_READABLE = 0o644  # the engine of an installed service is another user than root


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """Proxies as `host:port` for plain HTTP, for HTTPS and for SOCKS, and the hosts that they are not for; or the URL
    of a PAC file, with its text once that was read."""

    http: str = ""
    https: str = ""
    socks: str = ""
    exceptions: tuple[str, ...] = ()
    pac_url: str = ""
    pac_text: str = ""

    def __bool__(self) -> bool:
        """Whether anything stood there."""
        return bool(self.http or self.https or self.socks or self.pac_url)

    @property
    def mark(self) -> str:
        """A line by which a PAC file that knows of this is told from others."""
        return f"// elsewhere {hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()[:32]}"

    def without(self, ports: Collection[int]) -> Earlier:
        """The same without what leads to us, on loopback at one of `ports`."""
        if self.pac_url and leads_to(self.pac_url, ports):
            return Earlier()
        kept = {
            name: "" if leads_to(f"http://{at}", ports) else at
            for name, at in (("http", self.http), ("https", self.https), ("socks", self.socks))
        }
        return Earlier(**kept, exceptions=self.exceptions, pac_url=self.pac_url, pac_text=self.pac_text)


def endpoint(host: str, port: int | str) -> str:
    """`host:port` as a PAC file writes it; empty where there is none, or it is nothing that can be connected to."""
    name = host.strip().lower().strip("[]")
    digits = str(port).strip()
    if not name or not set(name) <= _HOST or not digits.isascii() or not digits.isdigit():
        return ""
    if not 0 < int(digits[:6]) <= 65535:
        return ""
    return f"[{name}]:{digits}" if ":" in name else f"{name}:{digits}"


def parsed(url: str, *, default_port: int = 80) -> str:
    """`host:port` of `http://host:port`, or of `host:port` alone; empty where it is none, or holds a password."""
    try:
        split = urlsplit(url if "://" in url else f"//{url}")
        port = split.port or default_port
    except ValueError:
        return ""
    if split.scheme not in ("", "http") or split.username or split.password or not split.hostname:
        return ""
    return endpoint(split.hostname, port)


def leads_to(url: str, ports: Collection[int]) -> bool:
    """Whether a URL is this machine's loopback at one of `ports`."""
    try:
        split = urlsplit(url)
        host, port = split.hostname or "", split.port or 80
    except ValueError:
        return False
    return port in ports and is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine itself."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback or (mapped or address).is_unspecified


def first(found: Iterable[Earlier]) -> Earlier:
    """The first that says anything."""
    return next((each for each in found if each), Earlier())


def write_earlier(path: Path, earlier: Earlier) -> None:
    """Keep it where the engine finds it. Blocks. Raises HostError."""
    document = {"version": _VERSION, **asdict(earlier)}
    write_atomically(path, json.dumps(document).encode(), mode=_READABLE)


def read_earlier(path: Path) -> Earlier:
    """What was last kept; nothing where there is none or it cannot be read. Blocks, never raises."""
    try:
        data = read_limited(path, limit=_LIMIT)
        document = json.loads(data) if data is not None else {}
        if document.pop("version", None) == _VERSION:
            exceptions = tuple(str(each) for each in document.pop("exceptions", ()))
            return Earlier(exceptions=exceptions, **{name: str(value) for name, value in document.items()})
    except (HostError, ValueError, TypeError, AttributeError):
        pass
    return Earlier()
