"""A classifier without arithmetic, and folders that look like models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.checks.onnx.manifest import Manifest
from agent.checks.onnx.scores import Row
from agent.checks.onnx.session import Encoding

MANIFEST: dict[str, Any] = {
    "name": "toy",
    "version": "1",
    "licence": "Apache-2.0",
    "task": "sequence",
    "labels": ["SAFE", "ATTACK"],
    "max_len": 18,
    "stride": 12,
    "thresholds": {"ATTACK": 0.8},
    "sha256": {"model.onnx": "0" * 64, "tokenizer.json": "0" * 64},
}
NER: dict[str, Any] = {
    **MANIFEST,
    "task": "token",
    "labels": ["O", "B-PER", "I-PER", "B-LOC"],
    "thresholds": {"PER": 0.5, "LOC": 0.5},
}


def manifest(base: dict[str, Any] = MANIFEST, **more: Any) -> Manifest:
    """A manifest, read as from its file."""
    return Manifest.model_validate_json(json.dumps({**base, **more}))


def write_model(
    folder: Path, *, model: bytes, tokenizer: bytes, only: dict[str, Any] | None = None, **more: Any
) -> Path:
    """A folder with these files and a manifest that fits them, changed by `more`; or the manifest `only`."""
    folder.mkdir(mode=0o755, exist_ok=True)
    folder.chmod(0o755)
    files = {"model.onnx": model, "tokenizer.json": tokenizer}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files["manifest.json"] = json.dumps({**(only or MANIFEST), "sha256": hashes, **more}).encode()
    for name, data in files.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o644)
    return folder


class FakeModel:
    """Implements `Model`: words are tokens; `attack` is an attack, `Ann`, `Lee` and `Rome` have names' labels."""

    def __init__(self, made: Manifest | None = None, *, room: int = 16) -> None:
        self.manifest = made or manifest()
        self.room = room
        self.runs: list[list[str]] = []
        self._words: list[str] = []

    def encode(self, text: str) -> Encoding:
        offsets: list[tuple[int, int]] = []
        at = 0
        for word in text.split():
            at = text.index(word, at)
            offsets.append((at, at + len(word)))
            at += len(word)
        self._words = [text[start:end] for start, end in offsets]
        return Encoding(ids=range(len(offsets)), offsets=offsets)

    def run(self, ids: Sequence[int]) -> Sequence[Row]:
        words = [self._words[place] for place in ids]
        self.runs.append(words)
        if self.manifest.task == "sequence":
            return [[0.0, 5.0] if "attack" in words else [5.0, 0.0]]
        return [[9.0 if place == _NAMES.get(word, 0) else 0.0 for place in range(4)] for word in words]


_NAMES = {"Ann": 1, "Lee": 2, "Rome": 3}
