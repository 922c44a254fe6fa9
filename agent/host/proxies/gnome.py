"""GNOME, and what follows its settings: `org.gnome.system.proxy` of one user, by gsettings(1)."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Mapping

from agent.errors import HostError
from agent.host.earlier import Earlier, endpoint
from agent.host.proxies.base import text_of
from agent.host.run import Runner, run

SCHEMA = "org.gnome.system.proxy"
_URL, _MODE = "autoconfig-url", "mode"
_SECONDS = 15
_EXCEPTIONS = 512


class GnomeProxy:
    """A `ProxySetting`; a key is a scope, its value what gsettings prints. A key that has its default is taken for one
    that is not set: it goes back to whatever rules then.

    Hosts and ports of a manual proxy are never touched; the mode says that they do not count.
    """

    kind = "gnome-proxy"

    def __init__(self, runner: Runner | None = None, *, installed: bool | None = None) -> None:
        self._run = runner or (lambda argv: run(argv, timeout=_SECONDS))
        self._installed = shutil.which("gsettings") is not None if installed is None else installed

    def scopes(self) -> tuple[str, ...]:
        """See `ProxySetting`. The URL comes first: the mode makes it count."""
        if not self._installed:
            return ()
        return (_URL, _MODE) if self._run(["gsettings", "list-keys", SCHEMA]).code == 0 else ()

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`."""
        value = self._ask("get", SCHEMA, scope)
        return None if value == self._default(scope) else value

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`."""
        if value is None:
            self._ask("reset", SCHEMA, scope)
        else:
            self._ask("set", SCHEMA, scope, value)
        if value is not None and self._ask("get", SCHEMA, scope) != value:
            raise HostError(
                f"the desktop did not take its proxy setting {scope}",
                hint="An administrator may have locked it (dconf).",
            )

    def ours(self, scope: str, pac_url: str) -> str:
        """See `ProxySetting`."""
        return f"'{pac_url}'" if scope == _URL else "'auto'"

    def earlier(self, values: Mapping[str, str | None]) -> Earlier:
        """See `ProxySetting`."""
        match word(values.get(_MODE)):
            case "auto":
                return Earlier(pac_url=word(values.get(_URL)))
            case "manual":
                found = {
                    f"{name}/{key}": self._ask("get", f"{SCHEMA}.{name}", key)
                    for name in ("http", "https", "socks")
                    for key in ("host", "port")
                }
                return manual(found | {"ignore-hosts": self._ask("get", SCHEMA, "ignore-hosts")})
            case _:
                return Earlier()

    def _default(self, key: str) -> str:
        """What the schema says; a backend without memory of its own knows nothing else."""
        asked = self._run(["env", "GSETTINGS_BACKEND=memory", "gsettings", "get", SCHEMA, key])
        return text_of(asked, "gsettings").strip()

    def _ask(self, *arguments: str) -> str:
        return text_of(self._run(["gsettings", *arguments]), f"gsettings {arguments[0]}").strip()


def manual(values: Mapping[str, str]) -> Earlier:
    """The proxies of `http/host` and its like, values as GVariant writes them."""
    found = {
        name: endpoint(word(values.get(f"{name}/host")), word(values.get(f"{name}/port")) or "0")
        for name in ("http", "https", "socks")
    }
    return Earlier(**found, exceptions=_words(values.get("ignore-hosts", "")))


def word(variant: object) -> str:
    """A GVariant string or number as plain text; those that we read are written as Python writes them."""
    try:
        value = ast.literal_eval(str(variant))
    except (ValueError, SyntaxError):
        return ""
    return str(value) if isinstance(value, str | int) else ""


def _words(variant: str) -> tuple[str, ...]:
    try:
        value = ast.literal_eval(variant.removeprefix("@as "))
    except (ValueError, SyntaxError):
        return ()
    return tuple(str(each) for each in value)[:_EXCEPTIONS] if isinstance(value, list) else ()
