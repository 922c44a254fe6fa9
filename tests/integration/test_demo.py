"""`drawbridge demo` as a person runs it: every promise is kept, or the exit status says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
STEPS = {
    "allowed": "allow",
    "allowed-streamed": "allow",
    "secret-redacted": "redact",
    "card-redacted": "redact",
    "blocked": "block",
    "tool-result-redacted": "redact",
    "streamed-answer-redacted": "redact",
    "tunnelled": "",
    "one-api": "allow",
    "failover": "allow",
    "budget": "allow",
    "cache": "allow",
}
EXCHANGES = {"tunnelled": 0, "budget": 3}  # else one


def environment(directory: Path) -> dict[str, str]:
    """The user's, with a place for temporary files that can be looked at."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DRAWBRIDGE_")}
    return kept | {"PYTHONPATH": str(ROOT), "TMPDIR": str(directory)}


def demo(directory: Path, *options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", "demo", *map(str, options)],
        env=environment(directory),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What one whole run told."""
    directory = tmp_path_factory.mktemp("demo")
    finished = demo(directory, "--json")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert list(directory.iterdir()) == [], "something is left behind"
    report: dict[str, object] = json.loads(finished.stdout)
    return report


@pytest.mark.parametrize("name", STEPS)
def test_each_step_does_what_it_says(told: dict[str, object], name: str) -> None:
    [step] = [step for step in told["steps"] if step["id"] == name]
    assert (step["ok"], step["problem"], step["decision"]) == (True, "", STEPS[name])


def test_nothing_else_is_shown(told: dict[str, object]) -> None:
    assert [step["id"] for step in told["steps"]] == list(STEPS)


def test_the_trail_tells_the_same_story_and_verifies(told: dict[str, object]) -> None:
    audit = told["audit"]
    decisions = [event["unmapped"]["drawbridge"]["decision"]["action"] for event in audit["events"]]
    assert decisions == [decision for name, decision in STEPS.items() for _ in range(EXCHANGES.get(name, 1))]
    assert audit["ok"] is True
    assert audit["verified"]["events"] > len(decisions)


def test_the_trail_says_how_the_gateway_had_each_answered(told: dict[str, object]) -> None:
    facts = [event["unmapped"]["drawbridge"] for event in told["audit"]["events"]]
    served = [each["served"] for each in facts if each["upstream"] == "gateway"]
    asked = [[attempt["provider"] for attempt in each.get("attempts", ())] for each in served]
    assert asked == [["anthropic"], ["mistral", "mistral", "openai"], ["openai"], ["openai"], [], []]
    assert [each["virtual_key"] for each in served] == ["laptop"] * 2 + ["intern"] * 3 + ["laptop"]
    assert served[3]["attempts"][0]["failure"] == "budget_exceeded"
    assert served[-1]["cache"] == "exact"
    assert all(each["cost_nano_usd"] > 0 for each in served[:3])


def test_no_secret_stands_in_the_trail_or_the_report(told: dict[str, object]) -> None:
    text = json.dumps(told)
    assert "sk-" + "proj-" in text  # shortened, as it was tried
    assert not any(len(word) > 30 for word in text.split() if word.startswith(("sk-", "ghp_")))
    assert told["seconds"] < 60


def test_latency_is_measured(told: dict[str, object]) -> None:
    latency = told["latency"]
    assert latency["requests"] == 30
    assert latency["direct_ms"] > 0
    assert 0 < latency["own_ms"] < latency["bridged_ms"]


def test_a_policy_that_protects_nothing_is_found_out(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("schema_version: 1\nid: nothing\n")
    finished = demo(tmp_path, "--json", "--policy", policy)
    assert finished.returncode == 1
    report = json.loads(finished.stdout)
    assert report["ok"] is False
    assert {step["id"] for step in report["steps"] if step["ok"]} == {
        "allowed",
        "allowed-streamed",
        "tunnelled",
    }


def test_an_agent_that_does_not_start_is_explained(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("schema_version: 1\nid: wrong\nmoed: observe\n")
    finished = demo(tmp_path, "--policy", policy)
    assert finished.returncode == 1
    assert "moed" in finished.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["policy.yaml"]


@pytest.mark.skipif(sys.platform == "win32", reason="there a process cannot be asked to end")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_demo_that_is_interrupted_leaves_nothing(tmp_path: Path, name: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "demo"],
        env=environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        agent = wait_for_child(process.pid)
        process.send_signal(getattr(signal, name))
        assert process.wait(30) not in (0, None)
    finally:
        process.kill()
        process.wait()
    assert not agent.is_running()
    assert list(tmp_path.iterdir()) == []


def wait_for_child(pid: int) -> psutil.Process:
    """The agent that the demo started, once it has begun to write its state."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in psutil.Process(pid).children():
            with_state = "--state-dir" in child.cmdline()
            if with_state and Path(child.cmdline()[child.cmdline().index("--state-dir") + 1]).exists():
                return child
        time.sleep(0.02)
    raise AssertionError("the demo started no agent")
