"""A model of two labels and seven words, its protobuf written by hand: real enough for onnxruntime and `tokenizers`."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from tests.fakes.models import write_model

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
