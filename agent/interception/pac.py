"""The proxy auto-configuration file: names the catalogued hosts, and nothing else goes through us. Pure.

https://developer.mozilla.org/docs/Web/HTTP/Guides/Proxy_servers_and_tunneling/Proxy_Auto-Configuration_PAC_file
"""

from __future__ import annotations

import json
from collections.abc import Iterable


def pac_file(hosts: Iterable[str], port: int) -> str:
    """A PAC file that sends `hosts` (names and `*.suffix`) to the proxy on `port` and falls back to DIRECT, so that
    a stopped agent takes nobody offline. Exact names and suffixes only, no DNS lookups."""
    exact = sorted(host for host in hosts if not host.startswith("*."))
    suffixes = sorted(host[1:] for host in hosts if host.startswith("*."))
    return (
        f"var exact = {json.dumps(dict.fromkeys(exact, 1))};\n"
        f"var suffixes = {json.dumps(suffixes)};\n"
        "function FindProxyForURL(url, host) {\n"
        "  host = host.toLowerCase();\n"
        '  if (host.charAt(host.length - 1) == ".") host = host.substring(0, host.length - 1);\n'
        f'  var bridge = "PROXY 127.0.0.1:{port}; DIRECT";\n'
        "  if (Object.prototype.hasOwnProperty.call(exact, host)) return bridge;\n"
        "  for (var i = 0; i < suffixes.length; i++)\n"
        "    if (dnsDomainIs(host, suffixes[i])) return bridge;\n"
        '  return "DIRECT";\n'
        "}\n"
    )
