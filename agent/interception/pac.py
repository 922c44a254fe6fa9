"""The proxy auto-configuration file: names the catalogued hosts, and nothing else goes through us. Pure.

https://developer.mozilla.org/docs/Web/HTTP/Guides/Proxy_servers_and_tunneling/Proxy_Auto-Configuration_PAC_file
"""

from __future__ import annotations

import json
from collections.abc import Iterable


def pac_file(hosts: Iterable[str], port: int, *, closed: frozenset[str] = frozenset()) -> str:
    """A PAC file that sends `hosts` (names and `*.suffix`) to the proxy on `port`. All but those of `closed` fall back
    to DIRECT, so that a stopped agent takes nobody offline. Exact names and suffixes only, no DNS lookups; an exact
    name counts before a suffix, a longer suffix before a shorter."""
    names = sorted(hosts)
    exact = {host: int(host in closed) for host in names if not host.startswith("*.")}
    suffixes = sorted(
        (host[1:] for host in names if host.startswith("*.")), key=lambda each: (-len(each), each)
    )
    return (
        f"var exact = {json.dumps(exact)};\n"
        f"var suffixes = {json.dumps([[each, int('*' + each in closed)] for each in suffixes])};\n"
        "function FindProxyForURL(url, host) {\n"
        "  host = host.toLowerCase();\n"
        '  if (host.charAt(host.length - 1) == ".") host = host.substring(0, host.length - 1);\n'
        f'  var bridge = ["PROXY 127.0.0.1:{port}; DIRECT", "PROXY 127.0.0.1:{port}"];\n'
        "  if (Object.prototype.hasOwnProperty.call(exact, host)) return bridge[exact[host]];\n"
        "  for (var i = 0; i < suffixes.length; i++)\n"
        "    if (dnsDomainIs(host, suffixes[i][0])) return bridge[suffixes[i][1]];\n"
        '  return "DIRECT";\n'
        "}\n"
    )
