"""What is asked for is checked as the machines will check it, not as this one would."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.host.mdm.deployment import read_root, read_values, starter_values
from agent.host.setting_rows import System
from agent.host.settings import setting_rows
from tests.fakes.settings_table import ONE_OF_EACH
from tests.fakes.tls import Authority


def test_values_become_what_their_kind_is() -> None:
    given = ["name= a b ", "file=/x", "door=80", "guard=on", "way=PAC-File", "names=a:1=b:2, c:3=d:4"]
    assert read_values(ONE_OF_EACH, given, System.LINUX) == {
        "name": "a b",
        "file": "/x",
        "door": 80,
        "guard": True,
        "way": "pac-file",
        "names": ["a:1=b:2", "c:3=d:4"],
    }


@pytest.mark.parametrize(
    ("system", "good", "bad"),
    [
        (System.WINDOWS, r"C:\ProgramData\x", "/etc/x"),
        (System.MACOS, "/Library/x", r"C:\x"),
        (System.LINUX, "/etc/x", "~/x"),  # of whom? the machine's service has no home worth the name
    ],
)
def test_paths_are_those_of_the_machines(system: System, good: str, bad: str) -> None:
    assert read_values(ONE_OF_EACH, [f"file={good}"], system) == {"file": good}
    with pytest.raises(ConfigError, match=f"no absolute path on {system}"):
        read_values(ONE_OF_EACH, [f"file={bad}"], system)


@pytest.mark.parametrize("given", ["door=many", "doors=1", "door", "=1"])
def test_what_sets_nothing_is_refused(given: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_values(ONE_OF_EACH, [given], System.LINUX)
    assert refused.value.hint()


@pytest.mark.parametrize("system", System)
def test_the_values_to_begin_with_are_good_ones(system: System) -> None:
    rows = setting_rows()
    values = starter_values(rows, system)
    assert read_values(rows, [f"{name}={value}" for name, value in values.items()], system) == values


def test_a_root_is_one_authority_without_its_key(tmp_path: Path) -> None:
    authority = Authority(tmp_path, name="Example root")
    root = read_root(authority.ca_pem, "ca.pem")
    assert root.name == "Example root"
    assert read_root(root.der, "ca.der") == root
    leaf = authority.leaf("a.example")
    for refused in (
        leaf.chain_file.read_bytes(),
        authority.ca_pem * 2,
        authority.ca_pem + leaf.key_file.read_bytes(),
        b"",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ):
        with pytest.raises(ConfigError, match="given"):
            read_root(refused, "given")
