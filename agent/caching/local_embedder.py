"""An embedding model on this machine: no prompt leaves it to be compared.

A folder like a classifier's (`agent.checks.onnx.manifest`), with another manifest:

manifest.json   {"name", "version", "licence", "max_len": 256, "dimensions": 384, "pooling": "mean" | "first" | "none",
                 "prefix": "", "sha256": {"model.onnx": "...", "tokenizer.json": "..."}}

The graph takes `input_ids` (and `attention_mask`, `token_type_ids`) and gives a vector for each token, which are pooled
here, or one for the text ("none").
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Protocol

from pydantic import Field

from agent.checks.onnx.manifest import Files, read_folder
from agent.checks.onnx.session import open_session, optional_module
from agent.checks.onnx.worker import Worker
from agent.errors import CacheError, ConfigError


class Pooling(StrEnum):
    """How the vectors of a text's tokens become one."""

    MEAN = "mean"
    FIRST = "first"  # the first token's, which some models train for it
    NONE = "none"  # the graph does it


class EmbedderManifest(Files):
    """The manifest of an embedding model. `prefix` is put before every text: some models are trained with one."""

    dimensions: Annotated[int, Field(ge=2, le=8192)]
    pooling: Annotated[Pooling, Field(strict=False)] = Pooling.MEAN
    prefix: Annotated[str, Field(max_length=100)] = ""


class EmbeddingModel(Protocol):
    """What the embedder asks of a model. Blocks; used by one thread at a time."""

    def vector(self, text: str) -> Sequence[float] | None:
        """The vector of `text`; None where it is too long to be read whole."""
        ...


class OnnxEmbedding:
    """Implements `EmbeddingModel`."""

    def __init__(self, manifest: EmbedderManifest, model: bytes, tokenizer: bytes) -> None:
        """Raises ConfigError where the extra is not installed or the files are no model."""
        self._manifest = manifest
        self._numpy = optional_module("numpy")
        tokenizers, runtime = optional_module("tokenizers"), optional_module("onnxruntime")
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_buffer(tokenizer)
            self._tokenizer.no_truncation()
            self._tokenizer.no_padding()
            self._session: Any = open_session(runtime, model)
        except Exception as error:  # their own classes, many, and none that is promised
            raise ConfigError(
                f"the model {manifest.name} cannot be loaded ({type(error).__name__})",
                hint="Check that model.onnx and tokenizer.json fit this version of onnxruntime and tokenizers.",
            ) from error
        self._inputs = {each.name for each in self._session.get_inputs()}

    def vector(self, text: str) -> Sequence[float] | None:
        """See `EmbeddingModel`. Raises ConfigError where the model's answer does not fit its manifest."""
        ids = self._tokenizer.encode(self._manifest.prefix + text).ids
        if not ids or len(ids) > self._manifest.max_len:
            return None
        given = {"input_ids": [ids], "attention_mask": [[1] * len(ids)], "token_type_ids": [[0] * len(ids)]}
        feed = {
            name: self._numpy.array(value, dtype="int64")
            for name, value in given.items()
            if name in self._inputs
        }
        rows = self._session.run(None, feed)[0][0]
        match self._manifest.pooling:
            case Pooling.MEAN:
                rows = rows.mean(axis=0)
            case Pooling.FIRST:
                rows = rows[0]
            case Pooling.NONE:
                pass
        if rows.shape != (self._manifest.dimensions,):
            raise ConfigError(
                f"the model {self._manifest.name} does not answer as its manifest says",
                hint="Check dimensions and pooling of the manifest.",
            )
        numbers: list[float] = rows.tolist()
        return numbers


def load_embedding(folder: Path) -> EmbeddingModel:
    """The model in `folder`, verified and ready. Blocks for seconds. Raises ConfigError."""
    return OnnxEmbedding(*read_folder(folder, EmbedderManifest))


class LocalEmbedder:
    """Implements `Embedder`. Loads its model when it is first asked, in its own thread."""

    def __init__(
        self, folder: Path, *, load: Callable[[Path], EmbeddingModel] = load_embedding, name: str = ""
    ) -> None:
        """`load` blocks and raises ConfigError."""
        self.name = name or f"local:{folder}"
        self._folder = folder
        self._load = load
        self._worker = Worker()
        self._model: EmbeddingModel | None = None

    async def embed(self, texts: Sequence[str]) -> list[Sequence[float] | None]:
        """See `Embedder`."""
        try:
            return await asyncio.shield(self._worker.run(self._embed, tuple(texts)))
        except ConfigError as error:
            raise CacheError(str(error), hint=error.hint()) from error

    def close(self) -> None:
        """Let what is running end; take no more."""
        self._worker.close()

    def _embed(self, texts: tuple[str, ...]) -> list[Sequence[float] | None]:
        if self._model is None:
            self._model = self._load(self._folder)
        return [self._model.vector(text) for text in texts]
