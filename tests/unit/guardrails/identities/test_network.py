"""Addresses of machines."""

from __future__ import annotations

import pytest

from agent.guardrails.identities import network


@pytest.mark.parametrize(
    ("address", "before", "public"),
    [
        ("93.184.216.34", "from ", True),
        ("93.184.216.34", "http://", True),
        ("93.184.216.34", "Chrome/", False),
        ("93.184.216.34", "version: ", False),
        ("93.184.216.34", "pkg==", False),
        ("12.4.254.14", "v8: '", False),
        ("10.1.2.3", "", False),
        ("93.184.216.34", "Upgrade from 10.2.50.1 to ", False),
        ("93.184.216.34", "packets from 10.2.50.1 to ", True),
        ("192.0.2.7", "", False),
        ("8.8.8.8", "", False),
        ("7.1.4.34", "", False),
        ("5.9.12.40", "ip: ", True),
        ("300.1.1.1", "", False),
        ("93.184.216.0", "allow ", False),
        ("1.2.3.4", "ip: ", False),
        ("1.3.101.113", "id = ", False),
        ("224.0.0.251", "", False),
        ("3.51.98.32", "c-.87 2.83-2.12 ", False),
    ],
)
def test_public_addresses(address: str, before: str, public: bool) -> None:
    assert network.public_ipv4(address, before) is public


@pytest.mark.parametrize(
    ("address", "before", "public"),
    [
        ("2a00:1450:4001:82f::200e", "", True),
        ("2a00:1450:4001:82f::200e", "from: ", True),
        ("2001:db8::1", "", False),
        ("2024:12:01", "", False),
        ("2a00::1::2", "", False),
        ("23af:2309::fae7", "[0439:", False),
    ],
)
def test_public_addresses_of_the_new_kind(address: str, before: str, public: bool) -> None:
    assert network.public_ipv6(address, before) is public


@pytest.mark.parametrize(
    ("address", "before", "real"),
    [
        ("3c:22:fb:9a:41:0e", "", True),
        ("3C-22-FB-9A-41-0E", "", True),
        ("14:02:80:36:79:67", "at ", False),
        ("14:02:80:36:79:67", "MAC ", True),
        ("00:11:22:33:44:55", "MAC ", False),
        ("ff:ff:ff:ff:ff:ff", "MAC ", False),
        ("52:54:00:1b:2c:9d", "", False),
        ("02:42:ac:11:00:02", "", False),
        ("76:0e:ef:f7:05:17", "58:60:ce:ab:f9:\n        ", False),
        ("3c:22:fb-9a:41:0e", "", False),
    ],
)
def test_adapters_of_real_machines(address: str, before: str, real: bool) -> None:
    assert network.mac_address(address, before) is real
