"""Windows: the registry's values, over a registry in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.earlier import Earlier
from agent.host.journal import Journal
from agent.host.proxies.registry import Data, Hive
from agent.host.proxies.windows import INTERNET, POLICY, MachinePac, UserPac, connection_settings
from tests.fakes.machine_settings import FakeRegistry, Fuse, Killed

URL = "http://127.0.0.1:7717/proxy.pac"
CORP = "http://corp/p.pac"


def test_a_users_pac_file_is_set_and_taken_back() -> None:
    registry = FakeRegistry()
    driver = UserPac(registry)
    assert driver.read("user") is None
    driver.write("user", driver.ours("user", URL))
    assert registry.values == {(Hive.USER, INTERNET, "AutoConfigURL"): URL}
    driver.write("user", None)
    assert registry.values == {}
    assert registry.announced == 2


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("step", range(1, 10))
def test_wherever_it_is_cut_off_the_machine_comes_back(tmp_path: Path, step: int, *, late: bool) -> None:
    before: dict[tuple[Hive, str, str], Data] = {(Hive.MACHINE, INTERNET, "AutoConfigURL"): CORP}
    registry = FakeRegistry(dict(before), fuse=Fuse(step, late))
    driver = MachinePac(registry)
    file = tmp_path / "journal.json"

    def apply() -> None:
        for scope in driver.scopes():
            Journal(file, [driver]).apply(driver.kind, scope, driver.ours(scope, URL))

    for act in (apply, apply, Journal(file, [driver]).restore, Journal(file, [driver]).restore):
        try:
            act()
        except Killed:
            registry.fuse = Fuse()
    assert registry.values == before


def test_the_policy_comes_last_and_the_blob_names_the_file() -> None:
    registry = FakeRegistry()
    driver = MachinePac(registry)
    assert driver.scopes()[-1] == "ProxySettingsPerUser"
    for scope in driver.scopes():
        driver.write(scope, driver.ours(scope, URL))
        assert driver.read(scope) == driver.ours(scope, URL)
    assert registry.values[Hive.MACHINE, POLICY, "ProxySettingsPerUser"] == 0
    blob = connection_settings(URL)
    assert blob[8:12] == b"\x05\0\0\0"  # directly, or by a PAC file
    assert len(URL).to_bytes(4, "little") + URL.encode() in blob


def test_how_often_windows_wrote_a_blob_is_no_sign_of_another_hand() -> None:
    registry = FakeRegistry()
    driver = MachinePac(registry)
    scope = driver.scopes()[0]
    driver.write(scope, driver.ours(scope, URL))
    ((key, blob),) = registry.values.items()
    assert isinstance(blob, bytes)
    registry.values[key] = blob[:4] + b"\x09\0\0\0" + blob[8:]
    assert driver.read(scope) == driver.ours(scope, URL)


@pytest.mark.parametrize(
    ("values", "earlier"),
    [
        ({}, Earlier()),
        ({"ProxyEnable": 0, "ProxyServer": "p:1"}, Earlier()),
        (
            {"ProxyEnable": 1, "ProxyServer": "p:3128", "ProxyOverride": "*.corp;<local>"},
            Earlier(http="p:3128", https="p:3128", exceptions=("*.corp", "<local>")),
        ),
        (
            {"ProxyEnable": 1, "ProxyServer": "http=p:80;https=q:3128;socks=s:1080"},
            Earlier(http="p:80", https="q:3128", socks="s:1080"),
        ),
    ],
)
def test_what_was_there_before(values: dict[str, Data], earlier: Earlier) -> None:
    registry = FakeRegistry({(Hive.USER, INTERNET, name): value for name, value in values.items()})
    assert UserPac(registry).earlier({"user": None}) == earlier
    assert UserPac(registry).earlier({"user": CORP}) == Earlier(pac_url=CORP)
    machine = FakeRegistry({(Hive.MACHINE, INTERNET, name): value for name, value in values.items()})
    assert MachinePac(machine).earlier({"AutoConfigURL": None}) == earlier
