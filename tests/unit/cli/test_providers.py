"""Whom requests can go to, and whether they would get there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.command_line import Drawbridge
from tests.fakes.small_provider import SmallProvider


@pytest.fixture
def provider() -> Iterator[SmallProvider]:
    with SmallProvider() as running:
        yield running


def write(file: Path, providers: str) -> Path:
    file.write_text(f"schema_version: 1\nid: p\nproviders:\n{providers}")
    return file


def test_all_providers_are_listed_and_the_configured_ones_first(drawbridge: Drawbridge, policy: Path) -> None:
    write(
        policy,
        "  azure-eu: {uses: azure-openai, parameters: {resource: corp}, key: 'exec:/bin/key --secret'}\n",
    )
    shown = drawbridge("providers", "list", "--policy", policy, "--json")
    facts = json.loads(shown.stdout)
    (own,) = facts["configured"]
    assert (own["id"], own["uses"], own["scheme"], own["private"]) == (
        "azure-eu",
        "azure-openai",
        "header",
        False,
    )
    assert own["keys"] == [{"name": "default", "key": "exec:/bin/key"}]
    assert len(facts["catalog"]) > 30
    table = drawbridge("providers", "list", "--policy", policy).stdout
    assert table.index("azure-eu") < table.index("anthropic")


def test_a_provider_that_answers_is_fine(
    drawbridge: Drawbridge, policy: Path, provider: SmallProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "made-up")
    write(
        policy,
        f"  chat: {{uses: openai-compatible, base_url: '{provider.url}/v1', key: 'env:MY_KEY', models: {{a: m-1}}}}\n"
        f"  claude: {{uses: anthropic, base_url: '{provider.url}', key: 'env:MY_KEY'}}\n",
    )
    result = drawbridge("providers", "check", "--policy", policy, "--json")
    assert result.exit_code == 0
    chat, claude = json.loads(result.stdout)
    assert (chat["provider"], chat["model"], chat["dialect"], chat["status"], chat["ok"]) == (
        "chat",
        "m-1",
        "openai-chat",
        200,
        True,
    )
    assert claude["model"]
    asked = {each.path: each for each in provider.requests}
    assert asked["/v1/chat/completions"].headers["authorization"] == "Bearer made-up"
    assert asked["/v1/messages"].headers["x-api-key"] == "made-up"
    assert asked["/v1/messages"].headers["anthropic-version"] == "2023-06-01"
    assert "✓" in drawbridge("providers", "check", "chat", "--policy", policy).stdout
    assert "made-up" not in result.stdout


def test_a_job_that_is_taken_is_fine(
    drawbridge: Drawbridge, policy: Path, provider: SmallProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "made-up")
    write(policy, f"  replicate: {{base_url: '{provider.url}'}}\n")
    provider.answers = {
        "/v1/models/meta/meta-llama-3-8b-instruct/predictions": (201, {"status": "starting"}),
        "/v1/predictions": (422, {"detail": "no such version"}),
    }
    result = drawbridge("providers", "check", "--policy", policy, "--json")
    assert result.exit_code == 0, result.stdout
    assert provider.requests[0].headers["authorization"] == "Bearer made-up"
    refused = drawbridge("providers", "check", "--policy", policy, "--model", "me/mine:5c7d", "--json")
    assert refused.exit_code == 1
    assert "no such version" in refused.stdout
    assert provider.requests[-1].body == {
        "version": "me/mine:5c7d",
        "input": {"prompt": "Say: ok", "max_tokens": 16},
    }


def test_one_that_does_not_is_told_with_how_to_mend_it(
    drawbridge: Drawbridge, policy: Path, provider: SmallProvider
) -> None:
    provider.status = 401
    write(
        policy,
        f"  local: {{uses: vllm, base_url: '{provider.url}'}}\n  lost: {{uses: groq, key: 'env:NOT_SET'}}\n",
    )
    result = drawbridge("providers", "check", "--model", "m", "--policy", policy, "--json")
    assert result.exit_code == 1
    local, lost = json.loads(result.stdout)
    assert (local["status"], local["problem"]) == (401, "the key was refused")
    assert "NOT_SET is not set" in lost["problem"]
    assert lost["hint"]
    shown = drawbridge("providers", "check", "lost", "--policy", policy)
    assert shown.exit_code == 1
    assert "✗" in shown.stdout


def test_a_policy_without_providers_is_told_how_to_name_one(drawbridge: Drawbridge, policy: Path) -> None:
    assert "names no provider" in drawbridge("providers", "check", "--policy", policy).stderr
    write(policy, "  openai: {}\n")
    assert "has no provider groq" in drawbridge("providers", "check", "groq", "--policy", policy).stderr


def test_a_format_with_several_paths_is_named_once(
    drawbridge: Drawbridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    rows = drawbridge("providers", "list").stdout.splitlines()
    (openai,) = (row for row in rows if row.startswith("openai "))
    assert openai.count("openai-responses") == 1
