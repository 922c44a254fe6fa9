"""Products that inspect, reroute or record TLS traffic, by their processes and by the certificates they sign. Data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """One product. `processes` are names of its programs without `.exe`; `issuers` are parts of the names of its
    certificate authorities; both in lower case."""

    name: str
    kind: str  # security, vpn or debugger
    processes: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()


def _rival(name: str, kind: str, processes: str = "", issuers: str = "") -> Rival:
    def parted(text: str) -> tuple[str, ...]:
        return tuple(each.strip() for each in text.split(",") if each.strip())

    return Rival(name=name, kind=kind, processes=parted(processes), issuers=parted(issuers))


RIVALS = (
    _rival(
        "Zscaler", "security", "zsatunnel, zsatray, zsatraymanager, zsaservice, zscaler, zstunnel", "zscaler"
    ),
    _rival(
        "Netskope", "security", "stagentsvc, stagentui, nsauxiliarysvc, netskope client", "netskope, goskope"
    ),
    _rival("GlobalProtect", "vpn", "pangps, pangpa, globalprotect", "palo alto networks"),
    _rival(
        "Cisco Secure Client", "vpn", "vpnagent, vpnagentd, vpnui, csc_ui, acumbrellaagent", "cisco umbrella"
    ),
    _rival("Cloudflare WARP", "vpn", "warp-svc, cloudflarewarp, cloudflare warp", "gateway ca - cloudflare"),
    _rival(
        "FortiClient",
        "security",
        "forticlient, fortitray, fctservctl2, fortisslvpnclient",
        "fortinet, fortigate",
    ),
    _rival("Forcepoint", "security", "wepsvc, fppsvc", "forcepoint"),
    _rival("Blue Coat / Symantec WSS", "security", "wssad, wssa", "bluecoat, blue coat, symantec wss"),
    _rival("Sophos", "security", "sophosnetfilter, sntpservice", "sophos"),
    _rival("Check Point", "vpn", "tracsrvwrapper, trgui", "check point"),
    _rival("Kaspersky", "security", "avp", "kaspersky"),
    _rival("Avast / AVG", "security", "avastsvc, avgsvc", "avast, avg web/mail"),
    _rival("ESET", "security", "ekrn", "eset ssl filter"),
    _rival("Bitdefender", "security", "vsserv", "bitdefender"),
    _rival("Tailscale", "vpn", "tailscaled"),
    _rival("OpenVPN", "vpn", "openvpn, openvpnserv"),
    _rival("WireGuard", "vpn", "wireguard, wireguard-go"),
    _rival("Fiddler", "debugger", "fiddler, fiddlereverywhere, fiddler everywhere", "fiddler"),
    _rival("Proxyman", "debugger", "proxyman", "proxyman"),
    _rival("Charles", "debugger", "charles", "charles proxy"),
    _rival("mitmproxy", "debugger", "mitmproxy, mitmdump, mitmweb", "mitmproxy"),
    _rival("Burp Suite", "debugger", "burpsuite, burpsuitepro, burpsuitecommunity", "portswigger"),
)
"""Names as the products ship them; a product that is not here is still told by the check of the issuer's trust."""


def running(processes: Iterable[str]) -> tuple[Rival, ...]:
    """Those of which a process runs, by the processes' names."""
    names = {each.lower().removesuffix(".exe") for each in processes}
    return tuple(each for each in RIVALS if names.intersection(each.processes))


def signer(issuer: str) -> Rival | None:
    """Whose authority an issuer's name is."""
    lower = issuer.lower()
    return next((each for each in RIVALS if any(part in lower for part in each.issuers)), None)
