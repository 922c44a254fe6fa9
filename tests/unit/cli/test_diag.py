"""The archive for support: what goes in, and what must not."""

from __future__ import annotations

import json
import stat
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from agent.cli.diag import archive
from agent.cli.diag.archive import MAX_ENTRY, Entry, packed
from agent.cli.diag.logs import TAIL, last_logs
from agent.cli.diag.scrubbing import Scrubber, secret_values
from agent.errors import HostError
from agent.guardrails import Scanner
from agent.host.paths import StatePaths
from agent.host.run import Completed
from agent.inspection.policy_rules import private_scanner
from tests.fakes.command_line import Drawbridge

GITHUB = "oiR5uEa3pGj1FsH6cYw4BnT8rLv2ZmQ9dK7x_phg"[::-1]
"""Has the shape of a token, and is none."""


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return private_scanner()


def test_secrets_are_taken_out_of_documents_and_logs(scanner: Scanner) -> None:
    scrub = Scrubber(scanner, known={"correct-horse"}, home="/home/ann")
    told = scrub.document({"a": [f"token {GITHUB}", 3, None], "at": "/home/ann/x", "b": "correct-horse!"})
    assert told == {"a": ["token [removed: github_token]", 3, None], "at": "~/x", "b": "[removed]!"} or (
        GITHUB not in json.dumps(told) and "correct-horse" not in json.dumps(told)
    )
    assert scrub.removed == 2
    assert GITHUB not in scrub.lines(f"one\n2026 INFO x {GITHUB} y\nthree")
    assert "ann@corp-mail.com" not in scrub.text("mail of ann@corp-mail.com failed")


def test_an_ordinary_text_stays(scanner: Scanner) -> None:
    text = "2026-11-27 12:00:00 INFO agent.daemon listening: proxy 127.0.0.1:7717"
    assert Scrubber(scanner).text(text) == text


def test_variables_that_say_they_are_secret_count_as_such() -> None:
    environ = {"OPENAI_API_KEY": "abcdefgh", "DB_PASSWORD": "hunter22", "TOKEN": "x", "PATH": "/usr/bin"}
    environ["SSH_AUTH_SOCK"] = "/run/agent.sock"
    assert secret_values(environ) == {"abcdefgh", "hunter22"}


def test_the_manifest_names_every_file_and_what_was_left_out() -> None:
    data, inside = packed(
        [Entry(name="a", why="because", data=b"x"), Entry(name="b", why="big", data=b"x" * (MAX_ENTRY + 1))]
    )
    assert [each.name for each in inside] == ["MANIFEST.json", "a"]
    with zipfile.ZipFile(BytesIO(data)) as found:
        assert found.namelist() == ["MANIFEST.json", "a"]
        rows = json.loads(found.read("MANIFEST.json"))["files"]
    assert [(row["file"], row.get("left_out")) for row in rows] == [("a", None), ("b", "too large")]


def test_an_archive_has_a_limit() -> None:
    many = [Entry(name=str(i), why="", data=b"x" * MAX_ENTRY) for i in range(20)]
    _, inside = packed(many)
    assert sum(len(each.data) for each in inside[1:]) <= archive.MAX_ARCHIVE


def test_only_the_end_of_a_log_is_taken(tmp_path: Path) -> None:
    paths = StatePaths.under(tmp_path / "s")
    paths.prepare()
    (paths.logs / "agent.log").write_bytes(b"old" + b"." * TAIL + b"new")
    (paths.logs / "link.log").symlink_to("/etc/passwd")
    found = dict(last_logs(paths, platform="darwin"))
    assert list(found) == ["agent.log"]
    assert found["agent.log"].endswith("new")
    assert "old" not in found["agent.log"]


def test_a_journal_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    paths = StatePaths.under(tmp_path / "s")

    def missing(argv: object) -> Completed:
        raise HostError("journalctl is not installed")

    assert dict(last_logs(paths, platform="linux", ask=missing)) == {
        "journal": "not read: journalctl is not installed\n"
    }
    given = dict(
        last_logs(paths, platform="linux", ask=lambda _: Completed(code=0, stdout=b"line\n", stderr=b""))
    )
    assert given == {"journal": "line\n"}


def test_no_planted_secret_reaches_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = {
        "environment": "zQ81-not-a-shape-anybody-knows",
        "policy": "RULE-TEXT-OF-A-CUSTOMER",
        "log": GITHUB,
        "key": "-----BEGIN PRIVATE KEY-----\nplanted-key-of-the-authority",
    }
    state = tmp_path / "state"
    paths = StatePaths.under(state)
    paths.prepare()
    (paths.logs / "agent.log").write_text(f"INFO {planted['log']} and {planted['environment']}\n")
    paths.root_key.write_text(planted["key"])
    paths.control_token.write_text("f" * 64)
    paths.spool.write_bytes(b"the prompt of somebody")
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"schema_version: 1\nid: mine\nmessage: '{planted['policy']}'\n")
    monkeypatch.setenv("SOME_API_KEY", planted["environment"])
    monkeypatch.setenv("DRAWBRIDGE_POLICY", str(policy))
    monkeypatch.setenv("HTTPS_PROXY", "http://me:proxy-password@proxy.example:3128")
    file = tmp_path / "out.zip"
    result = Drawbridge()("diag", "--state-dir", state, "-o", file, "--fast")
    assert result.exit_code == 0, result.output
    assert "MANIFEST.json" in result.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as found:
        texts = {name: found.read(name).decode() for name in found.namelist()}
    assert {"doctor.json", "status.json", "settings.json", "policy.json", "logs/agent.log.txt"} <= set(texts)
    everything = "\n".join(texts.values())
    for each in (*planted.values(), "f" * 64, "the prompt of somebody", "proxy-password", "planted-key"):
        assert each not in everything, each
    assert json.loads(texts["policy.json"])["id"] == "mine"
