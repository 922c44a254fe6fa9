"""The company's own proxy for what we send ourselves: as the settings name it, or, with `auto`, as this machine had it.

`auto` looks at HTTPS_PROXY and NO_PROXY, then at what the system's settings said before us. A PAC file cannot be asked
from here: it counts only where every proxy that it names is one and the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from agent.host.earlier import Earlier, leads_to, parsed
from agent.host.setting_values import AUTO
from agent.host.settings import Settings

_NAMED = r"(?i)\b(PROXY|HTTP|HTTPS|SOCKS[45]?)\s+([A-Za-z0-9._-]+:[0-9]{1,5})"
_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def settled(settings: Settings, environ: Mapping[str, str], earlier: Earlier) -> Settings:
    """`settings` with `auto` decided; others as they are."""
    if settings.upstream_proxy != AUTO:
        return settings
    ports = (settings.proxy_port, settings.gateway_port)
    excepted = _listed(environ)
    for variable in _VARIABLES:
        if address := _reachable(environ.get(variable, ""), ports):
            return _through(settings, address, excepted)
    known = earlier.without(ports)
    address = _only_proxy(known.pac_text) if known.pac_url else known.https
    if address and not leads_to(f"http://{address}", ports):
        return _through(settings, address, (*excepted, *known.exceptions))
    return replace(settings, upstream_proxy=None)


def _through(settings: Settings, address: str, excepted: tuple[str, ...]) -> Settings:
    return replace(
        settings,
        upstream_proxy=f"http://{address}",
        upstream_direct=tuple(dict.fromkeys((*settings.upstream_direct, *excepted))),
    )


def _reachable(url: str, ports: Collection[int]) -> str:
    address = parsed(url) if url else ""
    return "" if leads_to(f"http://{address}", ports) else address


def _listed(environ: Mapping[str, str]) -> tuple[str, ...]:
    text = environ.get("no_proxy") or environ.get("NO_PROXY", "")
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


def _only_proxy(pac_text: str) -> str:
    """The one proxy that a PAC file names; empty where it names none, several, or one that is no HTTP proxy."""
    import re2  # not before there is a PAC file: the supervisor, which has none most often, does without

    found = {(match[1].upper(), match[2].lower()) for match in re2.finditer(_NAMED, pac_text)}
    if len({address for _, address in found}) != 1 or any(kind not in ("PROXY", "HTTP") for kind, _ in found):
        return ""
    return parsed(next(iter(found))[1])
