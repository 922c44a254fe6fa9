"""A model that is ready to run: `tokenizers` cuts the text, onnxruntime does the arithmetic, on the processor only.

Both are imported here and only when a model is loaded (a third of a second, 35 MB). By name, for they are optional.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from agent.checks.onnx.manifest import Manifest, ModelFiles, Task, read_model
from agent.checks.onnx.scores import Offset, Row
from agent.errors import ConfigError

INTRA_OP_THREADS = 2  # half the cores of the smallest laptop
INTER_OP_THREADS = 1
_FATAL = 4  # the least that onnxruntime logs


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """A text as tokens, without the special ones."""

    ids: Sequence[int] = field(repr=False)
    offsets: Sequence[Offset] = field(repr=False)


class Model(Protocol):
    """What the classifier asks of a model. Blocks; used by one thread at a time."""

    @property
    def manifest(self) -> Manifest:
        """What it says of itself."""
        ...

    @property
    def room(self) -> int:
        """How many tokens of a text one run takes."""
        ...

    def encode(self, text: str) -> Encoding:
        """The whole text as tokens."""
        ...

    def run(self, ids: Sequence[int]) -> Sequence[Row]:
        """The model's numbers: one row for the text, or one for each of `ids`."""
        ...


class OnnxModel:
    """Implements `Model`."""

    def __init__(self, files: ModelFiles) -> None:
        """Raises ConfigError where the extra is not installed or the files are no model."""
        self.manifest = files.manifest
        self._numpy = optional_module("numpy")
        tokenizers, runtime = optional_module("tokenizers"), optional_module("onnxruntime")
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_buffer(files.tokenizer)
            self._tokenizer.no_truncation()
            self._tokenizer.no_padding()
            self._session: Any = open_session(runtime, files.model)
        except Exception as error:  # their own classes, many, and none that is promised
            raise ConfigError(
                f"the model {self.manifest.name} cannot be loaded ({type(error).__name__})",
                hint="Check that model.onnx and tokenizer.json fit this version of onnxruntime and tokenizers.",
            ) from error
        self._inputs = {each.name for each in self._session.get_inputs()}
        self._before, self._after = self._specials()
        self.room = self.manifest.max_len - len(self._before) - len(self._after)

    def encode(self, text: str) -> Encoding:
        """See `Model`."""
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        return Encoding(ids=encoded.ids, offsets=encoded.offsets)

    def run(self, ids: Sequence[int]) -> Sequence[Row]:
        """See `Model`. Raises ConfigError where the model's answer does not fit its manifest."""
        row = [*self._before, *ids, *self._after]
        array = self._numpy.array
        given = {
            "input_ids": [row],
            "attention_mask": [[1] * len(row)],
            "token_type_ids": [[0] * len(row)],
        }
        feed = {name: array(value, dtype="int64") for name, value in given.items() if name in self._inputs}
        numbers: list[Any] = self._session.run(None, feed)[0].tolist()[0]
        if self.manifest.task is Task.SEQUENCE:
            rows: list[list[float]] = [numbers]
        else:
            rows = numbers[len(self._before) : len(numbers) - len(self._after)]
        wanted = 1 if self.manifest.task is Task.SEQUENCE else len(ids)
        if len(rows) != wanted or any(len(each) != len(self.manifest.labels) for each in rows):
            raise ConfigError(
                f"the model {self.manifest.name} does not answer as its manifest says",
                hint="Check task and labels of the manifest.",
            )
        return rows

    def _specials(self) -> tuple[list[int], list[int]]:
        """The tokens that the model wants before and after a text."""
        encoded = self._tokenizer.encode("a", add_special_tokens=True)
        own = [place for place, special in enumerate(encoded.special_tokens_mask) if not special]
        first, last = (own[0], own[-1]) if own else (len(encoded.ids), len(encoded.ids))
        return list(encoded.ids[:first]), list(encoded.ids[last + 1 :])


def load_model(folder: Path) -> Model:
    """The model in `folder`, verified and ready. Blocks for seconds. Raises ConfigError."""
    return OnnxModel(read_model(folder))


def open_session(runtime: Any, model: bytes) -> Any:
    """A session of onnxruntime on `model`, of few threads that do not spin."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = INTRA_OP_THREADS
    options.inter_op_num_threads = INTER_OP_THREADS
    options.log_severity_level = _FATAL
    # threads that spin while they wait would cost a laptop its battery
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return runtime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])


def optional_module(name: str) -> Any:
    """A package of the extra `onnx`. Raises ConfigError where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"a model on this machine needs the package {name}, which is not installed",
            hint="Install Drawbridge with its extra `onnx`.",
        ) from error
