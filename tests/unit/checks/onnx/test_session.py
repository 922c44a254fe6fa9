"""A real model, made here, with the real libraries where they are installed."""

from __future__ import annotations

import importlib.util
import json
import struct
from pathlib import Path

import pytest

from agent.checks.onnx.manifest import ModelFiles, read_model
from agent.checks.onnx.session import OnnxModel, load_model
from agent.errors import ConfigError
from tests.fakes.models import manifest, write_model

INSTALLED = all(importlib.util.find_spec(name) for name in ("onnxruntime", "tokenizers", "numpy"))
needs_extra = pytest.mark.skipif(not INSTALLED, reason="the extra `onnx` is not installed")
WORDS = ["[UNK]", "[CLS]", "[SEP]", "please", "be", "nice", "attack"]
ATTACK = WORDS.index("attack")


# A protobuf message, written by hand (protobuf.dev/programming-guides/encoding; onnx/onnx.proto).


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(body)) + body


def text(field: int, value: str) -> bytes:
    return message(field, value.encode())


def value_info(field: int, name: str, kind: int, *dims: str | int) -> bytes:
    shape = b"".join(message(1, text(2, dim) if isinstance(dim, str) else number(1, dim)) for dim in dims)
    return message(field, text(1, name), message(2, message(1, number(1, kind), message(2, shape))))


def floats(name: str, rows: list[list[float]]) -> bytes:
    data = b"".join(struct.pack("<f", value) for row in rows for value in row)
    return message(
        5, number(1, len(rows)), number(1, len(rows[0])), number(2, 1), text(8, name), message(9, data)
    )


def node(kind: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    names = b"".join(text(1, name) for name in inputs)
    return message(1, names, text(2, output), text(4, kind), *attributes)


def graph(*, tokens: bool) -> bytes:
    """A table looked up by token: 5 for [SAFE, ATTACK] as the word is; as they are, or the greatest of all."""
    table = [[5.0, 0.0] if place != ATTACK else [0.0, 6.0] for place in range(len(WORDS))]
    nodes = [node("Gather", ["table", "input_ids"], "rows")]
    dims: tuple[str | int, ...] = ("batch", "length", 2)
    if not tokens:
        axes = message(5, text(1, "axes"), number(8, 1), number(20, 7))
        keep = message(5, text(1, "keepdims"), number(3, 0), number(20, 2))
        nodes = [*nodes, node("ReduceMax", ["rows"], "logits", axes, keep)]
        dims = ("batch", 2)
    else:
        nodes = [*nodes, node("Identity", ["rows"], "logits")]
    body = [
        *nodes,
        text(2, "toy"),
        floats("table", table),
        value_info(11, "input_ids", 7, "batch", "length"),
        value_info(12, "logits", 1, *dims),
    ]
    return number(1, 8) + message(7, *body) + message(8, text(1, ""), number(2, 13))


TOKENIZER = json.dumps(
    {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": WORDS.index(word),
                "content": word,
                "special": True,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
            }
            for word in ("[UNK]", "[CLS]", "[SEP]")
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {
            "type": "BertProcessing",
            "sep": ["[SEP]", WORDS.index("[SEP]")],
            "cls": ["[CLS]", WORDS.index("[CLS]")],
        },
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: place for place, word in enumerate(WORDS)},
            "unk_token": "[UNK]",
        },
    }
).encode()


def made(folder: Path, *, tokens: bool = False) -> Path:
    task = {"task": "token"} if tokens else {}
    return write_model(folder, model=graph(tokens=tokens), tokenizer=TOKENIZER, **task)


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
