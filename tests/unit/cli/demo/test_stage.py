"""The stage leads to loopback only, and its policy is the bundled one, a rule and a gateway more."""

from __future__ import annotations

from pathlib import Path

from agent.accounts.keys import hashed, new_key
from agent.cli.demo.gateway_scenes import DEPENDABLE, INTERN_TOKENS
from agent.cli.demo.scenes import CODENAME
from agent.cli.demo.stage import KEYS, child_environment, write_policy
from agent.gateway.echo.service import Origin
from agent.host.paths import bundled_policies
from agent.model.decision import Action
from agent.policy import load

ORIGINS = {"api.openai.com": Origin(host="api.openai.com", port=4711, sha256=b"")}


def test_no_setting_of_the_users_reaches_the_agent_of_the_demo() -> None:
    environ = {
        "DRAWBRIDGE_POLICY": "/other",
        "DRAWBRIDGE_UPSTREAM_PROXY": "http://proxy:1",
        "HOME": "/home/me",
    }
    changed = child_environment(environ, ORIGINS, Path("/ca.pem"))
    assert changed["HOME"] == "/home/me"
    assert {name: value for name, value in changed.items() if name.startswith("DRAWBRIDGE_")} == {
        "DRAWBRIDGE_RESOLVE": "api.openai.com:443=127.0.0.1:4711",
        "DRAWBRIDGE_UPSTREAM_CA_FILE": "/ca.pem",
        "DRAWBRIDGE_UPSTREAM_PROXY": "none",
        "DRAWBRIDGE_DASHBOARD_PORT": "0",
        "DRAWBRIDGE_LOG_LEVEL": "warning",
    }


def test_a_source_tree_is_found_from_any_directory() -> None:
    changed = child_environment({"PYTHONPATH": "/mine"}, ORIGINS, Path("/ca.pem"))
    assert changed["PYTHONPATH"].endswith(":/mine")
    assert (Path(changed["PYTHONPATH"].split(":")[0]) / "agent").is_dir()


def test_the_policy_blocks_what_the_bundled_one_lets_pass_and_is_the_same_else(tmp_path: Path) -> None:
    bundled = load(
        (bundled_policies() / "default" / "policy.yaml").read_text(encoding="utf-8"), source="bundled"
    )
    demo = load(write_policy(tmp_path, {}).read_text(encoding="utf-8"), source="demo")
    assert demo.guardrails[1:] == bundled.guardrails
    assert demo.guardrails[0].action is Action.BLOCK
    assert demo.detectors[-1].keywords == (CODENAME,)
    assert demo.access == bundled.access


def test_the_policy_knows_the_keys_by_their_hashes_only(tmp_path: Path) -> None:
    keys = {name: new_key() for name in KEYS}
    text = write_policy(tmp_path, keys).read_text(encoding="utf-8")
    assert not any(key in text for key in keys.values())
    demo = load(text, source="demo")
    assert demo.accounts is not None
    assert {row.id: row.hash for row in demo.accounts.virtual_keys} == {
        name: hashed(key) for name, key in keys.items()
    }
    [budget] = demo.accounts.virtual_keys[1].budgets
    assert budget.tokens == INTERN_TOKENS
    assert len(demo.models[DEPENDABLE]) == 2
    assert demo.cache.enabled
