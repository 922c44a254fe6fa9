"""An embedding model on this machine, a toy one: real enough for onnxruntime and `tokenizers`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from agent.caching.local_embedder import (
    EmbedderManifest,
    EmbeddingModel,
    LocalEmbedder,
    OnnxEmbedding,
    load_embedding,
)
from agent.checks.onnx.manifest import read_folder
from agent.errors import CacheError, ConfigError
from tests.fakes.models import write_model
from tests.fakes.tiny_model import TOKENIZER, graph

EMBEDDING = {"dimensions": 2, "pooling": "mean", "max_len": 16}


def folder(path: Path, *, tokens: bool = True, **more: object) -> Path:
    manifest = {"name": "toy", "version": "1", "licence": "Apache-2.0", **EMBEDDING, **more}
    return write_model(path, model=graph(tokens=tokens), tokenizer=TOKENIZER, only=manifest)


@pytest.mark.parametrize(
    ("pooling", "tokens", "vector"),
    # [CLS] please attack [SEP]: three rows of [5, 0], one of [0, 6]
    [("mean", True, [3.75, 1.5]), ("first", True, [5.0, 0.0]), ("none", False, [5.0, 6.0])],
)
def test_vectors_of_tokens_are_pooled(
    tmp_path: Path, pooling: str, tokens: bool, vector: list[float]
) -> None:
    model = load_embedding(folder(tmp_path / "m", tokens=tokens, pooling=pooling))
    assert model.vector("please attack") == vector


def test_a_text_that_is_too_long_has_no_vector(tmp_path: Path) -> None:
    model = load_embedding(folder(tmp_path / "m"))
    assert model.vector("be " * 14) is not None
    assert model.vector("be " * 15) is None


def test_every_text_has_the_prefix(tmp_path: Path) -> None:
    model = load_embedding(folder(tmp_path / "m", prefix="attack "))
    assert model.vector("please") == [3.75, 1.5]


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"dimensions": 1}, "dimensions"),
        ({"pooling": "max"}, "pooling"),
        ({"labels": ["A", "B"]}, "labels"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path: Path, more: dict[str, object], wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        load_embedding(folder(tmp_path / "m", **more))


def test_a_model_that_does_not_do_what_it_says_is_found_out(tmp_path: Path) -> None:
    model = load_embedding(folder(tmp_path / "m", dimensions=3))
    with pytest.raises(ConfigError, match="does not answer as its manifest says"):
        model.vector("please")


def test_files_that_are_no_model_are_refused(tmp_path: Path) -> None:
    files = folder(tmp_path / "m")
    manifest, _, tokenizer = read_folder(files, EmbedderManifest)
    with pytest.raises(ConfigError, match="cannot be loaded"):
        OnnxEmbedding(manifest, b"no model", tokenizer)


class Lengths:
    """Implements `EmbeddingModel`: a vector is a text's length."""

    def vector(self, text: str) -> Sequence[float] | None:
        return [float(len(text))] if text else None


@pytest.fixture
async def embedder() -> AsyncIterator[LocalEmbedder]:
    loads: list[Path] = []

    def load(folder: Path) -> EmbeddingModel:
        loads.append(folder)
        assert len(loads) == 1
        return Lengths()

    embedder = LocalEmbedder(Path("/m"), load=load)
    yield embedder
    embedder.close()


async def test_the_model_is_loaded_once_and_off_the_event_loop(embedder: LocalEmbedder) -> None:
    assert await embedder.embed(["ab", ""]) == [[2.0], None]
    assert await embedder.embed(["abc"]) == [[3.0]]
    assert embedder.name == "local:/m"


async def test_a_model_that_cannot_be_loaded_is_told() -> None:
    embedder = LocalEmbedder(Path("/nowhere"))
    with pytest.raises(CacheError, match="/nowhere"):
        await embedder.embed(["a"])
    embedder.close()
