"""A person signs in to a real agent by a real command: what was refused passes, and events name him."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from tests.fakes.identity_provider import CLIENT, Browser, IdentityProvider, identity_provider
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess, wait_until
from tests.integration.prompts import CHAT, MESSAGES
from tests.integration.stage import Stage, dialling
from tests.integration.test_tray import Desk

POLICY = """\
schema_version: 1
id: signed
apps:
  require_sign_in: true
  rules:
    - {id: contractors, groups: [contractors], state: denied}
    - {id: engineers, groups: [engineering], users: ["*@example.com"], state: approved}
    - {id: hours, when: 'identity.signed_in && identity.name == "eve@example.com"', state: denied}
"""


@pytest.fixture(scope="module")
def idp() -> Iterator[IdentityProvider]:
    with identity_provider() as made:
        yield made


@pytest.fixture(scope="module")
def agent(
    stage: Stage, idp: IdentityProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentProcess]:
    environ = {
        "DRAWBRIDGE_SIGN_IN_ISSUER": idp.issuer,
        "DRAWBRIDGE_SIGN_IN_CLIENT": CLIENT,
        "DRAWBRIDGE_SIGN_IN_DEVICE_CODE": "yes",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    with stage.agent(tmp_path_factory.mktemp("signed"), policy=POLICY, environ=environ) as agent:
        yield agent


def sign_in(agent: AgentProcess) -> str:
    """`drawbridge sign-in --no-browser`, whose address a browser opens; what it says."""
    command = [sys.executable, "-m", "agent", "sign-in", "--no-browser", "--state-dir", str(agent.paths.root)]
    browser = Browser()
    with subprocess.Popen(
        command, env=agent._environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("http"):
                browser(line.strip())
                break
        said, problem = process.communicate(timeout=30)
        browser.close()
        assert process.returncode == 0, problem
    return said


def asked(agent: AgentProcess) -> tuple[int, str]:
    with dialling(agent) as dial:
        answer = dial("api.anthropic.com").ask("POST", MESSAGES.target(), MESSAGES.body("hello"))
        return answer.status, answer.text


def test_from_signing_in_to_signing_out(
    agent: AgentProcess, idp: IdentityProvider, provider: Provider
) -> None:
    status, text = asked(agent)
    assert status == 400
    told = json.loads(text)
    assert told["type"] == "error"  # in the client's own dialect
    assert "drawbridge sign-in" in told["error"]["message"]

    assert "signed in as ada@example.com" in sign_in(agent)
    assert asked(agent)[0] == 200
    row = agent.trail.events(kind="exchange", limit=1)[0]
    user = json.loads(agent.event_text(row))["actor"]["user"]
    assert user["email_addr"] == "ada@example.com"
    assert user["full_name"] == "Ada Lovelace"
    assert user["uid"] == "00u1"
    assert user["groups"] == [{"name": "engineering"}, {"name": "ai-pilots"}]
    assert "signed in as ada@example.com" in agent.drawbridge("status").stdout

    idp.person.claims["groups"] = ["contractors"]
    assert agent.drawbridge("sign-in", "--renew").returncode == 0
    status, text = asked(agent)
    assert (status, "is not allowed" in text) == (400, True)

    idp.person.claims["groups"] = ["engineering"]
    assert agent.drawbridge("sign-in", "--renew").returncode == 0
    assert asked(agent)[0] == 200

    out = agent.drawbridge("sign-out")
    assert "ada@example.com is signed out" in out.stdout
    assert len(idp.revoked) == 1
    assert "drawbridge sign-in" in asked(agent)[1]
    kinds = [agent.trail.events(kind=kind, limit=10) for kind in ("signed_in", "signed_out")]
    assert [len(each) for each in kinds] == [3, 1]  # two of them since the groups changed


def test_a_chat_client_is_told_in_its_own_words(agent: AgentProcess) -> None:
    answer = httpx.post(
        f"http://127.0.0.1:{agent.gateway_port}/openai{CHAT.target()}",
        content=CHAT.body("hello"),
        headers={"content-type": "application/json"},
        trust_env=False,
    )
    assert "drawbridge sign-in" in answer.json()["error"]["message"]


def test_an_account_that_is_closed_is_out_at_the_next_renewal(
    agent: AgentProcess, idp: IdentityProvider
) -> None:
    sign_in(agent)
    idp.refuses_renewal = True
    try:
        done = agent.drawbridge("sign-in", "--renew")
    finally:
        idp.refuses_renewal = False
    assert (done.returncode, "the account is closed" in done.stderr) == (1, True)
    assert agent.control("status")["sign_in"] == {"state": "signed_out", "why": "refused"}


def test_it_outlives_the_agent_and_no_token_is_left_anywhere(agent: AgentProcess) -> None:
    sign_in(agent)
    kept = json.loads(
        (Path(agent._environ["HOME"]) / ".local/state/drawbridge/sign-in/session.json").read_text()
    )
    agent.stop()
    agent.start()
    assert agent.control("status")["sign_in"]["name"] == "ada@example.com"
    secrets = (kept["refresh_token"], "eyJ")
    for file in agent.paths.root.rglob("*"):
        if file.is_file() and file.suffix in (".json", ".db", ".jsonl", ".head", ".db-wal"):
            data = file.read_bytes()
            assert not any(each.encode() in data for each in secrets), file
    assert not any(each in agent.log for each in secrets)
    archive = agent.directory / "diag.zip"
    assert agent.drawbridge("diag", "--fast", "--output", str(archive), timeout=60).returncode == 0
    with ZipFile(archive) as packed:
        assert not any(each.encode() in packed.read(name) for name in packed.namelist() for each in secrets)
    assert not any(each in str(agent.control("diag")) for each in secrets)


def test_the_doctor_knows(agent: AgentProcess) -> None:
    found = json.loads(agent.drawbridge("doctor", "--json", timeout=60).stdout)["checks"]
    outcomes = {each["id"]: each["outcome"] for each in found if each["group"] == "sign_in"}
    assert outcomes == {
        "sign_in.provider": "ok",
        "sign_in.clock": "ok",
        "sign_in.person": "ok",
        "sign_in.store": "warning",  # there is no password store here, and it says so
    }


def test_the_menu_signs_in_and_out(agent: AgentProcess, idp: IdentityProvider, tmp_path: Path) -> None:
    agent.drawbridge("sign-out")
    browser = Browser()
    with Desk(agent, tmp_path) as desk:
        desk.browser = browser
        wait_until(lambda: "Sign in …" in desk.panel.labels(), "the offer", seconds=20)
        desk.panel.choose(desk.panel.find("Sign in …"))
        wait_until(lambda: "Signed in as ada@example.com" in desk.panel.labels(), "a name", seconds=40)
        assert desk.notifier.shown[-1] == ("Signed in", "as ada@example.com")
        desk.panel.choose(desk.panel.find("Sign out"))
        wait_until(lambda: "Sign in …" in desk.panel.labels(), "the offer again", seconds=40)
    browser.close()
