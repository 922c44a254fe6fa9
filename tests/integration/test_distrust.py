"""Programs that refuse our certificate: the policy says whether they pass unseen, and each time is an event."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import CHAT, MESSAGES, made_up_key
from tests.integration.stage import Dial, Stage, dialling

REFUSING = """\
schema_version: 1
id: refusing
client_distrust: {action: refuse}
guardrails:
  - {id: secrets, detect: [secret], action: redact}
"""


def refuse(dial: Dial, stage: Stage, host: str = "api.openai.com") -> None:
    """Come with the provider's own root only, and break off."""
    with pytest.raises(ssl.SSLCertVerificationError):
        dial(host, root=stage.authority.ca_file)


def until_known(agent: AgentProcess, give_up: Callable[[], None]) -> str:
    """Give up handshakes, as programs do that try again, until one lasted long enough for the agent to see which
    program it is; the text of that event."""
    known = len(agent.trail.events(kind="client_distrust"))
    for attempt in range(1, 20):
        give_up()
        event = agent.event_text(agent.wait_for_events("client_distrust", known + attempt)[0])
        if "an unknown program" not in event:
            return event
        time.sleep(0.05 * attempt)  # they wait longer each time; the agent may still be getting ready
    raise AssertionError("the program was never recognised")


def test_a_program_that_refuses_our_certificate_passes_unseen_from_then_on(
    stage: Stage, tmp_path: Path, provider: Provider
) -> None:
    secret = made_up_key()
    with stage.agent(tmp_path) as agent, dialling(agent) as dial:
        event = until_known(agent, lambda: refuse(dial, stage))
        assert "api.openai.com: it may pass unseen for 24 h" in event

        line = dial("api.openai.com", root=stage.authority.ca_file)
        assert line.ask("POST", CHAT.target(), CHAT.body(secret)).status == 200
        assert provider.saw(secret)
        bypass = agent.wait_for_events("bypass")[0]
        assert (bypass.host, secret in agent.event_text(bypass)) == ("api.openai.com", False)

        dial("api.anthropic.com").ask(
            "POST", MESSAGES.target(), MESSAGES.body("hello")
        )  # other hosts stay ours
        assert agent.trail.events(kind="exchange")[0].host == "api.anthropic.com"


def test_where_policy_refuses_a_program_that_distrusts_us_never_passes(
    stage: Stage, tmp_path: Path, provider: Provider
) -> None:
    secret = made_up_key()
    with stage.agent(tmp_path, policy=REFUSING) as agent, dialling(agent) as dial:
        refuse(dial, stage)
        event = agent.wait_for_events("client_distrust")[0]
        assert "its connections stay closed" in agent.event_text(event)
        refuse(dial, stage)
        agent.wait_for_events("client_distrust", 2)
        assert agent.trail.events(kind="bypass") == ()

        answer = dial("api.openai.com").ask("POST", CHAT.target(), CHAT.body(secret))
        assert answer.status == 200
        assert not provider.saw(secret)


def leave(dial: Dial) -> None:
    """Give up in the middle of a handshake, without a word."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="api.openai.com")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    with dial.tunnel("api.openai.com") as line:
        line.send(outgoing.read())
        assert line.sock.recv(1)  # the agent's half; nobody answers it


def test_one_handshake_given_up_without_a_word_is_no_distrust_but_two_are(
    stage: Stage, tmp_path: Path
) -> None:
    with stage.agent(tmp_path) as agent, dialling(agent) as dial:
        assert "its connections stay closed" in until_known(agent, lambda: leave(dial))
        assert "it may pass unseen" in until_known(agent, lambda: leave(dial))


def test_a_program_that_has_trusted_us_may_leave_as_it_likes_and_is_still_read(
    stage: Stage, tmp_path: Path, provider: Provider
) -> None:
    secret = made_up_key()
    with stage.agent(tmp_path) as agent, dialling(agent) as dial:
        assert dial("api.openai.com").ask("GET", "/").status == 200
        for _ in range(4):
            leave(dial)
        answer = dial("api.openai.com").ask("POST", CHAT.target(), CHAT.body(secret))
        assert answer.status == 200
        assert not provider.saw(secret)
        assert agent.trail.events(kind="bypass") == ()


def test_a_handshake_that_fails_for_another_reason_is_no_distrust(
    stage: Stage, tmp_path: Path, provider: Provider
) -> None:
    secret = made_up_key()
    with stage.agent(tmp_path) as agent, dialling(agent) as dial:
        for _ in range(3):
            context = ssl.create_default_context(cafile=str(agent.ca_file))
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("DHE-RSA-AES128-GCM-SHA256")  # nothing that our certificate could serve
            sock = dial.tunnel("api.openai.com").sock
            with pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(sock, server_hostname="api.openai.com")
        answer = dial("api.openai.com").ask("POST", CHAT.target(), CHAT.body(secret))
        assert answer.status == 200
        assert not provider.saw(secret)
        assert agent.trail.events(kind="bypass") == agent.trail.events(kind="client_distrust") == ()
