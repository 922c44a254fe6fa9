"""Programs that are no SDK, started by `drawbridge exec`: each finds the proxy and trusts its certificate."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import CHAT, MESSAGES, made_up_key
from tests.integration.stage import STRANGERS, Stage

URL = "https://api.openai.com/v1/chat/completions"
MARK = "[REDACTED:openai_api_key]"

CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
NODE = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

# Node's own https does not ask for a proxy before 22.21, so the CONNECT is made by hand, as agents of npm's make it.
NODE_CONNECT = """
const http = require('http'), tls = require('tls'), https = require('https');
const proxy = new URL(process.env.HTTPS_PROXY), body = process.argv[1];
http.request({host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: 'api.openai.com:443'})
  .on('connect', (answer, socket) => {
    if (answer.statusCode !== 200) throw new Error('CONNECT ' + answer.statusCode);
    const secured = tls.connect({socket, servername: 'api.openai.com'});
    https.request({host: 'api.openai.com', path: '/v1/chat/completions', method: 'POST',
                   createConnection: () => secured, headers: {'content-type': 'application/json'}}, (answer) => {
      answer.setEncoding('utf8'); let text = '';
      answer.on('data', (piece) => text += piece).on('end', () => { console.log(text); secured.destroy(); });
    }).end(body);
  }).end();
"""

REQUESTS = """
import sys, requests
print(requests.post(sys.argv[1], data=sys.argv[2], headers={"content-type": "application/json"}, timeout=20).text)
"""

URLLIB = """
import sys, urllib.request
asked = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {"content-type": "application/json"})
print(urllib.request.urlopen(asked, timeout=20).read().decode())
"""

AIOHTTP = """
import asyncio, sys, aiohttp
async def main():
    async with aiohttp.ClientSession(trust_env=True) as session:
        async with session.post(sys.argv[1], data=sys.argv[2], headers={"content-type": "application/json"}) as answer:
            print(await answer.text())
asyncio.run(main())
"""


@pytest.fixture
def provider(stage: Stage) -> Provider:
    """The echo, without memory of other tests."""
    stage.provider.reset()
    return stage.provider


def asked(agent: AgentProcess, provider: Provider, *program: str) -> str:
    """What the model answers to a program that posts the body given as its last argument."""
    secret = made_up_key()
    finished = agent.run(*program, CHAT.body(f"use {secret}").decode())
    assert finished.returncode == 0, finished.stderr
    assert len(provider.requests) == 1
    assert not provider.saw(secret)
    answer = json.loads(finished.stdout)
    text: str = answer["choices"][0]["message"]["content"]
    return text


@pytest.mark.parametrize("script", [REQUESTS, URLLIB, AIOHTTP], ids=["requests", "urllib", "aiohttp"])
def test_a_library_of_python_is_served(script: str, agent: AgentProcess, provider: Provider) -> None:
    assert asked(agent, provider, sys.executable, "-c", script, URL) == f"You said: use {MARK}"


@CURL
@pytest.mark.parametrize("version", ["--http1.1", "--http2", "--tls-max=1.2"])
def test_curl_is_served(version: str, agent: AgentProcess, provider: Provider) -> None:
    option = version.split("=")
    program = ("curl", "-sS", *option, "-H", "content-type: application/json", URL, "-d")
    assert asked(agent, provider, *program) == f"You said: use {MARK}"


@CURL
def test_curl_streams(agent: AgentProcess, provider: Provider) -> None:
    secret = made_up_key()
    body = MESSAGES.body(f"reverse: {secret[::-1]}", stream=True).decode()
    finished = agent.run("curl", "-sSN", "https://api.anthropic.com/v1/messages", "-d", body)
    assert finished.returncode == 0, finished.stderr
    assert "event: message_stop" in finished.stdout
    assert MARK in finished.stdout


@CURL
def test_a_program_may_still_reach_hosts_outside_the_catalog(agent: AgentProcess, stage: Stage) -> None:
    finished = agent.run("curl", "-sS", "--cacert", str(stage.authority.ca_file), "https://intranet.example/")
    assert json.loads(finished.stdout) == {"message": "hello"}


@CURL
def test_an_ai_program_at_a_host_outside_the_catalog_is_noted(
    agent: AgentProcess, stage: Stage, tmp_path: Path
) -> None:
    program = str(shutil.copy(shutil.which("curl") or "", tmp_path / "codex"))
    for host in STRANGERS:  # a program that ends at once may not be found; each host is looked into once
        asked = ("-sS", "--cacert", str(stage.authority.ca_file), f"https://{host}/")
        assert agent.run(program, *asked).returncode == 0
    rows = agent.wait_for_events("unknown_host")
    assert {row.app for row in rows} == {"codex"}
    assert {row.host for row in rows} <= set(STRANGERS)


@NODE
def test_node_is_served_through_a_tunnel_of_its_own(agent: AgentProcess, provider: Provider) -> None:
    assert asked(agent, provider, "node", "-e", NODE_CONNECT) == f"You said: use {MARK}"


def test_the_exit_status_and_the_streams_are_the_programs_own(agent: AgentProcess) -> None:
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    finished = agent.run(sys.executable, "-c", script)
    assert (finished.returncode, finished.stdout, finished.stderr) == (7, "out\n", "err\n")


def test_a_program_that_is_missing_is_a_clear_error(agent: AgentProcess) -> None:
    finished = agent.run("no-such-program-at-all")
    assert finished.returncode != 0
    assert "no-such-program-at-all" in finished.stderr
    assert "Traceback" not in finished.stderr
