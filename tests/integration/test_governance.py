"""Which programs may ask, by which way, with whose accounts, and what is remembered and told of it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.harness import run_client
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.http2_line import Http2Line
from tests.integration.prompts import CHAT, DIALECTS, GEMINI, MESSAGES, RESPONSES, Dialect, made_up_key
from tests.integration.stage import Dial, Stage, dialling

ALL = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
WORKSPACE = "01234567-89ab-cdef-0123-456789abcdef"
WORDS = "This program is not ours to use"

CLOSED = f"""\
schema_version: 1
id: closed
apps: {{default: denied, message: "{WORDS}: {{reason}}. Ref {{ref}}."}}
"""

GOVERNED = """\
schema_version: 1
id: governed
upstream: {{central: {{base_url: "http://127.0.0.1:{port}/hub", virtual_key: "env:HUB_KEY"}}}}
providers: {{openai: {{key: "env:HOUSE_KEY", base_url: "http://127.0.0.1:{port}/house/v1"}}}}
apps:
  default: pending
  pending: observe
  rules:
    - {{id: ours, surfaces: [openai], state: approved, routing: gateway}}
    - {{id: hub, surfaces: [gemini], state: approved, routing: central}}
tenants:
  chatgpt-workspaces: {{allow: [{workspace}]}}
  claude-government-tenants: {{allow: [umb_1], hosts: [intranet.example]}}
tool_calls: {{report: arguments}}
"""


@pytest.fixture(scope="module")
def closed(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent that lets no program ask."""
    with stage.agent(tmp_path_factory.mktemp("closed"), policy=CLOSED) as agent:
        yield agent


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The company's own provider and gateway."""
    with Provider(tmp_path_factory.mktemp("house"), tls=False) as provider:
        yield provider


@pytest.fixture(scope="module")
def governed(
    stage: Stage, house: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentProcess]:
    """An agent with a word about everybody."""
    policy = GOVERNED.format(port=house.port, workspace=WORKSPACE)
    environ = {"HUB_KEY": "hub-" + "key", "HOUSE_KEY": "house-" + "key"}
    with stage.agent(tmp_path_factory.mktemp("governed"), policy=policy, environ=environ) as agent:
        yield agent


@pytest.fixture
def dial(governed: AgentProcess, house: Provider) -> Iterator[Dial]:
    """Opens lines to it."""
    house.reset()
    with dialling(governed) as dial:
        yield dial


def exchanges(agent: AgentProcess) -> int:
    """How many the trail holds."""
    return len(agent.trail.events(kind="exchange", limit=10_000))


# Denied


@ALL
@pytest.mark.parametrize("stream", [False, True])
def test_an_sdk_shows_the_refusal_and_asks_once(
    dialect: Dialect, stream: bool, closed: AgentProcess, provider: Provider
) -> None:
    before = exchanges(closed)
    origin = f"http://127.0.0.1:{closed.gateway_port}/{dialect.prefix}"
    run = run_client(dialect.client, "hello", env={}, origin=origin, stream=stream)
    assert WORDS in f"{run.text} {run.error}"
    assert exchanges(closed) == before + 1
    assert provider.requests == ()


