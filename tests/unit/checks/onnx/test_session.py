"""A real model, made here, with the real libraries where they are installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from agent.checks.onnx.manifest import ModelFiles, read_model
from agent.checks.onnx.session import OnnxModel, load_model
from agent.errors import ConfigError
from tests.fakes.models import manifest, write_model
from tests.fakes.tiny_model import ATTACK, TOKENIZER, WORDS, graph, made

INSTALLED = all(importlib.util.find_spec(name) for name in ("onnxruntime", "tokenizers", "numpy"))
needs_extra = pytest.mark.skipif(not INSTALLED, reason="the extra `onnx` is not installed")


@needs_extra
def test_a_model_takes_a_text_with_its_special_tokens_around_it(tmp_path: Path) -> None:
    model = load_model(made(tmp_path / "m"))
    encoding = model.encode("😀 please attack")
    assert list(encoding.ids) == [0, WORDS.index("please"), ATTACK]
    assert list(encoding.offsets) == [(0, 1), (2, 8), (9, 15)]  # code points, as ours
    assert model.room == model.manifest.max_len - 2


@needs_extra
def test_a_sequence_classifier_answers_with_one_row(tmp_path: Path) -> None:
    model = load_model(made(tmp_path / "m"))
    assert model.run([ATTACK]) == [[5.0, 6.0]]
    assert model.run([WORDS.index("nice")]) == [[5.0, 0.0]]


@needs_extra
def test_a_token_classifier_answers_with_one_row_for_each_token_and_none_for_the_special_ones(
    tmp_path: Path,
) -> None:
    model = load_model(made(tmp_path / "m", tokens=True))
    assert model.run([WORDS.index("be"), ATTACK]) == [[5.0, 0.0], [0.0, 6.0]]


@needs_extra
def test_a_model_that_is_not_what_its_manifest_says_is_no_verdict(tmp_path: Path) -> None:
    folder = write_model(
        tmp_path / "m",
        model=graph(tokens=False),
        tokenizer=TOKENIZER,
        labels=["A", "B", "C"],
        thresholds={"A": 0.5},
    )
    with pytest.raises(ConfigError, match="does not answer as its manifest says"):
        load_model(folder).run([ATTACK])


@needs_extra
@pytest.mark.parametrize(("model", "tokenizer"), [(b"no graph", TOKENIZER), (b"", TOKENIZER), (None, b"{}")])
def test_files_that_are_no_model_are_refused(tmp_path: Path, model: bytes | None, tokenizer: bytes) -> None:
    data = graph(tokens=False) if model is None else model
    with pytest.raises(ConfigError, match="the model toy cannot be loaded"):
        load_model(write_model(tmp_path / "m", model=data, tokenizer=tokenizer))


@needs_extra
def test_threads_are_few_and_do_not_spin(tmp_path: Path) -> None:
    model = OnnxModel(read_model(made(tmp_path / "m")))
    options = model._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert model._session.get_providers() == ["CPUExecutionProvider"]


@pytest.mark.skipif(INSTALLED, reason="the extra `onnx` is installed")
def test_without_the_extra_the_error_says_what_to_install() -> None:
    files = ModelFiles(manifest=manifest(), model=b"", tokenizer=b"")
    with pytest.raises(ConfigError, match="is not installed") as caught:
        OnnxModel(files)
    assert "extra `onnx`" in caught.value.hint()
