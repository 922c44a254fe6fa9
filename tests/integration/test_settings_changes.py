"""Settings that change while an agent runs, as an administrator changes them: in a file, without a restart by hand."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.integration.agent_process import ROOT, AgentProcess, wait_until
from tests.integration.stage import Stage
from tests.integration.test_supervisor import SOON, Load, another, engine_of

POLICY = "schema_version: 1\nid: {name}\n"
SYSTEM_CONFIG = """\
from pathlib import Path
from agent.host import paths
paths.SYSTEM_CONFIG_LINUX = Path({folder!r})
"""


def configured(
    stage: Stage, directory: Path, *, supervise: tuple[str, ...] | None
) -> tuple[AgentProcess, Path]:
    """An agent with a `config.toml` of its own, be the tests run by root (whose place is below /etc) or not."""
    folder = directory / "configuration" / "drawbridge"
    folder.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(SYSTEM_CONFIG.format(folder=str(folder)))
    environ = {"XDG_CONFIG_HOME": str(folder.parent), "PYTHONPATH": f"{folder}:{ROOT}"}
    file = folder / "config.toml"
    file.write_text(settings(directory, "first"))
    return stage.agent(directory, environ=environ, supervise=supervise), file


def settings(directory: Path, policy: str, more: str = "") -> str:
    """A `config.toml` that names a policy."""
    path = directory / f"{policy}.yaml"
    if not path.exists() and policy != "missing":
        path.write_text(POLICY.format(name=policy))
    return f'policy = "{path}"\n{more}\n'


def changed(agent: AgentProcess) -> object:
    return agent.status().get("settings_changed")


def test_a_policy_is_followed_and_what_is_wrong_changes_nothing(stage: Stage, tmp_path: Path) -> None:
    agent, file = configured(stage, tmp_path, supervise=())
    with agent:
        engine = engine_of(agent)
        assert agent.status()["policy"]["id"] == "first"  # type: ignore[index]

        file.write_text(settings(tmp_path, "second"))
        agent.signal(signal.SIGHUP)
        wait_until(lambda: "second" in str(agent.status()["policy"]), "the second policy", seconds=SOON)
        assert engine_of(agent) == engine, "a policy needs no other engine"

        file.write_text(settings(tmp_path, "missing"))
        agent.signal(signal.SIGHUP)
        wait_until(lambda: "refused" in str(changed(agent)), "the refusal", seconds=SOON)
        assert "second" in str(agent.status()["policy"])

        file.write_text("proxy_prot = 1\n")
        agent.signal(signal.SIGHUP)
        wait_until(
            lambda: "Did you mean proxy_port" in str(agent.status().get("settings_error")),
            "the error",
            seconds=SOON,
        )
        assert engine_of(agent) == engine

        file.write_text(settings(tmp_path, "second"))
        agent.signal(signal.SIGHUP)
        wait_until(lambda: "settings_error" not in agent.status(), "good settings", seconds=SOON)
        assert changed(agent) is None


def test_a_new_engine_takes_over_when_one_is_needed(stage: Stage, tmp_path: Path) -> None:
    agent, file = configured(stage, tmp_path, supervise=())
    with agent:
        engine = engine_of(agent)
        with Load(agent) as load:
            wait_until(lambda: load.served > 3, "exchanges", seconds=SOON)
            file.write_text(settings(tmp_path, "first", 'upstream_proxy = "http://127.0.0.1:9"'))
            agent.signal(signal.SIGHUP)
            another(agent, engine)
        assert load.refused == 0
        assert changed(agent) is None, "the new engine works with the new settings"


def test_without_a_supervisor_a_restart_is_asked_for(stage: Stage, tmp_path: Path) -> None:
    agent, file = configured(stage, tmp_path, supervise=None)
    with agent:
        file.write_text(settings(tmp_path, "first", 'upstream_proxy = "http://127.0.0.1:9"'))
        agent.signal(signal.SIGHUP)
        wait_until(
            lambda: changed(agent) == {"upstream_proxy": "when the engine is started again"},
            "the word",
            seconds=SOON,
        )
        shown = agent.drawbridge("status")
        assert "upstream_proxy when the engine is started again" in shown.stdout