def test_a_large_request_is_refused_before_it_is_read(closed: AgentProcess, provider: Provider) -> None:
    with dialling(closed) as dial:
        line = dial("api.openai.com")
        answer = line.ask("POST", CHAT.target(), CHAT.body("x" * 3_000_000))
        assert (answer.status, answer.whole) == (400, True)
        assert WORDS in answer.text
        assert (
            line.ask("GET", "/v1/models").status == 200
        )  # what asks no model goes on, on the same connection
    assert [one.path for one in provider.requests] == ["/v1/models"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl_through_the_proxy_is_refused(closed: AgentProcess, provider: Provider, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_bytes(MESSAGES.body("x" * 1_000_000))
    command = ["curl", "--silent", "--show-error", "--max-time", "20", "--proxy"]
    command += [f"http://127.0.0.1:{closed.proxy_port}", "--cacert", str(closed.ca_file)]
    command += ["--data-binary", f"@{body}", "-H", "content-type: application/json"]
    done = subprocess.run(
        [*command, f"https://{MESSAGES.host}{MESSAGES.target()}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["type"] == "error"
    assert told["error"]["message"].startswith(WORDS)
    assert provider.requests == ()


def test_people_are_told_of_refusals_now_and_then(closed: AgentProcess) -> None:
    with dialling(closed) as dial:
        for _ in range(3):
            assert WORDS in dial("api.openai.com").ask("POST", CHAT.target(), CHAT.body("hi")).text
    told = closed.wait_for_events("app_denied")
    about = [closed.event_text(each) for each in told if '"openai"' in closed.event_text(each)]
    assert len(about) <= 2  # one each for the proxy, where the program is known, and for the base URL


def test_the_refusal_is_explained(closed: AgentProcess) -> None:
    with dialling(closed) as dial:
        answer = dial("api.openai.com").ask("POST", CHAT.target(), CHAT.body("hi"))
    said = closed.drawbridge(
        "explain", answer.headers["x-drawbridge-ref"], "--policy", str(closed.directory / "policy.yaml")
    )
    assert "before anything was read, by 'apps.default' of apps" in said.stdout
    assert "drawbridge apps explain" in said.stdout


# Pending, and what is remembered


def test_a_pending_program_works_is_an_alert_and_is_reported_once_over_restarts(
    stage: Stage, provider: Provider, tmp_path: Path
) -> None:
    policy = "schema_version: 1\nid: waiting\napps: {default: pending, pending: observe}\n"
    agent = stage.agent(tmp_path, policy=policy)
    for start in (1, 2):
        with agent:
            with dialling(agent) as dial:
                line = dial(MESSAGES.host)
                for _ in range(2):
                    assert line.ask("POST", MESSAGES.target(), MESSAGES.body("hello")).status == 200
            told = agent.wait_for_events("app_first_seen")
        assert len(agent.trail.events(kind="app_first_seen")) == 1, start
    assert len(provider.requests) == 4
    alerts = agent.trail.events(kind="exchange", decision="alert")
    assert len(alerts) == 4
    assert "apps.default" in agent.event_text(alerts[0])
    assert "waits for approval" in agent.event_text(told[0])
    shown = agent.drawbridge("apps", "--json", "--policy", str(tmp_path / "policy.yaml")).stdout
    (row,) = json.loads(shown)
    assert (row["surface"], row["state"], row["requests"]) == ("anthropic", "pending", 4)


# Ways


@pytest.mark.parametrize("door", ["intercepted", "base URL"])
def test_each_surface_goes_its_way(
    door: str, dial: Dial, governed: AgentProcess, provider: Provider, house: Provider
) -> None:
    fields = (
        ("Authorization", "Bearer users-own"),
        ("X-Api-Key", "users-own"),
        ("Content-Type", "application/json"),
    )
    for dialect in (CHAT, MESSAGES, GEMINI):
        line = dial(dialect.host) if door == "intercepted" else dial.gateway()
        prefix = "" if door == "intercepted" else f"/{dialect.prefix}"
        answer = line.ask("POST", f"{prefix}{dialect.target()}", dialect.body("hello"), fields=fields)
        assert answer.status == 200, answer.text
    own, hub = house.requests
    assert own.path == "/house/v1/chat/completions"
    assert own.header("authorization") == "Bearer house-" + "key"
    assert hub.path.startswith("/hub/genai/v1beta/models/")
    assert hub.header("authorization") == "Bearer hub-" + "key"
    assert not house.saw("users-own")
    (native,) = provider.requests
    assert (native.host, native.header("x-api-key")) == ("api.anthropic.com", "users-own")


# Tenants

NAMES = {
    "chatgpt.com": ("chatgpt-allowed-workspace-id", WORKSPACE),
    "intranet.example": ("anthropic-allowed-tenant-ids", "umb_1"),
}


@pytest.mark.parametrize("host", NAMES)
@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/2"])
def test_a_tenant_header_is_ours_alone(host: str, protocol: str, dial: Dial, provider: Provider) -> None:
    name, value = NAMES[host]
    sent = [(name.title(), "theirs"), (name, "theirs-too"), (name.replace("-", "_"), "theirs")]
    if protocol == "HTTP/1.1":
        line = dial(host)
        assert "Drawbridge" in line.certificate.issuer.rfc4514_string()
        line.ask("GET", "/login", fields=[*sent, ("Connection", name)])
    else:
        browser = Http2Line(dial(host, alpn=("h2",)))
        lower = [(key.lower(), each) for key, each in sent]
        browser.answers(browser.request("GET", "/login", fields=lower))
    (seen,) = provider.requests
    assert seen.path == "/login"
    found = [(key, each) for key, each in seen.headers if key.replace("_", "-") == name]
    assert found == [(name, value)]


def test_a_host_that_no_policy_names_is_not_decrypted(stage: Stage, agent: AgentProcess) -> None:
    with dialling(agent) as dial:
        line = dial("intranet.example", root=stage.authority.ca_file)
        assert "Drawbridge" not in line.certificate.issuer.rfc4514_string()


# Tool calls


def test_a_streamed_tool_call_is_told_without_its_secret(governed: AgentProcess, provider: Provider) -> None:
    secret = made_up_key()
    origin = f"http://127.0.0.1:{governed.gateway_port}/{MESSAGES.prefix}"
    prompt = f"call: {json.dumps({'command': f'export OPENAI_API_KEY={secret} && ls'})}"
    before = exchanges(governed)
    run_client(MESSAGES.client, prompt, env={}, origin=origin, stream=True, tools=True, tool_name="Bash")
    assert provider.saw(secret)  # this policy has no guardrail for it
    events = governed.trail.events(kind="exchange", limit=exchanges(governed) - before)
    texts = [json.loads(governed.event_text(row)) for row in events]
    told = [
        call for each in texts for call in each["unmapped"]["drawbridge"].get("tools", {}).get("calls", ())
    ]
    assert [(call["tool"], call["kind"]) for call in told] == [("Bash", "shell")]
    assert "OPENAI_API_KEY=[REDACTED:" in told[0]["arguments"]
    for file in governed.paths.root.rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes(), file


# Programs and accounts

NAMED = """\
schema_version: 1
id: named
apps:
  accounts: block
  message: "Not so: {reason}."
  rules: [{id: no-curl, apps: [curl], state: denied}]
"""
AUTH = "https://api.openai.com/auth"


@pytest.fixture(scope="module")
def named(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent that knows curl, and wants no private accounts."""
    with stage.agent(tmp_path_factory.mktemp("named"), policy=NAMED) as agent:
        yield agent


def chatgpt_token(plan: str) -> str:
    """A token as ChatGPT gives them, signed by nobody."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"iss": "https://auth.openai.com", "sub": "user-1", AUTH: {"chatgpt_plan_type": plan}}
    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2lnbmF0dXJl"


@pytest.mark.parametrize(("plan", "status"), [("plus", 400), ("enterprise", 200)])
def test_a_private_account_is_refused(
    plan: str, status: int, named: AgentProcess, provider: Provider
) -> None:
    fields = (("Authorization", f"Bearer {chatgpt_token(plan)}"), ("Content-Type", "application/json"))
    with dialling(named) as dial:
        answer = dial("chatgpt.com").ask(
            "POST", "/backend-api/codex/responses", RESPONSES.body("hi"), fields=fields
        )
    assert answer.status == status
    assert ("Not so: a personal account is used on" in answer.text) == (status == 400)
    assert len(provider.requests) == (status == 200)


@pytest.mark.skipif(
    shutil.which("curl") is None or sys.platform != "linux",
    reason="curl, told by its process as Linux shows it",
)
@pytest.mark.parametrize("door", ["proxy", "base URL"])
def test_a_program_is_denied_by_its_id_whatever_it_says(
    door: str, named: AgentProcess, provider: Provider
) -> None:
    command = ["curl", "--silent", "--show-error", "--max-time", "20", "-A", "claude-cli/2.0"]
    command += ["--data-binary", MESSAGES.body("hi").decode(), "-H", "content-type: application/json"]
    if door == "proxy":
        command += ["--proxy", f"http://127.0.0.1:{named.proxy_port}", "--cacert", str(named.ca_file)]
        command.append(f"https://{MESSAGES.host}{MESSAGES.target()}")
    else:
        command.append(f"http://127.0.0.1:{named.gateway_port}/{MESSAGES.prefix}{MESSAGES.target()}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout)["error"]["message"] == (
        "Not so: the program 'curl' is not allowed on anthropic."
    )
    assert provider.requests == ()
    rows = json.loads(
        named.drawbridge("apps", "--json", "--policy", str(named.directory / "policy.yaml")).stdout
    )
    assert ("curl", "denied") in {(row["app"], row["state"]) for row in rows}
