"""The files beside a policy are read with it, within limits, and a bad one changes nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from agent.errors import HostError, PolicyError
from agent.gateway.policy_file import PolicyFile
from agent.guardrails.gitleaks_file import MAX_PACK
from agent.inspection import RuleBook
from tests.unit.inspection.test_companions import FILES, SOURCE, fingerprints

POLICY = """
schema_version: 1
id: p
packs:
  - {id: corp, file: packs/company.toml}
guardrails:
  - {id: g, detect: [secret, custom], action: redact}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "packs").mkdir()
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


CATALOG = """version = "2027-01-02"
[[surface]]
id = "ours"
name = "Ours"
provider = "ours"
hosts = ["llm.corp.example"]
speaks = ["openai-chat"]
"""


def test_a_catalog_is_read_from_beside_the_policy_and_changes_its_digest(tmp_path: Path) -> None:
    policy = "schema_version: 1\nid: p\ncatalog_file: catalog/ours.toml\n"
    (tmp_path / "policy.yaml").write_text(policy)
    with pytest.raises(PolicyError, match=r"names catalog/ours\.toml, and there is no such file"):
        PolicyFile(tmp_path)
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "ours.toml").write_text(CATALOG)
    file = PolicyFile(tmp_path)
    before = file.rules.digest
    assert file.rules.catalog.hosts == {"llm.corp.example"}
    (tmp_path / "catalog" / "ours.toml").write_text(CATALOG.replace("llm.", "ai."))
    assert file.reload().catalog.hosts == {"ai.corp.example"}
    assert file.rules.digest != before


def test_packs_and_what_they_extend_are_read_from_beside_the_policy(folder: Path) -> None:
    rules = PolicyFile(folder).rules
    assert [finding.type for finding in rules.scan("CORP-123456 base_abcdefghijkl")] == [
        "corp_ticket",
        "base_token",
    ]


def test_a_changed_pack_is_seen_at_the_next_reload_and_changes_the_digest(folder: Path) -> None:
    policy = PolicyFile(folder)
    before = policy.rules.digest
    pack = folder / "packs" / "base.toml"
    pack.write_text(pack.read_text().replace("base_(", "newbase_("))
    policy.reload()
    assert policy.rules.digest != before
    assert policy.rules.scan("newbase_abcdefghijkl")


@pytest.mark.parametrize("content", [b"[[rules]]\nid='a'\nregex='('", b"\xff", b"x ="])
def test_a_bad_pack_never_replaces_a_good_policy(folder: Path, content: bytes) -> None:
    policy = PolicyFile(folder)
    before = policy.rules
    (folder / "packs" / "company.toml").write_bytes(content)
    with pytest.raises(PolicyError, match=r"packs/company\.toml"):
        policy.reload()
    assert policy.rules is before


def test_a_pack_that_is_missing_too_large_or_no_file_is_refused(folder: Path) -> None:
    pack = folder / "packs" / "company.toml"
    pack.write_bytes(b"#" * (4 * MAX_PACK + 1))
    with pytest.raises(PolicyError, match="larger"):
        PolicyFile(folder)
    pack.unlink()
    with pytest.raises(PolicyError, match="there is no such file"):
        PolicyFile(folder)
    pack.mkdir()
    with pytest.raises(PolicyError, match="not a regular file"):
        PolicyFile(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in the file system")
def test_a_pipe_in_the_place_of_a_pack_does_not_hang_the_agent(folder: Path) -> None:
    pack = folder / "packs" / "company.toml"
    pack.unlink()
    os.mkfifo(pack)
    with pytest.raises(PolicyError, match="not a regular file"):
        PolicyFile(folder)


def test_fingerprints_are_read_with_their_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = "detectors:\n  - {id: own-source, fingerprints: own.dbfp, key: 'env:DRAWBRIDGE_TEST_KEY'}\n"
    (folder / "policy.yaml").write_text(POLICY + detector)
    (folder / "own.dbfp").write_bytes(fingerprints(b"of the test")["own.dbfp"])
    with pytest.raises(PolicyError, match="detector own-source: the key cannot be read"):
        PolicyFile(folder)
    monkeypatch.setenv("DRAWBRIDGE_TEST_KEY", "of the test")
    assert PolicyFile(folder).rules.scan(SOURCE)[0].type == "own-source"


def test_shapes_are_read_from_beside_the_policy_and_named_with_their_mistake(folder: Path) -> None:
    (folder / "policy.yaml").write_text(
        "schema_version: 1\nid: p\nshapes: [pages.toml]\n"
        "catalog:\n  - {id: ours, name: Ours, provider: ours, hosts: [chat.ours.example],\n"
        "     endpoints: [{path: /ask, dialect: our-chat}]}\n"
    )
    with pytest.raises(PolicyError, match=r"names pages\.toml"):
        PolicyFile(folder)
    (folder / "pages.toml").write_text('[[shape]]\nname = "our-chat"\n[shape.request]\nusers = []\n')
    with pytest.raises(PolicyError, match=r"pages\.toml: shape 'our-chat': request: unknown users"):
        PolicyFile(folder)
    (folder / "pages.toml").write_text(
        '[[shape]]\nname = "our-chat"\n[shape.request]\nuser = ["/q"]\n[shape.answer]\nframing = "document"\n'
    )
    assert "our-chat" in PolicyFile(folder).rules.dialects


def test_what_cannot_be_carried_out_leaves_the_policy_in_force_and_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("schema_version: 1\nid: first\n")
    kept = tmp_path / "kept.yaml"
    file = PolicyFile(tmp_path, kept=kept)
    (tmp_path / "policy.yaml").write_text("schema_version: 1\nid: second\n")
    seen: list[str] = []

    def refuse(rules: RuleBook) -> None:
        seen.append(rules.policy.id)
        raise HostError("no certificate can be made", hint="")

    with pytest.raises(HostError):
        file.reload(also=refuse)
    assert (seen, file.rules.policy.id) == (["second"], "first")
    assert "second" not in kept.read_text()
    assert file.reload(also=lambda rules: seen.append(rules.policy.id)).policy.id == "second"
    assert "second" in kept.read_text()
