"""macOS's network services, over a networksetup in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.earlier import Earlier
from agent.host.journal import Journal, Undone
from agent.host.proxies.base import compose
from agent.host.proxies.macos import NetworkServices
from tests.fakes.machine_settings import FakeNetworksetup, Fuse, Killed

URL = "http://127.0.0.1:7717/proxy.pac"
CORP = "http://corp/p.pac"


def test_services_that_are_switched_on_count() -> None:
    tool = FakeNetworksetup({"Wi-Fi": (None, False), "USB LAN": (None, False), "Old": (None, False)})
    tool.off = frozenset({"Old"})
    assert NetworkServices(tool).scopes() == ("Wi-Fi", "USB LAN")


@pytest.mark.parametrize("before", [(CORP, True), (CORP, False), (None, False)])
def test_a_service_comes_back(before: tuple[str | None, bool]) -> None:
    tool = FakeNetworksetup({"Wi-Fi": before})
    driver = NetworkServices(tool)
    value = driver.read("Wi-Fi")
    driver.write("Wi-Fi", driver.ours("Wi-Fi", URL))
    assert tool.services["Wi-Fi"] == (URL, True)
    assert driver.read("Wi-Fi") == driver.ours("Wi-Fi", URL)
    driver.write("Wi-Fi", value)
    url, on = tool.services["Wi-Fi"]
    assert on == before[1]
    assert url == before[0] or not on  # a URL cannot be taken away, only switched off


@pytest.mark.parametrize("before", [(CORP, True), (CORP, False)])
@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("step", range(1, 5))
def test_wherever_it_is_cut_off_it_comes_back(
    tmp_path: Path, before: tuple[str, bool], step: int, *, late: bool
) -> None:
    tool = FakeNetworksetup({"Wi-Fi": before}, fuse=Fuse(step, late))
    file = tmp_path / "journal.json"
    ours = NetworkServices(tool).ours("Wi-Fi", URL)
    for act in (
        lambda: Journal(file, [NetworkServices(tool)]).apply("macos-pac", "Wi-Fi", ours),
        lambda: Journal(file, [NetworkServices(tool)]).restore(),
        lambda: Journal(file, [NetworkServices(tool)]).restore(),
    ):
        try:
            act()
        except Killed:
            tool.fuse = Fuse()
    assert tool.services["Wi-Fi"] == before
    assert Journal(file, [NetworkServices(tool)]).changes == ()


def test_a_service_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    tool = FakeNetworksetup({"Wi-Fi": (CORP, True)})
    driver = NetworkServices(tool)
    journal = Journal(tmp_path / "journal.json", [driver])
    journal.apply("macos-pac", "Wi-Fi", driver.ours("Wi-Fi", URL))
    del tool.services["Wi-Fi"]
    assert [report.undone for report in journal.restore()] == [Undone.LEFT]


def test_who_may_not_is_told(tmp_path: Path) -> None:
    driver = NetworkServices(FakeNetworksetup({"Wi-Fi": (None, False)}, allowed=False))
    with pytest.raises(HostError, match="admin privileges"):
        driver.write("Wi-Fi", driver.ours("Wi-Fi", URL))


def test_what_was_there_before() -> None:
    tool = FakeNetworksetup({"Wi-Fi": (None, False), "LAN": (None, False)})
    driver = NetworkServices(tool)
    off = compose(enabled=False, url=None)
    assert driver.earlier({"Wi-Fi": off, "LAN": compose(enabled=True, url=CORP)}) == Earlier(pac_url=CORP)
    tool.manual = {
        "-getsecurewebproxy": "Enabled: Yes\nServer: proxy.corp\nPort: 3128\nAuthenticated Proxy Enabled: 0\n",
        "-getproxybypassdomains": "*.local\n169.254/16\n",
    }
    assert driver.earlier({"Wi-Fi": off}) == Earlier(
        https="proxy.corp:3128", exceptions=("*.local", "169.254/16")
    )
