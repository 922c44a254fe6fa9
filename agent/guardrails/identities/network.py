"""Addresses of machines: IPv4, IPv6 and MAC, those that lead to somebody."""

from __future__ import annotations

import ipaddress
import itertools
from itertools import pairwise

from agent.guardrails.vocabulary import PUBLIC_RESOLVERS

_VERSION_WORDS = frozenset(
    [
        "version",
        "ver",
        "release",
        "build",
        "v",
        "rev",
        "oid",
        "section",
        "chapter",
        "vers",
        "fw",
        "firmware",
        "sdk",
        "driver",
    ]
)
_CHANGES = ("upgrad", "downgrad", "updat", "bump", "version", "release")
_LARGEST_VERSION_PART = 40
_LARGEST_RELEASE_PART = 30
_ADDRESS_WORDS = frozenset(
    [
        "ip",
        "ipv4",
        "host",
        "address",
        "addr",
        "client",
        "peer",
        "remote",
        "server",
        "source",
        "src",
        "dst",
    ]
)
_ADAPTER_WORDS = ("mac", "hwaddr", "ether", "physical", "bssid", "bluetooth")
# Adapters of virtual machines and containers (QEMU, VMware, VirtualBox, Xen, Hyper-V, Docker, Parallels); groups
_NOBODYS = (
    "525400", "000c29", "005056", "000569", "080027", "0a0027", "00163e", "00155d", "0242ac", "001c42",
    "01005e", "0180c2", "3333", "ffff",
)  # fmt: skip
_COUNTED = ("1234567890ab", "123456789abc", "0123456789ab")


def public_ipv4(value: str, before: str) -> bool:
    """A globally routed address that does not read as a version number or a public resolver."""
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        return False
    if not address.is_global or address.is_multicast or value in PUBLIC_RESOLVERS:
        return False
    if before.endswith(("==", ">=", "<=", "~=", "^", "~", "@", "-", "_", ":v", " v", "::")):
        return False
    if before.endswith("/") and not before.endswith("//"):
        return False
    words = before.lower().rstrip(" \t=:\"'").split()
    last = words[-1].strip("\"'(").rpartition("_")[2].rpartition("-")[2] if words else ""
    if _of_a_version(words, last):
        return False
    if words and _decimal(words[-1]):  # 2.83-2.12 3.51.98.32: the path of a drawing
        return False
    parts = [int(part) for part in value.split(".")]
    if (parts[0] == 2 and parts[1] == 5) or parts[3] == 0 or parts[:3] == [192, 0, 0]:
        return False  # attributes of X.500; networks
    if len({after - now for now, after in pairwise(parts)}) == 1:
        return False  # 1.2.3.4
    if last in _ADDRESS_WORDS or before.endswith("://"):
        return True
    # 3.0.5.130 and 7.1.4.34 are releases, 1.3.101.113 is an object identifier
    return (
        parts[:2] != [1, 3] and max(parts[:3]) > _LARGEST_RELEASE_PART and max(parts) > _LARGEST_VERSION_PART
    )


def _of_a_version(words: list[str], last: str) -> bool:
    """Whether the words before say so: `version`, `v2`, `Upgrade from 10.2.50.1 to`."""
    if last in _VERSION_WORDS or (last[:1] == "v" and last[1:].isdigit()):
        return True
    return last in ("from", "to") and any(word.startswith(_CHANGES) for word in words[-4:])


def _decimal(word: str) -> bool:
    """Whether a word ends in a number with a decimal point."""
    whole, point, fraction = word.replace(",", "-").rpartition("-")[2].partition(".")
    return bool(point) and fraction.isdigit() and (not whole or whole[-1:].isdigit())


def public_ipv6(value: str, before: str) -> bool:
    """A global unicast address (2000::/3) outside the documentation ranges."""
    if before.endswith(":") and before[-2:-1].isalnum() and before[-3:-2] in tuple("0123456789abcdefABCDEF:"):
        return False  # the tail of another
    if sum(bool(group) for group in value.split(":")) < 3 or before.endswith("::"):
        return False
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return address.is_global and value.lower() not in PUBLIC_RESOLVERS


def mac_address(value: str, before: str) -> bool:
    """An address of one adapter: no group, no virtual machine, no example.

    Digits alone read as times and dates (12:34:56:01:02:03): at least one letter must be there, or
    a word before it.
    """
    plain = "".join(char for char in value.lower() if char.isalnum())
    if len(plain) != 12 or len(set(plain)) < 5:
        return False
    if "." in value and (before.endswith(".") or all(g.isalpha() or g.isdigit() for g in value.split("."))):
        return False  # a part of a longer name, or words: dead.beef.0001
    if plain.isdigit() and not any(word in before.lower() for word in _ADAPTER_WORDS):
        return False
    separators = {char for char in value if not char.isalnum()}
    if len(separators) != 1 or plain.startswith(_NOBODYS) or plain in _COUNTED:
        return False
    if before.rstrip()[-1:] == ":" and before.rstrip()[-3:-1].isalnum() and before.rstrip()[-4:-3] == ":":
        return False  # a line of a key or a fingerprint
    octets = [int(plain[at : at + 2], 16) for at in range(0, 12, 2)]
    steps = {right - left for left, right in itertools.pairwise(octets)}
    return len(steps) > 2  # 00:11:22:33:44:55 and aa:bb:cc:dd:ee:ff stand in every manual
