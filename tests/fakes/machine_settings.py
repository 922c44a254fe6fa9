"""Tools and registries of other systems, in memory: what they were told is what they tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.errors import HostError
from agent.host.earlier import Earlier
from agent.host.proxies.registry import Data, Hive
from agent.host.run import Completed

DEFAULTS = {
    ("org.gnome.system.proxy", "mode"): "'none'",
    ("org.gnome.system.proxy", "autoconfig-url"): "''",
    ("org.gnome.system.proxy", "ignore-hosts"): "['localhost', '127.0.0.0/8', '::1']",
    **{
        (f"org.gnome.system.proxy.{name}", key): default
        for name in ("http", "https", "socks")
        for key, default in (("host", "''"), ("port", "0"))
    },
}


def said(text: str = "", code: int = 0) -> Completed:
    return Completed(code=code, stdout=text.encode(), stderr=b"")


class Killed(BaseException):
    """The process died here."""


@dataclass
class Fuse:
    """Counts down the changes until the process dies, before or after the change took place."""

    left: int = -1
    late: bool = False

    def burn(self) -> None:
        """Before a change."""
        self.left -= 1
        if self.left == 0 and not self.late:
            raise Killed

    def burnt(self) -> None:
        """After it."""
        if self.left == 0 and self.late:
            raise Killed


@dataclass
class FakeGsettings:
    """gsettings(1) of a user; `locked` keys are taken without an effect, as dconf does."""

    values: dict[tuple[str, str], str] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()
    fuse: Fuse = field(default_factory=Fuse)

    def __call__(self, argv: Sequence[str]) -> Completed:
        pristine = argv[0] == "env"
        _, verb, schema, *rest = argv[2:] if pristine else argv
        key = (schema, rest[0] if rest else "")
        match verb:
            case "list-keys":
                return said("mode\nautoconfig-url\n")
            case "get":
                return said(f"{DEFAULTS[key] if pristine else self.values.get(key, DEFAULTS[key])}\n")
        self.fuse.burn()
        if verb == "set" and key[1] not in self.locked:
            self.values[key] = rest[1]
        elif verb == "reset":
            self.values.pop(key, None)
        self.fuse.burnt()
        return said()


@dataclass
class FakeNetworksetup:
    """networksetup(8): for each service the URL, or None, and whether it is on. Setting the URL switches it on."""

    services: dict[str, tuple[str | None, bool]]
    off: frozenset[str] = frozenset()
    manual: Mapping[str, str] = field(default_factory=dict)
    allowed: bool = True
    fuse: Fuse = field(default_factory=Fuse)

    def __call__(self, argv: Sequence[str]) -> Completed:
        _, verb, *rest = argv
        if verb == "-listallnetworkservices":
            names = [f"*{name}" if name in self.off else name for name in self.services]
            return said("\n".join(["An asterisk (*) denotes that a network service is disabled.", *names]))
        if rest[0] not in self.services:
            return said(
                f"{rest[0]} is not a recognized network service.\n** Error: The parameters were not valid.", 4
            )
        url, on = self.services[rest[0]]
        match verb:
            case "-getautoproxyurl":
                return said(f"URL: {url or '(null)'}\nEnabled: {'Yes' if on else 'No'}\n")
            case "-getwebproxy" | "-getsecurewebproxy" | "-getsocksfirewallproxy":
                return said(self.manual.get(verb, "Enabled: No\nServer: \nPort: 0\n"))
            case "-getproxybypassdomains":
                return said(self.manual.get(verb, f"There aren't any bypass domains set on {rest[0]}.\n"))
        if not self.allowed:
            return said("** Error: Command requires admin privileges.\n", 14)
        self.fuse.burn()
        match verb:
            case "-setautoproxyurl":
                self.services[rest[0]] = (rest[1], True)
            case "-setautoproxystate":
                self.services[rest[0]] = (url, rest[1] == "on")
        self.fuse.burnt()
        return said()


@dataclass
class FakeRegistry:
    """A `Registry`."""

    values: dict[tuple[Hive, str, str], Data] = field(default_factory=dict)
    announced: int = 0
    fuse: Fuse = field(default_factory=Fuse)

    def get(self, hive: Hive, key: str, name: str) -> Data | None:
        return self.values.get((hive, key, name))

    def put(self, hive: Hive, key: str, name: str, data: Data | None) -> None:
        self.fuse.burn()
        if data is None:
            self.values.pop((hive, key, name), None)
        else:
            self.values[hive, key, name] = data
        self.fuse.burnt()

    def announce(self) -> None:
        self.announced += 1


@dataclass
class FakeProxySetting:
    """A `ProxySetting` of given scopes; `before` is what its values are told to have meant."""

    values: dict[str, str | None]
    kind: str = "toy-proxy"
    before: Earlier = field(default_factory=Earlier)
    broken: bool = False

    def scopes(self) -> tuple[str, ...]:
        return tuple(self.values)

    def read(self, scope: str) -> str | None:
        if self.broken:
            raise HostError("the setting cannot be read")
        return self.values.get(scope)

    def write(self, scope: str, value: str | None) -> None:
        self.values[scope] = value

    def ours(self, scope: str, pac_url: str) -> str:
        return f"{scope} {pac_url}"

    def earlier(self, values: Mapping[str, str | None]) -> Earlier:
        theirs = [value for value in values.values() if value]
        return Earlier(pac_url=theirs[0]) if theirs and theirs[0].startswith("http") else self.before
