"""The policy in force: a good one, or the one before."""

from __future__ import annotations

from pathlib import Path

import pytest
from blockbuster import BlockingError

from agent.errors import PolicyError
from agent.gateway.policy_file import MAX_BYTES, PolicyFile, known_names, read_rules, read_sidecar

GOOD = "schema_version: 1\nid: good\nrevision: {revision}\n"


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_file_or_the_directory_that_holds_it_is_read(tmp_path: Path) -> None:
    file = write(tmp_path / "policy.yaml", GOOD.format(revision=1))
    for path in (file, tmp_path):
        policy = PolicyFile(path)
        assert (policy.rules.policy.id, policy.path) == ("good", file)


def test_a_new_policy_replaces_the_old_one_as_a_whole(tmp_path: Path) -> None:
    policy = PolicyFile(write(tmp_path / "p.yaml", GOOD.format(revision=1)))
    before = policy.rules
    write(tmp_path / "p.yaml", GOOD.format(revision=2))
    assert policy.reload() is policy.rules is not before
    assert (before.policy.revision, policy.rules.policy.revision) == (1, 2)


def test_another_file_takes_its_place_if_it_is_good(tmp_path: Path) -> None:
    policy = PolicyFile(write(tmp_path / "p.yaml", GOOD.format(revision=1)))
    with pytest.raises(PolicyError):
        policy.reload(tmp_path / "none.yaml")
    assert policy.path == tmp_path / "p.yaml"
    other = write(tmp_path / "policy.yaml", GOOD.format(revision=2))
    policy.reload(tmp_path)
    assert (policy.path, policy.rules.policy.revision) == (other, 2)
    assert policy.reload().policy.revision == 2


@pytest.mark.parametrize("bad", ["schema_version: 1\nid: x\nunknown: 1", "", "{", b"\xff", "id: [" * 50])
def test_a_bad_policy_never_replaces_a_good_one(tmp_path: Path, bad: str | bytes) -> None:
    policy = PolicyFile(write(tmp_path / "p.yaml", GOOD.format(revision=1)))
    before = policy.rules
    write(tmp_path / "p.yaml", bad)
    with pytest.raises(PolicyError):
        policy.reload()
    assert policy.rules is before


def test_a_file_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot read the policy"):
        read_rules(tmp_path / "none.yaml")


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="larger than 5 MB"):
        read_rules(write(tmp_path / "p.yaml", b"#" * (MAX_BYTES + 1)))


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + GOOD.format(revision=1).encode()
    assert read_rules(write(tmp_path / "p.yaml", text)).policy.id == "good"


async def test_reading_it_is_no_work_for_the_event_loop(tmp_path: Path) -> None:
    file = write(tmp_path / "p.yaml", GOOD.format(revision=1))
    with pytest.raises(BlockingError):
        read_rules(file)


def test_what_a_policy_may_refer_to_is_what_there_is() -> None:
    known = known_names()
    assert {"openai-chat", "anthropic-messages"} <= known.dialects
    assert {"openai", "anthropic", "gemini"} <= known.surfaces
    assert {"pii/email", "pii/payment_card"} <= known.types


def test_an_example_that_fails_is_named_with_its_line_and_the_policy_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        "schema_version: 1\n"
        "id: p\n"
        "detectors:\n"
        "  - id: toy\n"
        "    keywords: [toy]\n"
        "    examples:\n"
        "      match:\n"
        "        - a toy\n"
        "        - a ball\n"
    )
    with pytest.raises(PolicyError) as caught:
        read_rules(file)
    assert str(caught.value) == (
        f"{file}:9: detectors[0].examples.match[1]: 'toy' found nothing; it should: find something"
    )
    assert read_rules(file, examples=False).policy.id == "p"


def test_the_examples_beside_a_policy_are_found_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    assert read_sidecar(file) is None
    (tmp_path / "mine.examples.yaml").write_text("texts: [{text: a, action: allow}]")
    sidecar = read_sidecar(file)
    assert sidecar is not None
    assert len(sidecar.texts) == 1
