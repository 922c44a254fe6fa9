"""Who asks models on this machine, and which rule decides about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.host.appearances import AppearanceFile
from agent.model.appearance import Appearance
from agent.model.login import Login, LoginKind, Tenancy
from tests.fakes.command_line import Drawbridge

APPS = """
apps:
  default: pending
  pending: observe
  rules:
    - {id: no-curl, hosts: [api.openai.com], apps: [curl*], state: denied}
    - {id: agents, apps: [codex], surfaces: [openai], state: approved, note: ours}
    - {id: free, tenancies: [personal], state: denied, message: "No. {ref}"}
"""


def seen(app: str, **changes: object) -> Appearance:
    facts: dict[str, object] = {
        "program": "",
        "surface": "openai",
        "user": "ann",
        "host": "api.openai.com",
        "first_seen": 1_790_000_000.0,
        "last_seen": 1_790_000_100.0,
        "requests": 3,
    }
    return Appearance(app=app, **(facts | changes))  # type: ignore[arg-type]


@pytest.fixture
def governed(policy: Path, tmp_path: Path) -> Path:
    policy.write_text(policy.read_text() + APPS)
    state = tmp_path / "state"
    state.mkdir()
    free = Login(kind=LoginKind.SUBSCRIPTION, tenancy=Tenancy.PERSONAL, plan="free")
    AppearanceFile(state / "apps.db").write(
        [
            seen("codex", blocked=1),
            seen("", program="wget"),
            seen("cursor", accounts=(Login(kind=LoginKind.API_KEY), free)),
        ]
    )
    return policy


def test_those_that_wait_stand_first(drawbridge: Drawbridge, governed: Path) -> None:
    rows = json.loads(drawbridge("apps", "--json", "--policy", governed).stdout)
    assert [(row["app"] or row["program"], row["state"]) for row in rows] == [
        ("wget", "pending"),
        ("cursor", "denied"),
        ("codex", "approved"),
    ]
    assert rows[1]["accounts"][-1] == {"kind": "subscription", "tenancy": "personal", "plan": "free"}
    assert (rows[2]["requests"], rows[2]["blocked"]) == (3, 1)
    only = json.loads(drawbridge("apps", "--json", "--pending", "--policy", governed).stdout)
    assert [row["program"] for row in only] == ["wget"]


def test_a_person_sees_a_table(
    drawbridge: Drawbridge, governed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    shown = drawbridge("apps", "--policy", governed).stdout
    assert "personal free subscription" in shown
    assert shown.index("pending") < shown.index("denied") < shown.index("approved")


def test_nothing_was_seen_yet(drawbridge: Drawbridge, policy: Path) -> None:
    assert "No program was seen" in drawbridge("apps", "--policy", policy).stdout


def test_the_rule_that_decides_is_explained(drawbridge: Drawbridge, governed: Path) -> None:
    shown = drawbridge("apps", "explain", "codex", "--surface", "openai", "--policy", governed).stdout
    assert "codex on openai: approved, by agents" in shown
    facts = json.loads(
        drawbridge(
            "apps", "explain", "cursor", "--tenancy", "personal", "--json", "--policy", governed
        ).stdout
    )
    assert (facts["state"], facts["rule"], facts["action"]) == ("denied", "free", "block")
    assert [(step["rule"], step["matched"]) for step in facts["steps"]] == [
        ("no-curl", False),
        ("agents", False),
        ("free", True),
    ]


def test_a_surface_stands_for_its_host(drawbridge: Drawbridge, governed: Path) -> None:
    shown = drawbridge(
        "apps", "explain", "curl", "--surface", "openai", "--json", "--policy", governed
    ).stdout
    assert json.loads(shown)["rule"] == "no-curl"


def test_a_surface_that_there_is_not_is_an_error(drawbridge: Drawbridge, governed: Path) -> None:
    failed = drawbridge("apps", "explain", "curl", "--surface", "opnai", "--policy", governed)
    assert failed.exit_code == 1
    assert "there is no surface 'opnai'" in failed.stderr


def test_a_policy_that_says_nothing_says_so(drawbridge: Drawbridge, policy: Path) -> None:
    shown = drawbridge("apps", "explain", "codex", "--policy", policy).stdout
    assert "nothing against any program" in shown


def test_somebody_may_be_taken_for_signed_in(drawbridge: Drawbridge, tmp_path: Path) -> None:
    file = tmp_path / "signed.yaml"
    file.write_text("schema_version: 1\nid: p\napps: {require_sign_in: true}\n")
    asked = ("apps", "explain", "codex", "--policy", str(file))
    assert "apps.require_sign_in" in drawbridge(*asked).stdout
    assert "blocked" not in drawbridge(*asked, "--signed-in", "ada@example.com").stdout
