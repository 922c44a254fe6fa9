"""A policy that is replaced while the agent runs: new exchanges follow it, running ones keep theirs, a bad one changes
nothing.
"""

from __future__ import annotations

import signal
import ssl
import threading
from collections.abc import Iterator

import pytest

from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess, wait_until
from tests.integration.prompts import CHAT, made_up_key
from tests.integration.stage import Dial, Stage, dialling
from tests.integration.test_stop import Reading, slow_stream

STRICT = """\
schema_version: 1
id: strict
revision: {revision}
guardrails:
  - {{id: secrets, detect: [secret], action: redact}}
"""

LAX = """\
schema_version: 1
id: lax
revision: 2
guardrails: []
"""

WIDER = """\
schema_version: 1
id: wider
guardrails:
  - {id: secrets, detect: [secret], action: redact}
catalog:
  - id: house-llm
    name: The house's own
    provider: house
    hosts: [intranet.example]
    endpoints: [{path: /v1/chat/completions, dialect: openai-chat}]
"""


@pytest.fixture(scope="module")
def reloading(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent whose policy changes all the time."""
    with stage.agent(tmp_path_factory.mktemp("reloading"), policy=STRICT.format(revision=1)) as agent:
        yield agent


@pytest.fixture
def agent(reloading: AgentProcess) -> AgentProcess:
    """That agent, under a policy that redacts."""
    replace(reloading, STRICT.format(revision=next_revision(reloading)))
    return reloading


@pytest.fixture
def dial(agent: AgentProcess) -> Iterator[Dial]:
    """Opens lines to it."""
    with dialling(agent) as dial:
        yield dial


def replace(agent: AgentProcess, policy: str, *, becomes: str = "policy_activated") -> str:
    """Put another policy in the place of the one in force, and wait until the agent has judged it; what it says."""
    known = len(agent.trail.events(kind=becomes, limit=1000))
    (agent.directory / "policy.yaml").write_text(policy)
    agent.signal(signal.SIGHUP)
    return agent.event_text(agent.wait_for_events(becomes, known + 1, seconds=20)[0])


def next_revision(agent: AgentProcess) -> int:
    """A revision that the agent has not seen."""
    return len(agent.trail.events(limit=1000))


def in_force(agent: AgentProcess) -> str:
    """The policy that the agent says it follows."""
    policy = agent.status()["policy"]
    assert isinstance(policy, dict)
    return str(policy["id"])


def test_a_new_policy_holds_for_new_exchanges_and_not_for_running_ones(
    agent: AgentProcess, dial: Dial, provider: Provider
) -> None:
    old, new = made_up_key(), made_up_key()
    words = ("one ", *("more " for _ in range(36)), old, " end")
    provider.script(CHAT.target(), slow_stream(*words, pause=0.1), times=1)
    line = dial(CHAT.host)
    line.request("POST", CHAT.target(), CHAT.body("go on", stream=True))
    provider.wait_for_requests(1)
    running = Reading(line)

    replace(agent, LAX)
    assert in_force(agent) == "lax"
    assert running.answer is None
    dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body(new))
    assert provider.saw(new)

    text = CHAT.streamed(running.result().body)
    assert text == "one " + "more " * 36 + "[REDACTED:openai_api_key] end"
    policies = [agent.event_text(row) for row in agent.trail.events(kind="exchange", limit=2)]
    assert ['"name": "strict"' in one for one in policies] == [True, False]  # by their end, newest first


def test_a_kept_connection_follows_the_new_policy(
    agent: AgentProcess, dial: Dial, provider: Provider
) -> None:
    first, second = made_up_key(), made_up_key()
    line = dial(CHAT.host)
    line.ask("POST", CHAT.target(), CHAT.body(first))
    replace(agent, LAX)
    line.ask("POST", CHAT.target(), CHAT.body(second))
    assert (provider.saw(first), provider.saw(second)) == (False, True)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("schema_version: 1\nid: bad\nguardrials: []\n", "guardrials"),
        ("schema_version: 1\nid: [", "policy.yaml:3"),
        ("schema_version: 2\nid: later\n", "schema_version"),
        (
            "schema_version: 1\nid: bad\nguardrails:\n  - {id: a, detect: [secret/no_such], action: redact}\n",
            "no_such",
        ),
    ],
    ids=["an unknown key", "no YAML", "another version", "an unknown type"],
)
def test_a_bad_policy_is_refused_with_its_reason_and_the_good_one_stays(
    policy: str, reason: str, agent: AgentProcess, dial: Dial, provider: Provider
) -> None:
    secret = made_up_key()
    assert reason in replace(agent, policy, becomes="policy_refused")
    assert reason in agent.log
    assert "the policy was refused" in agent.log
    assert in_force(agent) == "strict"
    dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body(secret))
    assert not provider.saw(secret)

    replace(agent, STRICT.format(revision=next_revision(agent)))


def test_a_policy_that_is_gone_is_refused(agent: AgentProcess) -> None:
    known = len(agent.trail.events(kind="policy_refused"))
    (agent.directory / "policy.yaml").unlink()
    agent.signal(signal.SIGHUP)
    agent.wait_for_events("policy_refused", known + 1)
    assert in_force(agent) == "strict"


def test_a_host_that_a_new_policy_adds_is_served_without_new_trust(
    agent: AgentProcess, dial: Dial, provider: Provider, stage: Stage
) -> None:
    secret = made_up_key()
    root = agent.ca_file.read_text()
    assert (
        dial("intranet.example", root=stage.authority.ca_file).ask("GET", "/").status == 200
    )  # not yet ours
    with pytest.raises(ssl.SSLCertVerificationError):
        dial("intranet.example")

    known = len(agent.trail.events(kind="ca_reissued"))
    replace(agent, WIDER)
    agent.wait_for_events("ca_reissued", known + 1)
    line = dial("intranet.example")
    assert line.ask("POST", CHAT.target(), CHAT.body(secret)).status == 200
    assert not provider.saw(secret)
    assert dial(CHAT.host).ask("GET", "/").status == 200  # the others go on
    assert agent.ca_file.read_text() == root


def test_many_reloads_under_traffic_lose_nothing(agent: AgentProcess, dial: Dial, provider: Provider) -> None:
    over = threading.Event()
    seen: list[int] = []

    def ask() -> None:
        line = dial(CHAT.host)
        while not over.is_set():
            seen.append(line.ask("POST", CHAT.target(), CHAT.body("hello")).status)

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(6):
        replace(agent, STRICT.format(revision=next_revision(agent)))
    wait_until(lambda: len(seen) > 20, "some traffic")
    over.set()
    asking.join()
    assert set(seen) == {200}
    assert len(provider.requests) == len(seen)
