"""What stood there before us: read, kept, and never ourselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.earlier import (
    Earlier,
    endpoint,
    first,
    is_loopback,
    leads_to,
    parsed,
    read_earlier,
    write_earlier,
)

PORTS = (7717, 7718)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("x.localhost", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_loopback_by_any_name(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) == loopback


def test_what_leads_to_us_is_left_out() -> None:
    assert leads_to("http://127.0.0.1:7717/proxy.pac", PORTS)
    assert not leads_to("http://127.0.0.1:8080/proxy.pac", PORTS)
    assert not leads_to("http://proxy.corp:7717", PORTS)
    assert not leads_to("http://[::1:7717", PORTS)
    assert Earlier(pac_url="http://localhost:7717/proxy.pac").without(PORTS) == Earlier()
    mixed = Earlier(http="[::1]:7717", https="p:3128", exceptions=("a",))
    assert mixed.without(PORTS) == Earlier(https="p:3128", exceptions=("a",))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://p:3128", "p:3128"),
        ("P:3128", "p:3128"),
        ("http://p", "p:80"),
        ("http://[fe80::1]:3128", "[fe80::1]:3128"),
        ("http://user:secret@p:3128", ""),
        ("socks5://p:1080", ""),
        ("http://p:99999", ""),
        ("", ""),
        ('p";alert(1);":80', ""),
    ],
)
def test_addresses(url: str, address: str) -> None:
    assert parsed(url) == address


def test_no_endpoint_without_a_port() -> None:
    assert (endpoint("p", 0), endpoint("p", "x"), endpoint("", 1), endpoint("p q", 1)) == ("",) * 4


def test_what_is_kept_is_read(tmp_path: Path) -> None:
    file = tmp_path / "earlier.json"
    assert read_earlier(file) == Earlier()
    found = Earlier(https="p:3128", exceptions=("a", "b"))
    write_earlier(file, found)
    assert read_earlier(file) == found
    assert file.stat().st_mode & 0o777 == 0o644
    for text in (
        "",
        "[]",
        '{"version": 1, "more": "x"}',
        '{"version": 2}',
        '{"version": 1, "exceptions": 3}',
    ):
        file.write_text(text)
        assert read_earlier(file) == Earlier()


def test_marks_tell_them_apart() -> None:
    assert Earlier(https="p:1").mark != Earlier(http="p:1").mark
    assert first([Earlier(), Earlier(https="p:1"), Earlier(https="q:1")]) == Earlier(https="p:1")
