"""Files through the official SDKs and the running agent: inlined, uploaded, and meant again by their ids."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.harness import _INHERITED, _KEYS, SCRIPTS
from tests.fakes import documents
from tests.fakes.misbehaviour import Exchange
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import made_up_key
from tests.integration.stage import Stage

MARK = "[REDACTED:openai_api_key]"
SDKS = ("openai", "anthropic", "gemini")
PATHS = {"openai": "/v1/files", "anthropic": "/v1/files", "gemini": "/upload/v1/files"}
IDS = {"openai": "file-abc", "anthropic": "file_abc", "gemini": "files/abc"}


@pytest.fixture
def provider(stage: Stage) -> Provider:
    """The echo, which keeps files for once."""
    stage.provider.reset()
    return stage.provider


type Call = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def call(agent: AgentProcess) -> Call:
    """Runs an SDK in the environment that `drawbridge exec` sets."""
    environment = agent.environment()

    def run(sdk: str, way: str, what: Path | str) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        done = subprocess.run(
            [sys.executable, str(SCRIPTS / "files.py"), sdk, way, str(what)],
            env=inherited | _KEYS | environment,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        seen: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
        return seen

    return run


def keeping(sdk: str) -> Callable[[Exchange], object]:
    """What a provider answers to a file."""

    async def answer(exchange: Exchange) -> None:
        asked = {name.decode(): value.decode() for name, value in exchange.scope["headers"]}
        fields, document = [(b"content-type", b"application/json")], {}
        match sdk:
            case "openai":
                document = {"id": IDS[sdk], "object": "file", "bytes": 1, "created_at": 1, "filename": "x"}
                document |= {"purpose": "user_data", "status": "processed"}
            case "anthropic":
                document = {
                    "id": IDS[sdk],
                    "type": "file",
                    "filename": "x",
                    "mime_type": "a/b",
                    "size_bytes": 1,
                }
                document |= {"created_at": "2026-01-01T00:00:00Z", "downloadable": False}
            case _ if asked.get("x-goog-upload-command") == "start":
                place = f"https://generativelanguage.googleapis.com{PATHS[sdk]}?upload_id=u1"
                fields.append((b"x-goog-upload-url", place.encode()))
            case _:
                fields.append((b"x-goog-upload-status", b"final"))
                document = {
                    "file": {"name": IDS[sdk], "uri": "https://x/v1beta/files/abc", "mimeType": "a/b"}
                }
        await exchange.write({"type": "http.response.start", "status": 200, "headers": fields})
        await exchange.write({"type": "http.response.body", "body": json.dumps(document).encode()})

    return answer


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def recorded(agent: AgentProcess) -> dict[str, object]:
    """The one file of the newest exchange, as the audit trail has it."""
    newest, *_ = agent.trail.events(kind="exchange", limit=1)
    facts = json.loads(agent.event_text(newest))["unmapped"]["drawbridge"]
    (file,) = facts["attachments"]
    assert isinstance(file, dict)
    return file


def inlined(body: bytes) -> bytes:
    """The one file in a request's body."""
    waiting: list[object] = [json.loads(body)]
    while waiting:
        match waiting.pop():
            case dict() as fields:
                for key in ("file_data", "data"):
                    if isinstance(text := fields.get(key), str):
                        return base64.urlsafe_b64decode(
                            text.rpartition(",")[2].translate(str.maketrans("+/", "-_"))
                        )
                waiting += fields.values()
            case list() as items:
                waiting += items
    raise AssertionError("no file in it")


@pytest.mark.parametrize("sdk", SDKS)
def test_a_key_in_an_inlined_table_is_redacted_and_the_table_stays_one(
    sdk: str, call: Call, provider: Provider, tmp_path: Path
) -> None:
    key = made_up_key()
    table = f'name,key,remark\r\n"Ann, B.",{key},x\r\nBen,,"two\r\nlines"\r\n'.encode()
    seen = call(sdk, "inline", written(tmp_path, "people.csv", table))
    assert seen["error"] == ""
    assert not provider.saw(key)
    (request,) = [one for one in provider.requests if one.method == "POST"]
    arrived = inlined(request.decoded)
    assert arrived == table.replace(key.encode(), MARK.encode())
    rows = list(csv.reader(io.StringIO(arrived.decode(), newline="")))
    assert [len(row) for row in rows] == [3, 3, 3]


@pytest.mark.parametrize("sdk", SDKS)
def test_a_key_in_an_inlined_document_is_refused_with_words_that_the_sdk_shows(
    sdk: str, call: Call, provider: Provider, tmp_path: Path
) -> None:
    path = written(tmp_path, "plan.docx", documents.docx("the plan", f"key: {made_up_key()}"))
    seen = call(sdk, "inline", path)
    assert "in a file that cannot be rewritten" in seen["error"]
    assert [one for one in provider.requests if one.method == "POST"] == []


@pytest.mark.parametrize("sdk", SDKS)
def test_a_file_is_uploaded_and_known_again_when_a_prompt_uses_it(
    sdk: str, call: Call, provider: Provider, agent: AgentProcess, tmp_path: Path
) -> None:
    provider.script(PATHS[sdk], keeping(sdk))  # type: ignore[arg-type]
    data = documents.pdf("write to ann.miller@kanzlei-nordwind.de")
    seen = call(sdk, "upload", written(tmp_path, "letter.pdf", data))
    assert seen == {"text": IDS[sdk], "error": ""}
    assert any(data in body for body in provider.bodies())
    seen = call(sdk, "meant", IDS[sdk])
    assert seen["error"] == ""
    file = recorded(agent)
    assert (file["id"], file["type"], file["extension"]) == (IDS[sdk], "pdf", "pdf")
    assert file["findings"] == [{"what": "pii/email", "count": 1}]
    assert file["name"] == ""


@pytest.mark.parametrize("sdk", SDKS)
def test_a_document_with_a_key_is_not_uploaded(
    sdk: str, call: Call, provider: Provider, tmp_path: Path
) -> None:
    provider.script(PATHS[sdk], keeping(sdk))  # type: ignore[arg-type]
    key = made_up_key()
    seen = call(sdk, "upload", written(tmp_path, "a.xlsx", documents.xlsx([["key", key]])))
    assert seen["text"] == ""
    assert "cannot be rewritten" in seen["error"]
    assert not any(b"PK\x03\x04" in body for body in provider.bodies())


def test_a_picture_is_noted(call: Call, provider: Provider, agent: AgentProcess, tmp_path: Path) -> None:
    seen = call("gemini", "inline", written(tmp_path, "a.png", documents.png(64, 48)))
    assert seen["error"] == ""
    file = recorded(agent)
    assert (file["type"], file["pixels"]) == ("png", [64, 48])
    assert "readable" not in file
