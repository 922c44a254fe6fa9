"""Virtual keys on the command line."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordSetError

from agent.accounts.keys import hashed, is_well_formed
from agent.accounts.local import LocalStore
from agent.accounts.meters import Amounts
from agent.accounts.store import DAY_SECONDS, Hold, Use
from agent.policy import load
from tests.fakes.accounts import section
from tests.fakes.command_line import Drawbridge

POLICY = """
schema_version: 1
id: p
accounts:
  teams: [{id: search, budgets: [{usd: 50, per: month}]}]
  virtual_keys:
    - id: ci
      team: search
      description: The build server.
      limits: {requests_per_minute: 60}
      providers: [{provider: openai, budgets: [{tokens: 1000, per: day}]}]
    - {id: old, expires: "2020-01-01T00:00:00Z", providers: []}
    - {id: off, active: false}
"""


class Safe(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self, *, locked: bool = False) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = locked

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise PasswordSetError("locked")
        self.entries[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    return file


def test_a_key_is_shown_once_with_the_row_for_the_policy(drawbridge: Drawbridge) -> None:
    shown = drawbridge("keys", "create", "ci", "--expires", "2030-01-01T00:00:00Z").stdout
    key, _, rest = shown.partition("\n")
    row = rest[rest.index("- id: ci") :]
    assert is_well_formed(key)
    assert key not in rest
    policy = load(f"schema_version: 1\nid: p\naccounts:\n  virtual_keys:\n    {row}", source="p.yaml")
    assert policy.accounts is not None
    assert policy.accounts.virtual_keys[0].hash == hashed(key)


def test_a_key_goes_into_the_keyring_where_asked(drawbridge: Drawbridge) -> None:
    before, safe = keyring.get_keyring(), Safe()
    keyring.set_keyring(safe)
    try:
        made = json.loads(drawbridge("keys", "create", "ci", "--keyring", "drawbridge/ci", "--json").stdout)
        assert made["reference"] == "keyring:drawbridge/ci"
        assert safe.entries == {("drawbridge", "ci"): made["key"]}
        assert "drawbridge/ci" in drawbridge("keys", "create", "ci", "--keyring", "drawbridge/ci").stdout
        keyring.set_keyring(Safe(locked=True))
        refused = drawbridge("keys", "create", "ci", "--keyring", "drawbridge/ci")
        assert (refused.exit_code, "keyring refused" in refused.stderr) == (1, True)
        assert drawbridge("keys", "create", "ci", "--keyring", "drawbridge").exit_code == 1
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize(
    "wrong", [["Not A Slug"], ["ci", "--expires", "tomorrow"], ["ci", "--team", "a", "--customer", "b"]]
)
def test_a_row_that_no_policy_would_take_is_not_made(drawbridge: Drawbridge, wrong: list[str]) -> None:
    made = drawbridge("keys", "create", *wrong)
    assert made.exit_code == 1
    assert "no valid key" in made.stderr
    assert "type=" not in made.stderr  # how pydantic words it
    assert "Value error" not in made.stderr
    assert "sk-db-" not in made.stdout


def test_keys_are_listed_and_shown(drawbridge: Drawbridge, policy: Path) -> None:
    rows = json.loads(drawbridge("keys", "list", "--policy", policy, "--json").stdout)
    assert [(row["id"], row["state"]) for row in rows] == [
        ("ci", "active"),
        ("old", "expired"),
        ("off", "switched off"),
    ]
    listed = drawbridge("keys", "list", "--policy", policy).stdout
    assert "search" in listed
    shown = drawbridge("keys", "show", "ci", "--policy", policy).stdout
    assert "The build server." in shown
    assert "usd-month $50.00" in shown
    facts = json.loads(drawbridge("keys", "show", "ci", "--policy", policy, "--json").stdout)
    assert [each["name"] for each in facts["holds"]] == ["usd-month", "requests_per_minute", "tokens-day"]
    missing = drawbridge("keys", "show", "nobody", "--policy", policy)
    assert (missing.exit_code, "no virtual key 'nobody'" in missing.stderr) == (1, True)


def test_without_keys_that_is_said(drawbridge: Drawbridge) -> None:
    assert "no virtual keys" in drawbridge("keys", "list").stdout


def test_a_quota_is_read_beside_the_agent(drawbridge: Drawbridge, policy: Path, tmp_path: Path) -> None:
    absent = drawbridge("keys", "quota", "ci", "--policy", policy, "--state-dir", tmp_path)
    assert (absent.exit_code, "no accounts" in absent.stderr) == (1, True)

    async def spend() -> None:
        from agent.accounts.book import Book

        book = Book(section(POLICY.partition("accounts:\n")[2].replace("\n  ", "\n").strip()))
        now = time.time()
        store = LocalStore(tmp_path / "accounts" / "accounts.db")
        await store.open()
        hold = await store.reserve(book.plan(book.keys["ci"], "", "openai").meters, Amounts(5, 5), now)
        assert isinstance(hold, Hold)
        use = Use("ci", int(now) // DAY_SECONDS, "openai/gpt", 1, 200, 50, 2_500_000_000, 0)
        await store.settle(hold, Amounts(2_500_000_000, 250), use)
        await store.close()

    asyncio.run(spend())
    report = json.loads(
        drawbridge("keys", "quota", "ci", "--policy", policy, "--state-dir", tmp_path, "--json").stdout
    )
    assert [(each["name"], each["used"]) for each in report["budgets"]] == [
        ("usd-month", 2.5),
        ("tokens-day", 250),
    ]
    assert report["history"][0]["requests"] == 1
    shown = drawbridge("keys", "quota", "ci", "--policy", policy, "--state-dir", tmp_path).stdout
    assert "$2.50" in shown
    assert "1 requests, 2.50 US dollars" in shown


def test_a_shared_store_that_is_away_is_told(drawbridge: Drawbridge, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(f"{POLICY}  store: {{url: 'redis://127.0.0.1:1', password: 'env:NO_SUCH'}}\n")
    assert "NO_SUCH" in drawbridge("keys", "quota", "ci", "--policy", file).stderr
    file.write_text(f"{POLICY}  store: {{url: 'redis://127.0.0.1:1'}}\n")
    assert "cannot be reached" in drawbridge("keys", "quota", "ci", "--policy", file).stderr
