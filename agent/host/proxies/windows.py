"""Windows: the PAC file of one user, or of the whole machine by the policy that makes proxy settings the machine's."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from agent.host.earlier import Earlier, parsed
from agent.host.proxies.registry import Data, Hive, Registry, WindowsRegistry

INTERNET = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
CONNECTIONS = INTERNET + r"\Connections"
POLICY = r"SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
_URL = "AutoConfigURL"
_PER_USER = "ProxySettingsPerUser"
_BLOBS = ("DefaultConnectionSettings", "SavedLegacySettings")
_KEYS = {**dict.fromkeys(_BLOBS, CONNECTIONS), _URL: INTERNET, _PER_USER: POLICY}
_COUNTER = struct.pack("<I", 1)
_DIRECT, _PAC = 1, 4  # flags of a connection's settings
_VERSION = 0x46


class UserPac:
    """A `ProxySetting` of the user who runs us. Manual proxies stay as they are: a PAC file comes before them."""

    kind = "windows-pac"
    scope = "user"

    def __init__(self, registry: Registry | None = None) -> None:
        self._registry = registry or WindowsRegistry()

    def scopes(self) -> tuple[str, ...]:
        """See `ProxySetting`."""
        return (self.scope,)

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`."""
        del scope
        url = self._registry.get(Hive.USER, INTERNET, _URL)
        return None if url is None else str(url)

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`."""
        del scope
        self._registry.put(Hive.USER, INTERNET, _URL, value)
        self._registry.announce()

    def ours(self, scope: str, pac_url: str) -> str:
        """See `ProxySetting`."""
        del scope
        return pac_url

    def earlier(self, values: Mapping[str, str | None]) -> Earlier:
        """See `ProxySetting`."""
        url = values.get(self.scope)
        return Earlier(pac_url=url) if url else manual(self._registry, Hive.USER)


class MachinePac:
    """A `ProxySetting` of the machine; each value of the registry is a scope. The policy comes last: until then nobody
    looks at the machine's settings."""

    kind = "windows-machine-pac"

    def __init__(self, registry: Registry | None = None) -> None:
        self._registry = registry or WindowsRegistry()

    def scopes(self) -> tuple[str, ...]:
        """See `ProxySetting`."""
        return (*_BLOBS, _URL, _PER_USER)

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`."""
        data = self._registry.get(Hive.MACHINE, _KEYS[scope], scope)
        if isinstance(data, bytes):
            # how often it was written is Windows' affair, and no sign of another's hand
            return (data[:4] + _COUNTER + data[8:]).hex()
        return None if data is None else str(data)

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`."""
        data: Data | None = value
        if value is not None and scope != _URL:
            data = int(value) if scope == _PER_USER else bytes.fromhex(value)
        self._registry.put(Hive.MACHINE, _KEYS[scope], scope, data)
        self._registry.announce()

    def ours(self, scope: str, pac_url: str) -> str:
        """See `ProxySetting`."""
        return {_URL: pac_url, _PER_USER: "0"}.get(scope) or connection_settings(pac_url).hex()

    def earlier(self, values: Mapping[str, str | None]) -> Earlier:
        """See `ProxySetting`: what the machine had. What each user had does not count any more."""
        url = values.get(_URL)
        return Earlier(pac_url=url) if url else manual(self._registry, Hive.MACHINE)


def manual(registry: Registry, hive: Hive) -> Earlier:
    """The proxies that a user, or the machine, has named: `host:port`, or `http=host:port;https=host:port`."""
    if registry.get(hive, INTERNET, "ProxyEnable") != 1:
        return Earlier()
    named = str(registry.get(hive, INTERNET, "ProxyServer") or "")
    excepted = str(registry.get(hive, INTERNET, "ProxyOverride") or "")
    if "=" in named:
        by_kind = dict(entry.strip().partition("=")[::2] for entry in named.split(";") if "=" in entry)
        found = {kind: parsed(by_kind.get(kind, "")) for kind in ("http", "https", "socks")}
    else:
        found = {"http": parsed(named), "https": parsed(named)}
    return Earlier(**found, exceptions=tuple(each.strip() for each in excepted.split(";") if each.strip()))


def connection_settings(pac_url: str) -> bytes:
    """A connection's settings as WinINET keeps them: version, counter, flags, three texts with their lengths, zeros."""
    url = pac_url.encode("ascii")
    texts = struct.pack("<III", 0, 0, len(url)) + url
    return struct.pack("<I", _VERSION) + _COUNTER + struct.pack("<I", _DIRECT | _PAC) + texts + bytes(32)
