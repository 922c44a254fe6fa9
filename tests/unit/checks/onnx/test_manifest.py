"""A model's folder is believed only where nobody but its owner can change it and every hash fits."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.checks.onnx.manifest import Task, entity, read_model
from agent.errors import ConfigError
from tests.fakes.models import NER, manifest, write_model

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are access lists on Windows")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", model=b"graph", tokenizer=b"{}")


def refusal(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_model(folder)
    assert caught.value.hint()
    return str(caught.value)


def test_a_good_folder_is_read(folder: Path) -> None:
    files = read_model(folder)
    assert (files.model, files.tokenizer) == (b"graph", b"{}")
    assert (files.manifest.name, files.manifest.task) == ("toy", Task.SEQUENCE)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_file_that_is_not_the_one_meant_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"another")
    assert "its SHA-256 differs" in refusal(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "manifest.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name} does not exist" in refusal(folder)


@posix
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_folder_that_others_can_write_is_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    assert "can be changed by other users" in refusal(folder)


@posix
@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "manifest.json"])
@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_file_that_others_can_write_is_refused(folder: Path, name: str, mode: int) -> None:
    (folder / name).chmod(mode)
    assert "can be changed by others" in refusal(folder)


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_folder_of_another_account_is_refused(folder: Path) -> None:
    os.chown(folder, 12345, 12345)
    assert "belongs to user 12345" in refusal(folder)


@posix
def test_a_link_to_a_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert "is no folder" in refusal(tmp_path / "link")


def test_a_folder_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "none")


def test_a_manifest_that_is_wrong_is_named_with_the_place(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"name": 1}')
    assert "manifest.json: " in refusal(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"stride": 19},
        {"stride": 0},
        {"max_len": 8},
        {"labels": ["ONE"]},
        {"thresholds": {"OTHER": 0.5}},
        {"thresholds": {}},
        {"thresholds": {"ATTACK": 1.5}},
        {"sha256": {"model.onnx": "0" * 64}},
        {"sha256": {"model.onnx": "0" * 63, "tokenizer.json": "0" * 64}},
        {"task": "generation"},
        {"url": "https://weights.example"},
    ],
)
def test_a_manifest_must_hold_together(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        manifest(**change)


def test_thresholds_of_token_classifiers_name_entities() -> None:
    assert set(manifest(NER).thresholds) == {"PER", "LOC"}
    with pytest.raises(ValidationError):
        manifest(NER, thresholds={"B-PER": 0.5})


@pytest.mark.parametrize(
    ("label", "name"), [("B-PER", "PER"), ("I-PER", "PER"), ("O", "O"), ("X-RAY", "X-RAY"), ("B-", "B-")]
)
def test_a_label_names_an_entity(label: str, name: str) -> None:
    assert entity(label) == name
