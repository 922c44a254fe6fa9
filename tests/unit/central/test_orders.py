"""What a node is told: addresses are read strictly, and loopback is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.central.orders import Address, open_listener, parse_address, worker_paths
from agent.errors import ConfigError
from agent.host.paths import StatePaths


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("127.8.8.8:1", "127.8.8.8", 1, True),
        ("localhost:0", "localhost", 0, True),
        ("[::1]:8080", "::1", 8080, True),
        ("0.0.0.0:8080", "0.0.0.0", 8080, False),
        ("[::]:8080", "::", 8080, False),
        ("llm.example.com:443", "llm.example.com", 443, False),
    ],
)
def test_addresses(text: str, host: str, port: int, loopback: bool) -> None:
    address = parse_address(text)
    assert (address.host, address.port, address.loopback) == (host, port, loopback)
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "8080", ":8080", "host", "host:", "host:http", "::1:80", "[::1]", "h:65536"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_address(text)


def test_a_port_that_is_taken_is_told() -> None:
    with (
        open_listener(Address(host="127.0.0.1", port=0)) as taken,
        pytest.raises(ConfigError, match=r"cannot listen on 127\.0\.0\.1"),
    ):
        open_listener(Address(host="127.0.0.1", port=taken.getsockname()[1]))


def test_each_worker_has_a_state_of_its_own(tmp_path: Path) -> None:
    root = StatePaths.under(tmp_path)
    assert worker_paths(root, 1).spool == tmp_path / "workers" / "1" / "audit" / "spool.db"
