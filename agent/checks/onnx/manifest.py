"""A model as a folder: what its manifest says, and that its files are those the manifest means. Loads nothing.

model.onnx      the graph, weights inside
tokenizer.json  a tokenizer of the `tokenizers` package
manifest.json   {"name", "version", "licence", "task": "sequence" | "token", "labels": [...],
                 "max_len": 512, "stride": 384, "thresholds": {"label": 0.8},
                 "sha256": {"model.onnx": "...", "tokenizer.json": "..."}}
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.errors import ConfigError, HostError
from agent.host.files import OTHERS_WRITE, read_protected

MANIFEST, MODEL, TOKENIZER = "manifest.json", "model.onnx", "tokenizer.json"
MAX_MANIFEST = 256 * 1024  # bytes
MAX_TOKENIZER = 64 * 1024 * 1024
MAX_MODEL = 2 * 1024 * 1024 * 1024 - 1  # what one protobuf message may hold

_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Label = Annotated[str, Field(min_length=1, max_length=64)]
_Share = Annotated[float, Field(gt=0, le=1)]


class Task(StrEnum):
    """What a model says of a text."""

    SEQUENCE = "sequence"  # what kind of text it is
    TOKEN = "token"  # noqa: S105  what kind of thing each of its parts names


class Activation(StrEnum):
    """How a model's numbers become scores."""

    SOFTMAX = "softmax"  # one label of all
    SIGMOID = "sigmoid"  # each label by itself


class Files(BaseModel):
    """What every manifest says: whose the model is, and what its files are."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: _Label
    version: _Label
    licence: Annotated[str, Field(min_length=1, max_length=200)]
    max_len: Annotated[int, Field(ge=16, le=8192)]
    sha256: dict[str, _Sha256]

    @model_validator(mode="after")
    def _names_its_files(self) -> Self:
        if missing := sorted({MODEL, TOKENIZER} - set(self.sha256)):
            raise ValueError(f"sha256 has no entry for {', '.join(missing)}")
        return self


class Manifest(Files):
    """The manifest of a classifier. Only labels with a threshold are ever findings.

    Labels of a token classifier may begin with B-, I-, E-, L-, S- or U-; thresholds name them without.
    """

    task: Annotated[Task, Field(strict=False)]
    labels: Annotated[list[_Label], Field(min_length=2, max_length=1000)]
    stride: Annotated[int, Field(ge=1)]
    thresholds: Annotated[dict[_Label, _Share], Field(min_length=1)]
    activation: Annotated[Activation, Field(strict=False)] = Activation.SOFTMAX

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.stride > self.max_len:
            raise ValueError("stride is larger than max_len: parts of a text would not be seen")
        names = {entity(label) for label in self.labels} if self.task is Task.TOKEN else set(self.labels)
        if strangers := sorted(set(self.thresholds) - names):
            raise ValueError(f"thresholds names labels the model has not: {', '.join(strangers)}")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A model's files, read and verified."""

    manifest: Manifest
    model: bytes = field(repr=False)
    tokenizer: bytes = field(repr=False)


def entity(label: str) -> str:
    """What a token's label names, without its place in the name."""
    return label[2:] if len(label) > 2 and label[1] == "-" and label[0] in "BIELSU" else label


def read_model(folder: Path) -> ModelFiles:
    """The files of `folder`. Blocks, and raises ConfigError, as `read_folder`."""
    manifest, model, tokenizer = read_folder(folder, Manifest)
    return ModelFiles(manifest=manifest, model=model, tokenizer=tokenizer)


def read_folder[M: Files](folder: Path, kind: type[M]) -> tuple[M, bytes, bytes]:
    """The manifest of `folder`, which is of `kind`, its model and its tokenizer. Blocks on the disk for as
    long as it takes to hash a model.

    Raises ConfigError where the folder or a file may be changed by others than its owner, who must be this account or
    the administrator, where a hash differs, or the manifest is wrong.
    """
    try:
        owner = _owner_of(folder)
        manifest = _manifest(_read(folder / MANIFEST, MAX_MANIFEST, owner), folder / MANIFEST, kind)
        return (
            manifest,
            _verified(folder / MODEL, MAX_MODEL, owner, manifest.sha256),
            _verified(folder / TOKENIZER, MAX_TOKENIZER, owner, manifest.sha256),
        )
    except HostError as error:
        raise ConfigError(str(error), hint=error.hint()) from error


def _owner_of(folder: Path) -> int:
    try:
        found = folder.lstat()
    except OSError as error:
        raise ConfigError(
            f"the model's folder {folder} cannot be read: {error.strerror or error}", hint="Check the path."
        ) from error
    if not stat.S_ISDIR(found.st_mode):
        raise ConfigError(f"{folder} is no folder", hint="Name the real folder, not a link to it.")
    if sys.platform == "win32":
        return 0
    if found.st_mode & OTHERS_WRITE:
        raise ConfigError(f"{folder} can be changed by other users", hint=f"Run: chmod go-w {folder}")
    if found.st_uid not in (0, os.geteuid()):
        raise ConfigError(f"{folder} belongs to user {found.st_uid}", hint=f"Run: chown root {folder}")
    return found.st_uid


def _read(file: Path, limit: int, owner: int) -> bytes:
    data = read_protected(file, limit=limit, owner=owner)
    if data is None:
        raise ConfigError(f"{file} does not exist", hint="Deploy the model's folder anew.")
    return data


def _verified(file: Path, limit: int, owner: int, sha256: Mapping[str, str]) -> bytes:
    """What is verified is what is returned: the file is read once."""
    data = _read(file, limit, owner)
    if hashlib.sha256(data).hexdigest() != sha256[file.name]:
        raise ConfigError(
            f"{file} is not the file its manifest means: its SHA-256 differs",
            hint="Deploy the model's folder anew; if it was not changed on purpose, find out who did.",
        )
    return data


def _manifest[M: Files](data: bytes, file: Path, kind: type[M]) -> M:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise ConfigError(f"{file}: {where}: {first['msg']}", hint="Mend the manifest.") from None
