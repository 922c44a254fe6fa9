"""A pause, with a real agent: what passes unseen while it lasts, what does not, and that it ends."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from agent.errors import ConfigError
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess, wait_until
from tests.integration.line import Line, trusting, tunnel
from tests.integration.prompts import CHAT, MESSAGES, made_up_key
from tests.integration.stage import Stage, dialling

POLICY = """\
schema_version: 1
id: paused
fail: {hosts: {api.anthropic.com: closed}}
pause: {allow: with_reason, max_minutes: 30}
providers:
  openai: {key: "env:HOUSE_KEY"}
guardrails:
  - {id: secrets, detect: [secret], action: redact}
"""
NEVER = POLICY.replace("with_reason", "never")


@pytest.fixture(scope="module")
def agent(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    with stage.agent(
        tmp_path_factory.mktemp("paused"), policy=POLICY, environ={"HOUSE_KEY": "none"}
    ) as agent:
        yield agent


@pytest.fixture
def paused(agent: AgentProcess) -> Iterator[AgentProcess]:
    """The agent, while interception rests."""
    agent.control("pause", minutes=5, reason="the hotel's network")
    yield agent
    agent.control("resume")


def passing(agent: AgentProcess, stage: Stage) -> Line:
    """A line of a program that trusts the provider itself, not us: it works only where nobody decrypts it."""
    return Line.secured(tunnel(agent.proxy_port, CHAT.host), trusting(stage.authority.ca_file), CHAT.host)


def test_a_secret_passes_unseen_while_it_lasts_and_is_redacted_after(
    agent: AgentProcess, stage: Stage, provider: Provider
) -> None:
    unseen, seen = made_up_key(), made_up_key()
    agent.control("pause", minutes=5, reason="the hotel's network")
    line = passing(agent, stage)
    assert line.ask("POST", CHAT.target(), CHAT.body(unseen)).status == 200
    line.close()
    assert agent.control("status")["state"] == "paused"
    agent.control("resume")
    with dialling(agent) as dial:
        assert dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body(seen)).status == 200
    first, second = provider.requests
    assert unseen in first.body.decode()
    assert seen not in second.body.decode()


def test_it_is_recorded_with_who_why_and_what_passed(agent: AgentProcess, stage: Stage) -> None:
    before = {kind: len(agent.trail.events(kind=kind)) for kind in ("paused", "resumed", "bypass")}
    agent.control("pause", minutes=5, reason="the hotel's network")
    passing(agent, stage).close()
    agent.control("resume")
    begun = agent.wait_for_events("paused", before["paused"] + 1)[0]
    assert "the hotel's network" in agent.event_text(begun)
    agent.wait_for_events("resumed", before["resumed"] + 1)
    passed = agent.wait_for_events("bypass", before["bypass"] + 1)[0]
    assert f"{CHAT.host} passes unseen: interception is paused" in agent.event_text(passed)
    orders = [agent.event_text(row) for row in agent.trail.events(kind="control", limit=2)]
    assert all('"pid"' in text and '"uid"' in text for text in orders)


def test_a_host_that_policy_lets_nothing_pass_to_is_guarded_all_the_same(
    paused: AgentProcess, provider: Provider
) -> None:
    key = made_up_key()
    with dialling(paused) as dial:
        answer = dial(MESSAGES.host).ask("POST", MESSAGES.target(), MESSAGES.body(key))
    assert answer.status == 200
    assert key not in provider.requests[0].body.decode()


def test_the_gateway_guards_all_the_same(paused: AgentProcess, provider: Provider) -> None:
    key = made_up_key()
    with dialling(paused) as dial:
        assert dial.gateway().ask("POST", "/openai" + CHAT.target(), CHAT.body(key)).status == 200
    assert key not in provider.requests[0].body.decode()


def test_a_connection_that_is_open_stays_guarded(agent: AgentProcess, provider: Provider) -> None:
    key = made_up_key()
    with dialling(agent) as dial:
        line = dial(CHAT.host)
        assert line.ask("POST", CHAT.target(), CHAT.body("hello")).status == 200
        agent.control("pause", minutes=5, reason="a test")
        try:
            assert line.ask("POST", CHAT.target(), CHAT.body(key)).status == 200
        finally:
            agent.control("resume")
    assert key not in provider.requests[-1].body.decode()


def test_what_a_pause_let_pass_is_cut_when_it_ends(agent: AgentProcess, stage: Stage) -> None:
    agent.control("pause", minutes=5, reason="a test")
    line = passing(agent, stage)
    assert line.ask("POST", CHAT.target(), CHAT.body("hello")).status == 200
    agent.control("resume")
    assert line.ask("POST", CHAT.target(), CHAT.body("hello")).status == 0
    line.close()
    with pytest.raises(ssl.SSLCertVerificationError):
        passing(agent, stage)


def test_what_policy_does_not_allow_is_refused(agent: AgentProcess) -> None:
    with pytest.raises(ConfigError, match="only with a reason"):
        agent.control("pause", minutes=5)
    with pytest.raises(ConfigError, match="at most 30 minutes"):
        agent.control("pause", minutes=31, reason="a test")
    with pytest.raises(ConfigError, match="minutes"):
        agent.control("pause", minutes=0, reason="a test")
    assert agent.control("status")["pause"] is None


def test_it_survives_a_restart_and_ends_where_the_policy_forbids_it(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("restarted")
    with stage.agent(directory, policy=POLICY, environ={"HOUSE_KEY": "none"}) as agent:
        ends = agent.control("pause", minutes=5, reason="a test")["pause"]["ends_at"]
        agent.kill()
        agent.start()
        kept = agent.control("status")["pause"]
        assert (kept["reason"], abs(kept["ends_at"] - ends) < 2) == ("a test", True)
        agent.stop()
        (directory / "policy.yaml").write_text(NEVER)
        agent.start()
        assert agent.control("status")["state"] == "guarding"
        assert not agent.paths.pause.exists()


def test_it_ends_by_itself(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The file says that half a second is left, as after a restart at the end of a pause."""
    directory = tmp_path_factory.mktemp("ending")
    with stage.agent(directory, policy=POLICY, environ={"HOUSE_KEY": "none"}) as agent:
        agent.control("pause", minutes=1, reason="a test")
        text = agent.paths.pause.read_text()
        agent.kill()
        ends = float(text.split('"ends_at": ')[1].split(",")[0])
        agent.paths.pause.write_text(text.replace(f'"ends_at": {ends}', f'"ends_at": {ends - 45}'))
        agent.start()
        wait_until(lambda: agent.control("status")["pause"] is None, "the pause to end", seconds=30)
        assert "its time is over" in agent.event_text(agent.wait_for_events("resumed")[0])
