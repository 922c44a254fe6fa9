"""The proxy auto-configuration file: names the catalogued hosts, and nothing else goes through us. Pure.

https://developer.mozilla.org/docs/Web/HTTP/Guides/Proxy_servers_and_tunneling/Proxy_Auto-Configuration_PAC_file
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from agent.model.hostpattern import HostTemplate, is_template


def pac_file(hosts: Iterable[str], port: int) -> str:
    """A PAC file that sends `hosts` (names, `*.suffix` and templates) to the proxy on `port` and falls back to DIRECT,
    so that a stopped agent takes nobody offline. No DNS lookups, no regular expressions.

    Written for the oldest engines that read such files (ECMAScript 3). A template is a list of its labels, each as what
    stands before and after the name in braces, or as a text alone where there is none.
    """
    exact = sorted(host for host in hosts if not host.startswith("*.") and not is_template(host))
    suffixes = sorted(host[1:] for host in hosts if host.startswith("*."))
    templates = [HostTemplate.compile(host).labels for host in sorted(hosts) if is_template(host)]
    return (
        f"var exact = {json.dumps(dict.fromkeys(exact, 1))};\n"
        f"var suffixes = {json.dumps(suffixes)};\n"
        f"var templates = {json.dumps(templates)};\n"
        "function shaped(labels, template) {\n"
        "  if (labels.length != template.length) return false;\n"
        "  for (var i = 0; i < labels.length; i++) {\n"
        "    var label = labels[i], part = template[i];\n"
        '    if (typeof part == "string") {\n'
        "      if (label != part) return false;\n"
        "    } else if (label.length <= part[0].length + part[1].length\n"
        "        || label.substring(0, part[0].length) != part[0]\n"
        "        || label.substring(label.length - part[1].length) != part[1]) return false;\n"
        "  }\n"
        "  return true;\n"
        "}\n"
        "function FindProxyForURL(url, host) {\n"
        "  host = host.toLowerCase();\n"
        '  if (host.charAt(host.length - 1) == ".") host = host.substring(0, host.length - 1);\n'
        f'  var bridge = "PROXY 127.0.0.1:{port}; DIRECT";\n'
        "  if (Object.prototype.hasOwnProperty.call(exact, host)) return bridge;\n"
        "  for (var i = 0; i < suffixes.length; i++)\n"
        "    if (dnsDomainIs(host, suffixes[i])) return bridge;\n"
        '  var labels = host.split(".");\n'
        "  for (var j = 0; j < templates.length; j++)\n"
        "    if (shaped(labels, templates[j])) return bridge;\n"
        '  return "DIRECT";\n'
        "}\n"
    )
