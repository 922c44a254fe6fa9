"""The steward: settings lead here while an engine serves, and only then; nobody is fought over them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from agent.errors import ConfigError, HostError
from agent.host.arrangement import Aims, Arrangement, Drivers
from agent.host.canary import Canary
from agent.host.capture_nftables import KIND as CAPTURE
from agent.host.earlier import Earlier, read_earlier
from agent.host.paths import SetupPaths
from agent.host.setting_drift import Patience
from agent.host.settings_request import Request, take
from agent.host.settings_state import Led, read_state
from agent.supervisor.steward import Mandate, Steward, network
from tests.fakes.loopback import until
from tests.fakes.machine_settings import FakeProxySetting

URL = "http://127.0.0.1:7717/proxy.pac"
OURS = f"a {URL}"
AIMS = Aims(pac_url=URL, ports=(7717, 7718))


@dataclass
class House:
    """A steward and what it looks after."""

    root: Path
    serving: bool = True
    network: str = "home"
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.proxy = FakeProxySetting({"a": "before"})
        self.state = self.root / "settings.json"
        self.setup = SetupPaths.under(self.root / "setup", machine=False)
        self.arrangement = Arrangement(self.setup, Drivers(proxies=(self.proxy,)), serves=self._serves)
        mandate = Mandate(
            arrangement=self.arrangement,
            aims=lambda: AIMS,
            state=self.state,
            ports=(7717, 7718),
            patience=Patience(settle=0.01),
            network=lambda: self.network,
            glance=0.01,
            round=0.02,
        )
        self.steward = Steward(replace(mandate, **self.more))

    def _serves(self, _url: str, _mark: str) -> None:
        if not self.serving:
            raise HostError("no agent serves it")

    @property
    def led(self) -> Led | None:
        return self.steward.led

    @property
    def value(self) -> str | None:
        return self.proxy.values["a"]


async def test_settings_follow_the_engine(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.steward.begin()
    await house.steward.survey()
    assert (house.value, house.led) == ("before", None)
    await house.steward.serving()
    assert (house.value, house.led) == (OURS, Led.HERE)
    await house.steward.away()
    assert (house.value, house.led) == ("before", Led.NOT)
    await house.steward.serving()
    assert house.value == OURS


async def test_an_engine_that_starts_knows_what_was_there_before(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.proxy.before = Earlier(https="p:3128")
    await house.steward.survey()
    assert await asyncio.to_thread(read_earlier, house.setup.earlier) == Earlier(https="p:3128")


async def test_who_set_it_last_is_put_right_by_the_next(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.steward.serving()
    another = House(tmp_path)
    another.proxy.values = house.proxy.values
    await another.steward.begin()
    assert another.value == OURS  # it leads exactly here, where we answer already
    elsewhere = House(tmp_path, more={"aims": lambda: replace(AIMS, pac_url="http://127.0.0.1:9/proxy.pac")})
    elsewhere.proxy.values = house.proxy.values
    await elsewhere.steward.begin()
    assert elsewhere.value == "before"


async def test_where_nothing_is_asked_for_nothing_is_set_and_leftovers_go(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.steward.serving()
    idle = House(tmp_path, more={"in_charge": False, "surveys": False})
    idle.proxy.values = house.proxy.values
    await idle.steward.begin()
    assert idle.value == "before"
    await idle.steward.serving()
    assert idle.value == "before"
    await house.steward.serving()
    other = House(tmp_path, more={"in_charge": False, "surveys": False, "ports": (1, 2)})
    other.proxy.values = house.proxy.values
    await other.steward.begin()
    await other.steward.away()
    assert other.value == OURS  # it leads to another agent, whose affair it is
    await asyncio.wait_for(idle.steward.run(), 5)


async def during(steward: Steward) -> asyncio.Task[None]:
    return asyncio.ensure_future(steward.run())


async def test_what_somebody_else_changes_is_set_again_then_left_to_him(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.steward.serving()
    running = await during(house.steward)
    try:
        for _ in range(3):
            house.proxy.values["a"] = "vpn"
            await until(lambda: house.value == OURS)
        house.proxy.values["a"] = "vpn"
        await until(lambda: house.led is Led.OVERRIDDEN)
        assert house.value == "vpn"
        house.proxy.values["a"] = OURS  # the VPN is gone, and has put it back
        await until(lambda: house.led is Led.HERE)
    finally:
        running.cancel()
    await house.steward.away()
    assert house.value == "vpn"  # what it had when we last took it


async def test_a_new_network_is_looked_at_at_once(tmp_path: Path) -> None:
    house = House(tmp_path, more={"round": 1e6})
    await house.steward.serving()
    running = await during(house.steward)
    try:
        house.proxy.values["b"] = None  # a network service that was plugged in
        await asyncio.sleep(0.05)
        assert house.proxy.values["b"] is None
        house.network = "office"
        await until(lambda: house.proxy.values["b"] == f"b {URL}")
    finally:
        running.cancel()


async def test_what_could_not_be_set_is_tried_again_without_end(tmp_path: Path) -> None:
    house = House(tmp_path, serving=False)
    await house.steward.serving()
    assert (house.value, house.led) == ("before", Led.FAILED)
    running = await during(house.steward)
    try:
        await asyncio.sleep(0.2)
        house.serving = True
        await until(lambda: house.value == OURS and house.led is Led.HERE)
    finally:
        running.cancel()


async def test_a_service_asks_root(tmp_path: Path) -> None:
    asks = tmp_path / "settings.request"
    house = House(tmp_path, more={"asks": asks})
    await house.steward.begin()
    waiting = asyncio.ensure_future(house.steward.serving())
    await until(lambda: house.led is Led.ASKED)
    assert house.value == "before"
    assert await asyncio.to_thread(take, asks) is Request.SETUP
    house.proxy.values["a"] = OURS  # root has done it
    await waiting
    assert house.led is Led.HERE
    assert await asyncio.to_thread(take, asks) is None
    await house.steward.away()
    assert house.led is Led.NOT
    assert await asyncio.to_thread(take, asks) is Request.RESTORE


async def test_a_companys_file_is_read_again_now_and_then_and_on_another_network(tmp_path: Path) -> None:
    house = House(tmp_path, more={"in_charge": False, "hour": 0.05})
    running = await during(house.steward)
    try:
        for proxy in ("p:1", "q:1"):
            house.proxy.before = Earlier(https=proxy)
            async with asyncio.timeout(5):
                while await asyncio.to_thread(read_earlier, house.setup.earlier) != Earlier(https=proxy):
                    await asyncio.sleep(0.01)
    finally:
        running.cancel()


@pytest.mark.parametrize("error", [HostError("no"), ConfigError("no"), ZeroDivisionError("no")])
async def test_it_never_raises(tmp_path: Path, error: Exception) -> None:
    def aims() -> Aims:
        raise error

    house = House(tmp_path, more={"aims": aims})
    await house.steward.serving()
    assert house.led is Led.FAILED
    state = await asyncio.to_thread(read_state, house.state)
    assert state is not None
    assert state.reasons in (("no",), ("ZeroDivisionError",))


async def test_an_engine_that_is_away_again_is_not_led_to(tmp_path: Path) -> None:
    house = House(tmp_path)
    both = asyncio.gather(house.steward.serving(), house.steward.away())
    await both
    assert house.value == "before"


def test_the_network_is_told_without_sending_anything() -> None:
    assert network() == network()


class FakeTable:
    """The table of captured connections, as a setting."""

    kind = CAPTURE

    def __init__(self) -> None:
        self.value: str | None = None

    def read(self, scope: str) -> str | None:
        del scope
        return self.value

    def write(self, scope: str, value: str | None) -> None:
        del scope
        self.value = value


class FakeCanary:
    """Says what it is told to; the last of it for ever."""

    def __init__(self, answers: list[bool | None]) -> None:
        self.answers = answers

    def sings(self) -> bool | None:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def require(self, port: int) -> None:
        assert port == 7720


def _capturing(
    root: Path, answers: list[bool | None], *, asks: Path | None = None
) -> tuple[House, FakeTable]:
    aims = replace(AIMS, capture="table", capture_port=7720)
    canary, table = FakeCanary(answers), FakeTable()
    house = House(root, more={"aims": lambda: aims, "canary": canary.sings, "asks": asks})
    drivers = Drivers(proxies=(house.proxy,), capture=table)
    arrangement = Arrangement(house.setup, drivers, serves=house._serves, canary=cast("Canary", canary))
    house.steward._mandate = replace(house.steward._mandate, arrangement=arrangement)
    return house, table


async def test_capture_that_does_not_arrive_switches_itself_off_and_nothing_else(tmp_path: Path) -> None:
    house, table = _capturing(tmp_path, [False])
    await house.steward.serving()
    assert (table.value, house.value, house.led) == (None, OURS, Led.CAPTURE_FAILED)
    await house.steward.away()
    await house.steward.serving()
    assert (table.value, house.led) == (None, Led.CAPTURE_FAILED)


async def test_capture_that_arrives_no_more_is_taken_back(tmp_path: Path) -> None:
    house, table = _capturing(tmp_path, [True, False])
    await house.steward.serving()
    assert (table.value, house.led) == ("table", Led.HERE)
    await house.steward._check()
    assert (table.value, house.value, house.led) == (None, OURS, Led.CAPTURE_FAILED)


@pytest.mark.parametrize("answer", [True, None])
async def test_capture_stays_where_a_canary_arrives_or_there_is_no_network(
    tmp_path: Path, answer: bool | None
) -> None:
    house, table = _capturing(tmp_path, [answer])
    await house.steward.serving()
    assert (table.value, house.led) == ("table", Led.HERE)


async def test_captured_connections_are_let_go_as_soon_as_the_engine_has_ended(tmp_path: Path) -> None:
    house, table = _capturing(tmp_path, [True])
    await house.steward.serving()
    await house.steward.gone()
    assert table.value is None


async def test_what_cannot_be_captured_holds_nothing_else_up(tmp_path: Path) -> None:
    house, table = _capturing(tmp_path, [True])
    aims = replace(AIMS, uncaptured="not here")
    house.steward._mandate = replace(house.steward._mandate, aims=lambda: aims)
    await house.steward.serving()
    assert (table.value, house.value, house.led) == (None, OURS, Led.FAILED)
    kept = await asyncio.to_thread(read_state, house.state)
    assert kept is not None
    assert "not here" in kept.reasons[0]


# Where root is asked: it alone sees the table, and the canary tells whether it works.


@pytest.fixture
def asks(tmp_path: Path) -> Path:
    return tmp_path / "settings.request"


async def taken(asks: Path) -> Request | None:
    return await asyncio.to_thread(take, asks)


async def test_root_is_asked_for_capture_until_it_works(tmp_path: Path, asks: Path) -> None:
    house, _ = _capturing(tmp_path, [False, False, True], asks=asks)
    house.proxy.write("a", OURS)
    await house.steward.serving()  # returns once it is known how it ends
    assert (await taken(asks), house.led) == (Request.SETUP, Led.HERE)
    await house.steward.gone()
    assert (await taken(asks), house.led) == (Request.RESTORE, Led.NOT)


async def test_what_root_has_yet_to_take_back_is_asked_for_again(tmp_path: Path, asks: Path) -> None:
    house, _ = _capturing(tmp_path, [True], asks=asks)
    house.proxy.write("a", OURS)
    await house.steward.serving()
    await house.steward.gone()
    await house.steward.serving()  # all is as it was: root has not come to it
    assert (await taken(asks), house.led) == (Request.SETUP, Led.HERE)


async def test_capture_that_root_cannot_bring_about_is_given_up(tmp_path: Path, asks: Path) -> None:
    house, _ = _capturing(tmp_path, [False], asks=asks)
    house.proxy.write("a", OURS)
    now = iter(range(0, 10_000, 10))
    house.steward._mandate = replace(house.steward._mandate, clock=lambda: float(next(now)))
    await house.steward.serving()
    assert (await taken(asks), house.led) == (Request.SETUP_UNCAPTURED, Led.CAPTURE_FAILED)
    house.proxy.write("a", "somebody's")
    await house.steward.serving()
    assert (
        await taken(asks) is Request.SETUP_UNCAPTURED
    )  # whatever root is asked for from now on, it is without
    await house.steward.away()


async def test_capture_that_fails_later_is_taken_back_by_root(tmp_path: Path, asks: Path) -> None:
    house, _ = _capturing(tmp_path, [True, True, False], asks=asks)
    house.proxy.write("a", OURS)
    await house.steward.serving()
    assert (await taken(asks), house.led) == (None, Led.HERE)
    await house.steward._check()
    await house.steward._check()
    assert (await taken(asks), house.led) == (Request.SETUP_UNCAPTURED, Led.CAPTURE_FAILED)


async def test_without_a_network_root_is_asked_once_and_believed(tmp_path: Path, asks: Path) -> None:
    house, _ = _capturing(tmp_path, [None], asks=asks)
    house.proxy.write("a", OURS)
    await house.steward.serving()
    assert (await taken(asks), house.led) == (Request.SETUP, Led.HERE)
    await house.steward._check()
    assert (await taken(asks), house.led) == (None, Led.HERE)
