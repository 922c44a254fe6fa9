"""The part of our PAC file that answers for everything but AI: as whatever stood there before us would have. Pure.

A PAC file cannot ask another one, so the company's text stands within ours, in a function of its own.
"""

from __future__ import annotations

import json

from agent.host.earlier import Earlier
from agent.host.proxy_exceptions import ProxyExceptions

_DIRECT = 'function elsewhere(url, host) { return "DIRECT"; }\n'


def elsewhere(earlier: Earlier) -> str:
    """JavaScript that defines `elsewhere(url, host)`."""
    if earlier.pac_text:
        return _wrapped(earlier.pac_text)
    if earlier.http or earlier.https or earlier.socks:
        return _manual(earlier)
    return _DIRECT


def _wrapped(text: str) -> str:
    return (
        "var theirs = null;\n"
        "try {\n"
        "  theirs = (function () {\n"
        f"{text}\n"
        '    return typeof FindProxyForURL == "function" ? FindProxyForURL : null;\n'
        "  })();\n"
        "} catch (error) {}\n"
        "function elsewhere(url, host) {\n"
        "  try {\n"
        '    return (theirs && theirs(url, host)) || "DIRECT";\n'
        "  } catch (error) {\n"
        '    return "DIRECT";\n'
        "  }\n"
        "}\n"
    )


def _manual(earlier: Earlier) -> str:
    socks = f"SOCKS5 {earlier.socks}; SOCKS {earlier.socks}" if earlier.socks else ""
    by_kind = {
        "https": f"PROXY {earlier.https}" if earlier.https else socks or "DIRECT",
        "http": f"PROXY {earlier.http}" if earlier.http else socks or "DIRECT",
    }
    excepted = ProxyExceptions.parse(earlier.exceptions)
    networks = [
        [str(each.network_address), str(each.netmask)] for each in excepted.networks if each.version == 4
    ]
    return (
        f"var usual = {json.dumps(by_kind)};\n"
        f"var names = {json.dumps(excepted.names)};\n"
        f"var shapes = {json.dumps(excepted.shapes)};\n"
        f"var networks = {json.dumps(networks)};\n"
        "function elsewhere(url, host) {\n"
        f'  if ({json.dumps(excepted.local)} && isPlainHostName(host)) return "DIRECT";\n'
        "  for (var i = 0; i < names.length; i++)\n"
        '    if (host == names[i] || dnsDomainIs(host, "." + names[i])) return "DIRECT";\n'
        "  for (var j = 0; j < shapes.length; j++)\n"
        '    if (shExpMatch(host, shapes[j])) return "DIRECT";\n'
        # addresses only: a name would be looked up
        "  if (/^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+$/.test(host))\n"
        "    for (var k = 0; k < networks.length; k++)\n"
        '      if (isInNet(host, networks[k][0], networks[k][1])) return "DIRECT";\n'
        '  return usual[/^(https|wss):/.test(url) ? "https" : "http"];\n'
        "}\n"
    )
