"""Which AI services are known under a policy, and what becomes of a URL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes.command_line import Drawbridge


@pytest.fixture
def own(policy: Path) -> Path:
    """The small policy with catalog keys."""
    policy.write_text(
        policy.read_text()
        + "catalog_without: [groq]\n"
        + "catalog:\n  - {id: own, name: Own, provider: own, hosts: [llm.example.com], kind: chat, pinned: [old],\n"
        + "     never: [/login/**], endpoints: [{path: /ask, dialect: openai-chat}]}\n"
    )
    return policy


def test_the_rows_in_force_are_listed_with_those_that_are_off(drawbridge: Drawbridge, own: Path) -> None:
    shown = drawbridge("catalog", "list", "--policy", own, "--json")
    facts = json.loads(shown.stdout)
    ids = [row["id"] for row in facts["surfaces"]]
    assert ids[0] == "gateway"
    assert ids[-1] == "own"
    assert "groq" not in ids
    assert {"groq", "databricks"} <= {row["id"] for row in facts["off"]}
    assert facts["version"].endswith("+policy")
    table = drawbridge("catalog", "list", "--policy", own, "--kind", "chat").stdout
    assert "llm.example.com" in table
    assert "api.openai.com" not in table


def test_a_row_is_shown_whole(drawbridge: Drawbridge, own: Path) -> None:
    facts = json.loads(drawbridge("catalog", "show", "own", "--policy", own, "--json").stdout)
    assert (facts["state"], facts["never"], facts["kind"]) == ("in force", ["/login/**"], "chat")
    assert facts["endpoints"][0]["path"] == "/ask"
    assert "/ask" in drawbridge("catalog", "show", "own", "--policy", own).stdout
    assert "left out by the policy" in drawbridge("catalog", "show", "groq", "--policy", own).stdout
    assert "catalog_with" in drawbridge("catalog", "show", "databricks", "--policy", own).stdout
    unknown = drawbridge("catalog", "show", "nobody", "--policy", own)
    assert unknown.exit_code == 1
    assert "no row 'nobody'" in unknown.stderr


@pytest.mark.parametrize(
    ("url", "exit_code", "facts"),
    [
        (
            "https://api.openai.com/v1/chat/completions?x=1",
            0,
            {
                "traffic": "decrypted",
                "surface": "openai",
                "dialect": "openai-chat",
                "never": False,
                "tier": "relay",
            },
        ),
        ("chatgpt.com/backend-api/wham/usage", 0, {"never": True, "why": "passed on unread: the row says"}),
        ("openrouter.ai/api/v2/chat/completions", 0, {"why": "no listed path, but a body of openai-chat"}),
        ("openrouter.ai/models", 0, {"why": "passed on unread: not an inference path"}),
        ("gitlab.com/x", 1, {"traffic": "tunnelled", "why": "the row gitlab-duo is off"}),
        ("auth.openai.com", 1, {"traffic": "tunnelled", "why": "OpenAI uses the host for sign-in"}),
        ("example.com", 1, {"traffic": "tunnelled", "why": "the host is not in the catalog"}),
    ],
)
def test_what_becomes_of_a_url_is_told_with_the_reason(
    drawbridge: Drawbridge, own: Path, url: str, exit_code: int, facts: dict[str, object]
) -> None:
    result = drawbridge("catalog", "match", url, "--policy", own, "--json")
    assert result.exit_code == exit_code
    told = json.loads(result.stdout)
    for key, value in facts.items():
        assert str(told[key]).startswith(str(value)), key
    assert str(told["why"])[:20] in drawbridge("catalog", "match", url, "--policy", own).stdout


def test_an_app_that_accepts_no_other_certificates_is_told(drawbridge: Drawbridge, own: Path) -> None:
    result = drawbridge("catalog", "match", "llm.example.com/ask", "--app", "old", "--policy", own, "--json")
    assert result.exit_code == 1
    assert "only the vendor's certificates" in json.loads(result.stdout)["why"]


def test_a_url_without_a_host_is_a_mistake(drawbridge: Drawbridge, own: Path) -> None:
    result = drawbridge("catalog", "match", "https://", "--policy", own)
    assert result.exit_code == 1
    assert "has no host" in result.stderr
