"""A policy is checked before it is used, and says why it decides as it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.policy import json_schema
from tests.fakes.command_line import Drawbridge


def test_a_good_policy_is_summed_up(drawbridge: Drawbridge, policy: Path) -> None:
    shown = drawbridge("policy", "check", policy)
    assert shown.exit_code == 0
    assert "small" in shown.stdout
    assert "0 access rules, 1 guardrail, 1 detector, 0 packs" in shown.stdout
    facts = json.loads(drawbridge("policy", "check", policy, "--json").stdout)
    assert (facts["id"], facts["mode"], facts["detectors"]) == ("small", "enforce", 1)
    assert len(facts["digest"]) == 64


def test_a_bad_policy_is_refused_with_every_mistake_and_its_line(
    drawbridge: Drawbridge, policy: Path
) -> None:
    policy.write_text(policy.read_text() + "moed: observe\nrevision: soon\n")
    result = drawbridge("policy", "check", policy)
    assert result.exit_code == 1
    assert f"{policy}:7: moed" in result.stderr
    assert f"{policy}:8: revision" in result.stderr


def test_a_pattern_that_cannot_work_is_refused(drawbridge: Drawbridge, policy: Path) -> None:
    policy.write_text(policy.read_text().replace("keywords: [Nightjar]", r"pattern: '(?<=a)b'"))
    result = drawbridge("policy", "check", policy)
    assert result.exit_code == 1
    assert f"{policy}:6: detectors[0].pattern" in result.stderr


def test_what_of_a_pack_cannot_apply_is_shown(drawbridge: Drawbridge, policy: Path) -> None:
    policy.write_text(policy.read_text() + "packs:\n  - {id: corp, file: corp.toml}\n")
    (policy.parent / "corp.toml").write_text("[[rules]]\nid = 'keystore'\npath = '[.]jks$'\n")
    shown = drawbridge("policy", "check", policy).stdout
    assert "1 pack," in shown
    assert "corp.toml: rule keystore: path: it looks only at files of that name" in shown
    facts = json.loads(drawbridge("policy", "check", policy, "--json").stdout)
    assert len(facts["notes"]) == facts["packs"] == 1


def test_a_policy_that_is_not_there_is_explained(drawbridge: Drawbridge, tmp_path: Path) -> None:
    assert "cannot read the policy" in drawbridge("policy", "check", tmp_path / "gone").stderr


def test_an_inference_path_is_decrypted_and_inspected(drawbridge: Drawbridge, policy: Path) -> None:
    asked = ("--host", "API.openai.com", "--path", "/v1/chat/completions", "--policy", policy)
    facts = json.loads(drawbridge("policy", "explain", *asked, "--json").stdout)
    assert facts["traffic"] == "decrypted and inspected"
    assert facts["dialect"] == "openai-chat"
    assert [step["rule"] for step in facts["steps"] if step["matched"]] == ["names"]
    assert "names" in drawbridge("policy", "explain", *asked).stdout


def test_a_host_outside_the_catalog_is_tunnelled_blindly(drawbridge: Drawbridge, policy: Path) -> None:
    result = drawbridge("policy", "explain", "--host", "bank.example", "--policy", policy, "--json")
    facts = json.loads(result.stdout)
    assert facts["traffic"].startswith("tunnelled blindly")
    assert facts["steps"] == []


def test_an_access_rule_that_blocks_is_named(drawbridge: Drawbridge, policy: Path) -> None:
    policy.write_text(policy.read_text() + "access:\n  - {id: no-gpt, models: ['gpt-*'], action: block}\n")
    asked = (
        "--host",
        "api.openai.com",
        "--path",
        "/v1/chat/completions",
        "--model",
        "gpt-5",
        "--policy",
        policy,
    )
    assert (
        json.loads(drawbridge("policy", "explain", *asked, "--json").stdout)["access"]
        == "blocked by rule no-gpt"
    )


def test_the_schema_is_printed_as_it_is(drawbridge: Drawbridge) -> None:
    assert drawbridge("policy", "schema").stdout == json_schema()


EXAMPLES = "Nightjar], examples: {match: [about Nightjar], no_match: [about nothing]}}"


def test_every_example_is_tried_and_shown(drawbridge: Drawbridge, policy: Path) -> None:
    policy.write_text(policy.read_text().replace("Nightjar]}", EXAMPLES))
    policy.with_suffix(".examples.yaml").write_text("texts: [{text: Nightjar, action: block, rule: names}]")
    shown = drawbridge("policy", "test", policy)
    assert shown.exit_code == 0
    assert [line.split()[:3] for line in shown.stdout.splitlines()[1:4]] == [
        ["✓", "detectors[0].match[0]", "project"],
        ["✓", "detectors[0].no_match[0]", "project"],
        ["✓", "texts[0]", "text"],
    ]
    assert shown.stdout.splitlines()[-1] == "ok 3 examples"


def test_an_example_that_fails_is_shown_with_what_came_out(drawbridge: Drawbridge, policy: Path) -> None:
    policy.with_suffix(".examples.yaml").write_text("texts: [{text: hello, action: block, rule: names}]")
    result = drawbridge("policy", "test", policy, "--json")
    assert result.exit_code == 1
    facts = json.loads(result.stdout)
    assert (facts["passed"], facts["failed"]) == (0, 1)
    [example] = facts["examples"]
    assert (example["expected"], example["got"], example["ok"]) == ("block by names", "allow", False)
    assert drawbridge("policy", "test", policy).stdout.splitlines()[1].startswith("✗  texts[0]")


def test_a_policy_without_examples_is_told_how_to_get_some(drawbridge: Drawbridge, policy: Path) -> None:
    assert "There are no examples" in drawbridge("policy", "test", policy).stdout


@pytest.mark.parametrize(("size", "access"), [(10, "allowed (no rule fits)"), (11, "blocked by rule large")])
def test_a_condition_is_asked_about_what_was_given(
    drawbridge: Drawbridge, policy: Path, size: int, access: str
) -> None:
    policy.write_text(policy.read_text() + "access:\n  - {id: large, when: size > 10, action: block}\n")
    asked = ("--host", "api.openai.com", "--user", "ann", "--size", size, "--policy", policy, "--json")
    assert json.loads(drawbridge("policy", "explain", *asked).stdout)["access"] == access


def test_a_host_that_is_empty_is_a_usage_error(drawbridge: Drawbridge) -> None:
    assert drawbridge("policy", "explain", "--host", " ").exit_code == 2


def test_a_policy_that_guards_nothing_is_told_apart(
    drawbridge: Drawbridge, policy: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.yaml"
    bare.write_text("schema_version: 1\nid: bare\n")
    assert "it has no guardrails" in " ".join(drawbridge("policy", "check", bare).stdout.split())
    assert len(json.loads(drawbridge("policy", "check", bare, "--json").stdout)["notes"]) == 1
    assert "no guardrails" not in drawbridge("policy", "check", policy).stdout
