"""The proxy auto-configuration file: names the catalogued hosts, and nothing else goes through us. Pure.

https://developer.mozilla.org/docs/Web/HTTP/Guides/Proxy_servers_and_tunneling/Proxy_Auto-Configuration_PAC_file
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from agent.host.earlier import Earlier
from agent.interception.elsewhere import elsewhere
from agent.model.hostpattern import HostTemplate, is_template

_LAST_WORD = "FindProxyForURL = function (url, host) { return bridged(url, host); };\n"
"""Where the company's file sets the global of this name instead of declaring a function."""


def pac_file(
    hosts: Iterable[str], port: int, *, closed: frozenset[str] = frozenset(), earlier: Earlier | None = None
) -> str:
    """A PAC file that sends `hosts` (names, `*.suffix` and templates) to the proxy on `port`. All but those of `closed`
    fall back to what `earlier` says, directly where it says nothing, so that a stopped agent takes nobody offline; and
    there every other host goes. No DNS lookups of ours; an exact name counts before a template, a template before a
    suffix, a longer suffix before a shorter.

    Written for the oldest engines that read such files (ECMAScript 3). A template is a list of its labels, each as what
    stands before and after the name in braces, or as a text alone where there is none. Beside each host stands whether
    it is closed.
    """
    names = sorted(hosts)
    exact = {
        host: int(host in closed) for host in names if not host.startswith("*.") and not is_template(host)
    }
    suffixes = sorted((host for host in names if host.startswith("*.")), key=lambda each: (-len(each), each))
    templates = [
        (HostTemplate.compile(host).labels, int(host in closed)) for host in names if is_template(host)
    ]
    beyond = earlier or Earlier()
    return (
        # theirs first: whatever it defines, ours is defined after it
        f"{beyond.mark}\n{elsewhere(beyond)}"
        f"var exact = {json.dumps(exact)};\n"
        f"var suffixes = {json.dumps([[each[1:], int(each in closed)] for each in suffixes])};\n"
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
        "function bridged(url, given) {\n"
        "  var host = given.toLowerCase();\n"
        '  if (host.charAt(host.length - 1) == ".") host = host.substring(0, host.length - 1);\n'
        "  if (Object.prototype.hasOwnProperty.call(exact, host)) return bridge(exact[host], url, given);\n"
        '  var labels = host.split(".");\n'
        "  for (var j = 0; j < templates.length; j++)\n"
        "    if (shaped(labels, templates[j][0])) return bridge(templates[j][1], url, given);\n"
        "  for (var i = 0; i < suffixes.length; i++)\n"
        "    if (dnsDomainIs(host, suffixes[i][0])) return bridge(suffixes[i][1], url, given);\n"
        "  return elsewhere(url, given);\n"
        "}\n"
        "function bridge(closed, url, host) {\n"
        f'  return "PROXY 127.0.0.1:{port}" + (closed ? "" : "; " + elsewhere(url, host));\n'
        "}\n"
        "function FindProxyForURL(url, host) { return bridged(url, host); }\n"
        + (_LAST_WORD if beyond.pac_text else "")
    )
