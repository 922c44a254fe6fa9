"""Capture for real: an agent in a network of its own, a client that heeds no proxy setting, and a server outside."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.laptop import SECRET, STATE, Laptop, made, missing, until

VARIABLES = "/etc/environment.d/60-drawbridge.conf"
pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "never")


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    with made(Laptop) as laptop:
        yield laptop


def test_programs_without_proxy_settings_are_captured(laptop: Laptop) -> None:
    laptop.supervise()
    laptop.seen.write_bytes(b"")
    answer = laptop.post("api.openai.com", laptop.root)
    assert answer.returncode == 0, (answer.stderr, laptop.log[-3000:])
    assert b"write to" in laptop.seen.read_bytes()
    assert SECRET.encode() not in laptop.seen.read_bytes()
    other = laptop.post("other.example", laptop.cert)  # its own certificate: piped unread
    assert other.returncode == 0, other.stderr
    assert SECRET.encode() in laptop.seen.read_bytes()
    assert laptop.agent is not None
    laptop.agent.terminate()
    laptop.agent.wait(40)
    assert not laptop.captures
    assert laptop.post("api.openai.com", laptop.cert).returncode == 0


def test_a_killed_agent_leaves_nobody_offline(laptop: Laptop) -> None:
    laptop.supervise()
    assert laptop.agent is not None
    laptop.agent.kill()
    laptop.agent.wait()
    restore = [sys.executable, "-m", "agent", "restore", "--only-proxy"]
    environ = [f"{name}={value}" for name, value in laptop.environ.items()]
    done = laptop.run("env", "-i", *environ, *restore, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not laptop.captures
    assert laptop.post("other.example", laptop.cert).returncode == 0


def test_capture_that_another_tool_undoes_switches_itself_off(laptop: Laptop) -> None:
    laptop.supervise()
    laptop.run("nft", "delete", "table", "inet", "drawbridge")
    laptop.run(
        "ip", "link", "add", "vpn0", "type", "veth", "peer", "name", "vpn1"
    )  # the network changes: it looks at once
    assert until(lambda: "capture is switched off" in laptop.log), laptop.log[-3000:]
    assert not laptop.captures
    assert laptop.post("api.openai.com", laptop.cert).returncode == 0


# As the packages install it: the service has a user of its own, and only root sees the table.


@pytest.fixture
def root_of(laptop: Laptop, tmp_path: Path) -> Path:
    """Where the service's root is copied to, for clients to trust."""
    del laptop
    return tmp_path / "root.pem"


def test_the_service_of_the_packages_captures_and_root_takes_it_back(laptop: Laptop, root_of: Path) -> None:
    with laptop.installed(manage_environment="all"):
        assert until(lambda: laptop.captures), laptop.log[-3000:]
        root_of.write_text(laptop.run("cat", str(STATE / "ca" / "root.pem")).stdout)
        assert until(lambda: laptop.led == "proxy_set"), laptop.log[-3000:]
        laptop.seen.write_bytes(b"")
        answer = laptop.post("api.openai.com", root_of)
        assert answer.returncode == 0, (answer.stderr, laptop.log[-3000:])
        assert b"write to" in laptop.seen.read_bytes()
        assert SECRET.encode() not in laptop.seen.read_bytes()
        assert laptop.post("other.example", laptop.cert).returncode == 0
        assert (
            laptop.post("api.openai.com", root_of, user=0).returncode == 0
        )  # root is a user like others here
    assert not laptop.captures
    assert laptop.post("api.openai.com", laptop.cert).returncode == 0


def test_a_killed_engine_of_the_packages_leaves_nobody_offline_and_another_captures(
    laptop: Laptop, root_of: Path
) -> None:
    with laptop.installed():
        assert until(lambda: laptop.led == "proxy_set"), laptop.log[-3000:]
        root_of.write_text(laptop.run("cat", str(STATE / "ca" / "root.pem")).stdout)
        laptop.run("kill", "-9", laptop.engine)
        assert until(lambda: laptop.post("other.example", laptop.cert).returncode == 0)
        assert until(lambda: laptop.captures and laptop.post("api.openai.com", root_of).returncode == 0)
    assert not laptop.captures


def test_capture_that_fails_in_the_packages_is_taken_back_by_root(laptop: Laptop) -> None:
    with laptop.installed(manage_environment="all"):
        assert until(lambda: laptop.led == "proxy_set"), laptop.log[-3000:]
        laptop.run("nft", "delete", "table", "inet", "drawbridge")
        laptop.run("ip", "link", "add", "vpn0", "type", "veth", "peer", "name", "vpn1")
        assert until(lambda: laptop.led == "capture_failed"), laptop.log[-3000:]
        assert until(lambda: laptop.has(VARIABLES))
        assert not laptop.captures
        assert laptop.post("api.openai.com", laptop.cert).returncode == 0


def test_where_nothing_can_be_captured_the_rest_is_put(laptop: Laptop) -> None:
    with laptop.installed(manage_environment="all", capture_port="0"):
        assert until(lambda: laptop.led == "proxy_failed"), laptop.log[-3000:]
        assert laptop.has(VARIABLES)
        assert not laptop.captures
