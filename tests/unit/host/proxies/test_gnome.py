"""GNOME's proxy settings: over a gsettings in memory, and over the real one where it is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.earlier import Earlier
from agent.host.proxies.gnome import SCHEMA, GnomeProxy
from tests.fakes.machine_settings import FakeGsettings

URL = "http://127.0.0.1:7717/proxy.pac"


def proxy(tool: FakeGsettings) -> GnomeProxy:
    return GnomeProxy(tool, installed=True)


def test_what_is_not_set_goes_back_to_not_set() -> None:
    tool = FakeGsettings()
    driver = proxy(tool)
    before = {scope: driver.read(scope) for scope in driver.scopes()}
    assert before == {"autoconfig-url": None, "mode": None}
    for scope in driver.scopes():
        driver.write(scope, driver.ours(scope, URL))
        assert driver.read(scope) == driver.ours(scope, URL)
    assert tool.values == {(SCHEMA, "autoconfig-url"): f"'{URL}'", (SCHEMA, "mode"): "'auto'"}
    for scope, value in before.items():
        driver.write(scope, value)
    assert tool.values == {}


def test_the_mode_comes_last() -> None:
    assert proxy(FakeGsettings()).scopes() == ("autoconfig-url", "mode")


def test_a_key_that_an_administrator_locked_is_an_error() -> None:
    driver = proxy(FakeGsettings(locked=frozenset({"mode"})))
    with pytest.raises(HostError, match="did not take"):
        driver.write("mode", "'auto'")


def test_without_the_desktop_there_is_nothing_to_set() -> None:
    assert GnomeProxy(FakeGsettings(), installed=False).scopes() == ()


@pytest.mark.parametrize(
    ("values", "earlier"),
    [
        ({}, Earlier()),
        ({"mode": "'none'", "autoconfig-url": "'http://corp/p.pac'"}, Earlier()),
        ({"mode": "'auto'", "autoconfig-url": "'http://corp/p.pac'"}, Earlier(pac_url="http://corp/p.pac")),
        (
            {"mode": "'manual'"},
            Earlier(
                http="proxy.corp:3129",
                https="proxy.corp:3128",
                exceptions=("localhost", "127.0.0.0/8", "::1"),
            ),
        ),
    ],
)
def test_what_was_there_before(values: dict[str, str | None], earlier: Earlier) -> None:
    tool = FakeGsettings()
    for name, port in (("http", "3129"), ("https", "3128")):
        tool.values[f"{SCHEMA}.{name}", "host"] = "'proxy.corp'"
        tool.values[f"{SCHEMA}.{name}", "port"] = port
    assert proxy(tool).earlier(values) == earlier


def there() -> bool:
    return shutil.which("gsettings") is not None and GnomeProxy().scopes() != ()


@pytest.mark.skipif(not there(), reason="the real tool is asked only where GNOME's schemas are installed")
def test_the_real_tool_understands_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GSETTINGS_BACKEND", "keyfile")
    driver = GnomeProxy()
    driver.write("mode", "'manual'")
    for scope in driver.scopes():
        before = driver.read(scope)
        driver.write(scope, driver.ours(scope, URL))
        assert driver.read(scope) == driver.ours(scope, URL)
        driver.write(scope, before)
        assert driver.read(scope) == before
    assert (driver.read("mode"), driver.read("autoconfig-url")) == ("'manual'", None)
