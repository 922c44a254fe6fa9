"""Settings that change under a running agent."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.host import settings_watch
from agent.host.setting_rows import Effect
from agent.host.settings import Settings, setting_rows
from agent.host.settings_watch import SettingsWatch, changes
from tests.fakes.loopback import until

HELD = Settings(state_dir=Path("/state"), policy=Path("/p.yaml"))
REFUSED = "refused: the value before holds"


class Agent:
    """What a watch acts on: it says what the sources say now, and notes what was done."""

    def __init__(self, *, supervised: bool = True, accepts: bool = True) -> None:
        self.now: Settings | ConfigError = HELD
        self.accepts = accepts
        self.cannot_start = ""
        self.done: list[str] = []
        self.watch = SettingsWatch(
            HELD,
            self._load,
            live={"policy": self._policy, "log_level": self._level},
            renew=self._renew if supervised else None,
        )

    async def sees(self, now: Settings | ConfigError) -> dict[str, object]:
        self.now = now
        await self.watch.look()
        return self.watch.status()

    def _load(self) -> Settings:
        if isinstance(self.now, ConfigError):
            raise self.now
        return self.now

    async def _policy(self, settings: Settings) -> bool:
        self.done.append(f"policy {settings.policy}")
        return self.accepts

    async def _level(self, settings: Settings) -> bool:
        self.done.append(f"level {settings.log_level}")
        return True

    async def _renew(self, settings: Settings) -> None:
        if self.cannot_start:
            raise ConfigError(self.cannot_start)
        self.done.append(f"renew for {settings.upstream_proxy}")


def test_changes_say_when_they_take_hold() -> None:
    fresh = replace(HELD, proxy_port=1, policy=None, upstream_proxy="http://p:1")
    assert changes(HELD, fresh, setting_rows()) == {
        "proxy_port": Effect.SERVICE,
        "policy": Effect.LIVE,
        "upstream_proxy": Effect.ENGINE,
    }
    assert changes(HELD, replace(HELD, overridden={"policy": ()}), setting_rows()) == {}


async def test_where_nothing_changes_nothing_is_done_or_told() -> None:
    agent = Agent()
    assert await agent.sees(HELD) == {}
    assert agent.done == []


async def test_some_settings_are_in_force_at_once() -> None:
    agent = Agent()
    fresh = replace(HELD, policy=Path("/q.yaml"), log_level="debug")
    assert await agent.sees(fresh) == {}
    assert await agent.sees(fresh) == {}
    assert agent.done == ["policy /q.yaml", "level debug"]
    assert await agent.sees(HELD) == {}
    assert agent.done[2:] == ["policy /p.yaml", "level info"]


async def test_a_refused_policy_is_tried_again_only_when_something_is_new(tmp_path: Path) -> None:
    agent = Agent(accepts=False)
    file = tmp_path / "late.yaml"
    fresh = replace(HELD, policy=file)
    for _ in range(3):
        assert await agent.sees(fresh) == {"settings_changed": {"policy": REFUSED}}
    assert agent.done == [f"policy {file}"]
    file.touch()  # the file arrives after the setting that names it
    agent.accepts = True
    assert await agent.sees(fresh) == {}
    assert agent.done == [f"policy {file}"] * 2


async def test_a_new_engine_is_asked_for_once() -> None:
    agent = Agent()
    fresh = replace(HELD, upstream_proxy="http://p:1")
    for _ in range(2):
        assert await agent.sees(fresh) == {
            "settings_changed": {"upstream_proxy": "when the engine is started again"}
        }
    assert agent.done == ["renew for http://p:1"]


async def test_without_a_supervisor_it_is_only_told() -> None:
    agent = Agent(supervised=False)
    told = await agent.sees(replace(HELD, upstream_proxy="http://p:1", proxy_port=1))
    assert told["settings_changed"] == {
        "proxy_port": "when the service is started again",
        "upstream_proxy": "when the engine is started again",
    }
    assert agent.done == []
    assert await agent.sees(HELD) == {}


async def test_ports_ask_for_no_new_engine() -> None:
    agent = Agent()
    assert "settings_changed" in await agent.sees(replace(HELD, proxy_port=1))
    assert agent.done == []


async def test_no_new_engine_is_asked_for_that_would_die_of_a_refused_policy() -> None:
    agent = Agent(accepts=False)
    await agent.sees(replace(HELD, policy=Path("/bad.yaml"), upstream_proxy="http://p:1"))
    assert agent.done == ["policy /bad.yaml"]


async def test_an_engine_that_could_not_start_is_not_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    agent = Agent()
    agent.cannot_start = "the CA file cannot be used"
    fresh = replace(HELD, upstream_ca_file=Path("/missing.pem"))
    for _ in range(2):
        told = await agent.sees(fresh)
        assert told["settings_error"] == "the CA file cannot be used"
    assert len(caplog.records) == 1  # said once
    agent.cannot_start = ""
    assert "settings_error" not in await agent.sees(fresh)
    assert agent.done == ["renew for None"]


async def test_it_looks_at_once_and_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_watch, "POLL_SECONDS", 0.01)
    agent = Agent()
    agent.now = replace(HELD, log_level="debug")
    running = asyncio.ensure_future(agent.watch.run())
    await until(lambda: agent.done == ["level debug"])
    agent.now = HELD
    await until(lambda: agent.done == ["level debug", "level info"])
    running.cancel()


async def test_settings_that_are_wrong_change_nothing_and_are_told() -> None:
    agent = Agent()
    told = await agent.sees(ConfigError("bad value for proxy_port", hint="Allowed: a port."))
    assert told == {"settings_error": "bad value for proxy_port Allowed: a port."}
    assert await agent.sees(HELD) == {}
    assert agent.done == []
