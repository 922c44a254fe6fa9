"""Who is asking: real programs through a real agent, by the proxy and by the base URL, and what they pretend."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.agent_process import AgentProcess
from tests.integration.stage import Stage

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")

POLICY = """\
schema_version: 1
id: asking
company: {organisations: [org-acme]}
programs:
  - {id: acme-agent, kind: agent, scripts: [/acme-agent/]}
access:
  - {id: claude-may, apps: [claude-code], models: [claude-only], action: allow}
  - {id: others-not, models: [claude-only], action: block}
  - {id: no-private-accounts, models: [work-only], when: 'login.tenancy in ["personal", "other"]', action: block}
"""
# what asks: a URL and headers as JSON on the command line, a model
ASK = """\
import json, sys, urllib.request
body = json.dumps({"model": sys.argv[3], "messages": [{"role": "user", "content": "hello"}]}).encode()
fields = {"content-type": "application/json", **json.loads(sys.argv[2])}
request = urllib.request.Request(sys.argv[1], data=body, headers=fields)
try:
    with urllib.request.urlopen(request, timeout=20) as answer:
        print(answer.status)
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""
ASK_NODE = """\
const [url, fields, model] = process.argv.slice(2);
const body = JSON.stringify({model, messages: [{role: 'user', content: 'hello'}]});
const headers = {'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...JSON.parse(fields)};
const request = require('http').request(url, {method: 'POST', headers}, answer => {
  answer.resume(); answer.on('end', () => console.log(answer.statusCode));
});
request.end(body);
"""
CHAT = "/openai/v1/chat/completions"
HTTPS = "https://api.openai.com/v1/chat/completions"


