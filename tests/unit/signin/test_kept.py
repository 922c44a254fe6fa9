"""Sign-ins over a restart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.model.identity import Identity
from agent.signin.kept import SignIn, read_sign_ins, write_sign_ins

ADA = SignIn(
    account="ada",
    uid=1000,
    identity=Identity(issuer="https://id", subject="1", name="ada@example.com", groups=("a", "b")),
    since=1.0,
    issued_at=2.0,
    expires_at=3.5,
    nonce="n",
    groups_left_out=True,
)


def test_what_is_kept_is_read(tmp_path: Path) -> None:
    people = (ADA, replace(ADA, account="bob"))
    write_sign_ins(tmp_path / "x.json", people)
    assert read_sign_ins(tmp_path / "x.json") == people
    assert (tmp_path / "x.json").stat().st_mode & 0o777 == 0o600


def test_no_file_is_nobody(tmp_path: Path) -> None:
    assert read_sign_ins(tmp_path / "x.json") == ()


def test_one_that_others_may_read_is_not_believed(tmp_path: Path) -> None:
    write_sign_ins(tmp_path / "x.json", (ADA,))
    (tmp_path / "x.json").chmod(0o644)
    assert read_sign_ins(tmp_path / "x.json") == ()


@pytest.mark.parametrize(
    "change",
    [
        {"uid": "1000"},
        {"uid": True},
        {"since": "now"},
        {"account": 1},
        {"extra": 1},
        {"identity": {}},
        {"identity": {"issuer": "x", "subject": "", "name": "", "full_name": "", "groups": []}},
        {"identity": {"issuer": "x", "subject": "1", "name": 1, "full_name": "", "groups": []}},
        {"identity": {"issuer": "x", "subject": "1", "name": "", "full_name": "", "groups": [1]}},
    ],
)
def test_values_of_another_type_are_nobody(tmp_path: Path, change: dict[str, Any]) -> None:
    write_sign_ins(tmp_path / "x.json", (ADA,))
    document = json.loads((tmp_path / "x.json").read_bytes())
    document["people"][0] |= change
    (tmp_path / "x.json").write_text(json.dumps(document))
    assert read_sign_ins(tmp_path / "x.json") == ()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 1}', '{"version": 9, "people": []}', "{" * 9, "\x00"]
)
def test_a_damaged_file_is_nobody(tmp_path: Path, text: str) -> None:
    write_sign_ins(tmp_path / "x.json", ())
    (tmp_path / "x.json").write_text(text)
    assert read_sign_ins(tmp_path / "x.json") == ()
