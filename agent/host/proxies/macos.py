"""macOS: the automatic proxy configuration of each network service, by networksetup(8). Needs an administrator."""

from __future__ import annotations

from collections.abc import Mapping

from agent.errors import HostError
from agent.host.earlier import Earlier, endpoint, first
from agent.host.proxies.base import compose, parts, text_of
from agent.host.run import Runner, run

NETWORKSETUP = "/usr/sbin/networksetup"
_SECONDS = 20
_SERVICES = 64
_UNSET = "(null)"  # what the tool prints for a URL that is not set


class NetworkServices:
    """A `ProxySetting`; a network service (`Wi-Fi`) is the scope. Manual proxies stay as they are: a PAC file comes
    before them."""

    kind = "macos-pac"

    def __init__(self, runner: Runner | None = None) -> None:
        self._run = runner or (lambda argv: run(argv, timeout=_SECONDS))

    def scopes(self) -> tuple[str, ...]:
        """See `ProxySetting`: the services that are switched on."""
        said = self._ask("-listallnetworkservices").splitlines()
        # the first line explains that an asterisk marks what is switched off
        return tuple(line for line in said[1:] if line and not line.startswith("*"))[:_SERVICES]

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`; None for a service that is gone."""
        try:
            found = _fields(self._ask("-getautoproxyurl", scope))
        except HostError:
            if scope not in self._known():
                return None
            raise
        if "Enabled" not in found:
            raise HostError(f"networksetup tells nothing of the proxy of {scope!r}")
        url = found.get("URL", _UNSET)
        return compose(enabled=found["Enabled"] == "Yes", url=None if url in (_UNSET, "") else url)

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`. A URL cannot be taken away, only switched off: one of ours may stay behind, off."""
        wanted = parts(value)
        if value is None and scope not in self._known():
            return  # the service is gone, and its settings with it
        url, enabled = wanted.get("url"), bool(wanted.get("enabled"))
        if url is not None:
            self._ask("-setautoproxyurl", scope, str(url))  # which switches it on
        self._ask("-setautoproxystate", scope, "on" if enabled else "off")
        found = parts(self.read(scope))
        if found.get("enabled") != enabled or (url is not None and found.get("url") != url):
            raise HostError(
                f"macOS did not take the proxy setting of {scope!r}", hint="Run as an administrator (sudo)."
            )

    def ours(self, scope: str, pac_url: str) -> str:
        """See `ProxySetting`."""
        del scope
        return compose(enabled=True, url=pac_url)

    def partly(self, value: str | None, before: str | None, ours: str | None) -> bool:
        """See `PartedDriver`: the URL and the state are two commands."""
        now, *either = (parts(each) for each in (value, before, ours))
        return value is not None and all(
            now.get(name) in [each.get(name) for each in either] for name in ("enabled", "url")
        )

    def earlier(self, values: Mapping[str, str | None]) -> Earlier:
        """See `ProxySetting`: what the first service says that says anything."""
        return first(self._earlier(scope, value) for scope, value in values.items() if value is not None)

    def _earlier(self, scope: str, value: str) -> Earlier:
        found = parts(value)
        if found.get("enabled") and found.get("url"):
            return Earlier(pac_url=str(found["url"]))
        named = {
            "http": self._manual("-getwebproxy", scope),
            "https": self._manual("-getsecurewebproxy", scope),
            "socks": self._manual("-getsocksfirewallproxy", scope),
        }
        if not any(named.values()):
            return Earlier()
        # where there are none, a sentence says so
        bypassed = [line.strip() for line in self._ask("-getproxybypassdomains", scope).splitlines()]
        return Earlier(**named, exceptions=tuple(line for line in bypassed if line and " " not in line))

    def _manual(self, verb: str, scope: str) -> str:
        found = _fields(self._ask(verb, scope))
        if found.get("Enabled") != "Yes":
            return ""
        return endpoint(found.get("Server", ""), found.get("Port", "0"))

    def _known(self) -> tuple[str, ...]:
        said = self._ask("-listallnetworkservices").splitlines()
        return tuple(line.removeprefix("*") for line in said[1:])

    def _ask(self, verb: str, *arguments: str) -> str:
        said = text_of(self._run([NETWORKSETUP, verb, *arguments]), f"networksetup {verb}")
        if "** Error" in said or "is not a recognized network service" in said:
            raise HostError(
                f"networksetup {verb}: {said.strip()[:200]}", hint="Run as an administrator (sudo)."
            )
        return said


def _fields(said: str) -> dict[str, str]:
    """`Name: value`, a line each."""
    pairs = (line.partition(":") for line in said.splitlines())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}