@pytest.fixture(scope="module")
def asked(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent whose rules are about who asks."""
    with stage.agent(tmp_path_factory.mktemp("asking"), policy=POLICY) as agent:
        yield agent


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "ask.py"
    path.parent.mkdir()
    path.write_text(ASK)
    return path


class Client:
    """Runs programs that ask, and finds the record of what they asked."""

    def __init__(self, agent: AgentProcess) -> None:
        self.agent = agent
        self.output = ""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.agent.gateway_port}{CHAT}"

    def ask(
        self, *program: str, url: str = "", headers: Mapping[str, str] | None = None, model: str = "gpt-x"
    ) -> dict[str, Any]:
        """The event of the one exchange that `program` makes."""
        return self.run(*program, url or self.base_url, json.dumps(dict(headers or {})), model)

    def run(self, *command: str) -> dict[str, Any]:
        """The same for a whole command line, in the environment that our `exec` makes."""
        since = time.time()
        finished = self.agent.run(*command)
        self.output = finished.stdout + finished.stderr
        self.agent.outcome(since)
        (row,) = self.agent.trail.events(kind="exchange", since=since)
        document: dict[str, Any] = self.agent.trail.show(row.id).document  # type: ignore[assignment]
        return document


@pytest.fixture
def client(asked: AgentProcess) -> Client:
    return Client(asked)


def asker(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = event["unmapped"]["drawbridge"].get("asker", {})
    return found


def login(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = event["unmapped"]["drawbridge"].get("login", {})
    return found


@pytest.mark.parametrize("url", [HTTPS, ""], ids=["proxy", "base-url"])
def test_a_script_of_python_is_python_with_its_process_and_user(
    client: Client, script: Path, url: str
) -> None:
    event = client.ask(sys.executable, str(script), url=url)
    assert "200" in client.output
    assert asker(event)["app"] == asker(event)["seen"] == "python"
    actor = event["actor"]
    assert actor["app_name"] == "python"
    assert actor["process"]["file"]["path"] == str(Path(sys.executable).resolve())
    assert actor["process"]["created_time"] == pytest.approx(time.time() * 1000, abs=60_000)
    assert actor["user"]["name"]


def test_a_child_of_a_shell_has_it_for_a_parent(client: Client, script: Path) -> None:
    line = f"{sys.executable} {script} {client.base_url} '{{}}' gpt-x; true"
    event = client.run("bash", "-c", line)
    assert event["actor"]["process"]["parent_process"]["name"] == "bash"
    assert event["actor"]["process"]["ancestry"][0]["name"] == "bash"


def test_what_an_agent_starts_is_within_it(client: Client, tmp_path: Path, script: Path) -> None:
    agent = tmp_path / "claude"
    agent.write_text("import subprocess, sys\nsubprocess.run([sys.executable, *sys.argv[1:]], check=True)\n")
    event = client.ask(sys.executable, str(agent), str(script))
    assert asker(event)["app"] == "python"
    assert asker(event)["within"][0] == "claude-code"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_a_tool_that_node_runs_is_told_behind_its_link(client: Client, tmp_path: Path) -> None:
    package = tmp_path / "node_modules/@anthropic-ai/claude-code"
    package.mkdir(parents=True)
    (package / "cli.js").write_text(ASK_NODE)
    link = tmp_path / "start-it"
    link.symlink_to(package / "cli.js")
    event = client.ask("node", str(link))
    assert asker(event)["app"] == "claude-code"
    assert asker(event)["evidence"] == "process"
    assert "200" in client.output
    plain = tmp_path / "server.js"
    plain.write_text(ASK_NODE)
    assert asker(client.ask("node", str(plain)))["app"] == "node"


def test_a_program_of_the_policys_is_told(client: Client, tmp_path: Path) -> None:
    script = tmp_path / "acme-agent" / "main.py"
    script.parent.mkdir()
    script.write_text(ASK)
    assert asker(client.ask(sys.executable, str(script)))["app"] == "acme-agent"


def test_a_header_does_not_make_a_program_into_another(client: Client, script: Path) -> None:
    pretending = {"user-agent": "claude-cli/2.0.14 (external, cli)", "x-app": "cli"}
    event = client.ask(sys.executable, str(script), headers=pretending, model="claude-only")
    assert asker(event)["app"] == "python"
    assert asker(event)["claimed"] == "claude-code"
    assert event["unmapped"]["drawbridge"]["decision"]["rule_ids"] == ["others-not"]


def test_what_only_the_request_says_is_a_claim_and_allows_nothing(client: Client) -> None:
    body = json.dumps({"model": "claude-only", "messages": [{"role": "user", "content": "hi"}]})
    port = client.agent.gateway_port
    lines = [f"POST {CHAT} HTTP/1.1", f"host: 127.0.0.1:{port}", "x-app: cli", "connection: close"]
    lines += ["content-type: application/json", f"content-length: {len(body)}", "", body]
    request = "\\r\\n".join(lines)
    # bash itself holds the connection, and is in no catalog
    event = client.run(
        "bash",
        "-c",
        f"exec 3<>/dev/tcp/127.0.0.1/{port}; printf '{request}' >&3; while read -r line <&3; do echo $line; done",
    )
    assert event["actor"]["process"]["name"] == "bash"
    assert asker(event)["app"] == "claude-code"
    assert asker(event)["evidence"] == "claimed"
    assert event["unmapped"]["drawbridge"]["decision"]["rule_ids"] == ["others-not"]


def test_the_app_itself_may(client: Client, tmp_path: Path) -> None:
    agent = tmp_path / "claude"
    agent.write_text(ASK)
    event = client.ask(sys.executable, str(agent), model="claude-only")
    assert event["unmapped"]["drawbridge"]["decision"]["action"] == "allow"


def test_the_account_is_told_and_no_credential_kept(client: Client, script: Path) -> None:
    key = "sk-" + "proj-" + "q1w2" * 10 + "wxyz"
    event = client.ask(sys.executable, str(script), headers={"authorization": f"Bearer {key}"})
    assert login(event) == {"kind": "api_key", "key_type": "openai-project", "tail": "wxyz"}
    assert event["actor"]["session"] == {"credential_uid": "…wxyz"}
    assert key[8:30] not in json.dumps(event)


def test_a_rule_about_accounts_tells_the_companys_from_others(client: Client, script: Path) -> None:
    def rules(organisation: str) -> list[str]:
        headers = {"authorization": "Bearer sk-" + "a" * 40, "openai-organization": organisation}
        event = client.ask(sys.executable, str(script), headers=headers, model="work-only")
        found: list[str] = event["unmapped"]["drawbridge"]["decision"]["rule_ids"]
        return found

    assert rules("org-other") == ["no-private-accounts"]
    assert rules("org-acme") == []


def test_people_see_who_asked(client: Client, script: Path) -> None:
    event = client.ask(sys.executable, str(script), headers={"x-app": "cli"})
    shown = client.agent.drawbridge("audit", "show", event["metadata"]["uid"]).stdout
    assert "python" in shown
    assert "it says that it is claude-code" in shown
    assert "started by" in shown


@pytest.mark.skipif(not Path("/usr/bin/curl").exists(), reason="needs curl")
@pytest.mark.skipif(
    subprocess.run(["dpkg-query", "-S", "/usr/bin/curl"], capture_output=True, check=False).returncode != 0
    if shutil.which("dpkg-query")
    else True,
    reason="curl is no package here",
)
def test_a_package_vouches_for_its_program_after_a_moment(client: Client, tmp_path: Path) -> None:
    body = '{"model": "gpt-x", "messages": [{"role": "user", "content": "hi"}]}'
    command = ["curl", "-s", "-H", "content-type: application/json", "-d", body, client.base_url]
    deadline = time.monotonic() + 20
    while asker(event := client.run(*command))["evidence"] != "signed":
        assert time.monotonic() < deadline
    assert asker(event)["app"] == "curl"
    assert event["actor"]["process"]["file"]["company_name"] == "dpkg:curl"
