"""Every platform has its finder; addresses compare in their plain form."""

from __future__ import annotations

import pytest

from agent.host.processes import plain_endpoint, process_finder
from agent.host.processes_darwin import DarwinProcessFinder
from agent.host.processes_linux import LinuxProcessFinder
from agent.host.processes_windows import WindowsProcessFinder


@pytest.mark.parametrize(
    ("platform", "kind"),
    [("linux", LinuxProcessFinder), ("darwin", DarwinProcessFinder), ("win32", WindowsProcessFinder)],
)
def test_each_platform_has_its_own_finder(platform: str, kind: type) -> None:
    assert type(process_finder(platform)) is kind


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_has_one_plain_form(given: str, plain: str) -> None:
    assert plain_endpoint((given, 80)) == (plain, 80)


def test_a_name_is_no_address() -> None:
    with pytest.raises(ValueError, match="localhost"):
        plain_endpoint(("localhost", 80))
