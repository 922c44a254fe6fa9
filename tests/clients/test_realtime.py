"""The official SDKs' clients of WebSocket APIs through the agent, in the environment that `drawbridge exec` sets."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.fakes.socket_services import SocketServices
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import made_up_key
from tests.integration.socket_stage import forgetful, gate, services, upstream

__all__ = ["forgetful", "gate", "services", "upstream"]  # fixtures

MARK = "[REDACTED:openai_api_key]"

REALTIME = """
import json, sys
from openai import OpenAI
said, errors, turns = [], [], []
with OpenAI(api_key="user-key").realtime.connect(model="gpt-realtime") as connection:
    connection.session.update(session={"type": "realtime", "instructions": "be kind"})
    for prompt in sys.argv[1:]:
        part = {"type": "input_text", "text": prompt}
        connection.conversation.item.create(item={"type": "message", "role": "user", "content": [part]})
        connection.response.create()
        text = ""
        for event in connection:
            if event.type == "response.output_text.delta":
                text += event.delta
            elif event.type == "error":
                errors.append(event.error.message)
            elif event.type == "response.done":
                turns.append(event.response.status)
                break
        said.append(text)
print(json.dumps([said, errors, turns]))
"""

LIVE = """
import asyncio, json, sys
from google import genai
async def main():
    client, said = genai.Client(api_key="user-key"), []
    async with client.aio.live.connect(model="gemini-live", config={"response_modalities": ["TEXT"]}) as session:
        for prompt in sys.argv[1:]:
            await session.send_client_content(turns={"role": "user", "parts": [{"text": prompt}]}, turn_complete=True)
            said.append("".join([message.text or "" async for message in session.receive()]))
    print(json.dumps([said, [], []]))
asyncio.run(main())
"""


def spoken(script: str, agent: AgentProcess, *prompts: str) -> tuple[list[str], list[str], list[str]]:
    """What a program's session was told, the errors it heard, how its turns ended."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *prompts],
        env=inherited | agent.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    said, errors, turns = json.loads(finished.stdout)
    return said, errors, turns


def test_openais_realtime_client_notices_nothing_and_hears_of_blocks(
    gate: AgentProcess, services: SocketServices
) -> None:
    secret = made_up_key()
    prompts = (f"key {secret}", f"reverse: {f'a {secret} b'[::-1]}", "about Zebra-Red-Falcon")
    said, errors, turns = spoken(REALTIME, gate, *prompts)
    assert said[:2] == [f"You said: key {MARK}", f"a {MARK} b"]
    assert [error.partition(" Ref ")[0] for error in errors] == ["Not here, please: project in the prompt."]
    assert turns == ["completed"] * 3  # the third answers what was said before
    assert not any(secret in one or "Zebra" in one for one in services.heard)


def test_googles_live_client_notices_nothing_and_hears_of_blocks(
    gate: AgentProcess, services: SocketServices
) -> None:
    secret = made_up_key()
    prompts = (f"key {secret}", "about Zebra-Red-Falcon", "more")
    said, _, _ = spoken(LIVE, gate, *prompts)
    assert (said[0], said[2]) == (f"You said: key {MARK}", "You said: more")
    assert said[1].startswith("Not here, please: project in the prompt.")
    assert not any(secret in one or "Zebra" in one for one in services.heard)
