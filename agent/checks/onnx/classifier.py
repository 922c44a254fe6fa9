"""The adapter that runs a classifier on this machine, in a thread of its own, while the deadline lets it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from agent.checks.onnx.manifest import Task
from agent.checks.onnx.scores import sequence_marks, token_marks
from agent.checks.onnx.session import Model
from agent.checks.onnx.windows import windows
from agent.checks.onnx.worker import Worker
from agent.checks.ports import CheckError, Failure, Limits, Mark, Piece
from agent.errors import ConfigError
from agent.model.content import Where
from agent.policy.checks import OnnxCheck

RETRY_SECONDS = 60.0
"""After which a model that could not be loaded is tried again."""


class Classifier:
    """Implements `ports.Adapter`."""

    def __init__(
        self,
        check: OnnxCheck,
        load: Callable[[Path], Model],
        worker: Worker,
        *,
        clock: Callable[[], float],
    ) -> None:
        """`load` blocks and raises ConfigError; `clock` is monotonic, in seconds."""
        self.limits = Limits(chars=check.max_chars)
        self._folder = Path(check.folder)
        self._most = check.windows
        self._load = load
        self._worker = worker
        self._clock = clock
        self._loading: asyncio.Future[Model] | None = None
        self._refused: tuple[float, str] | None = None

    async def ask(self, where: Where, pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
        """See `ports.Adapter`."""
        del where
        model = await self.ready()
        stopped = _Flag()
        try:
            return await self._worker.run(self._classify, model, pieces, stopped)
        except ConfigError as error:
            raise CheckError(Failure.MODEL, f"{error} {error.hint()}".strip()) from error
        except asyncio.CancelledError:
            stopped.up = True  # nobody waits for the rest
            raise

    async def ready(self) -> Model:
        """The model, loaded. Who gives up waiting does not keep it from being there for the next. Raises CheckError."""
        if self._refused is not None and self._clock() - self._refused[0] < RETRY_SECONDS:
            raise CheckError(Failure.MODEL, self._refused[1])
        if self._loading is None:
            self._loading = self._worker.run(self._load, self._folder)
            self._loading.add_done_callback(_seen)
        try:
            return await asyncio.shield(self._loading)
        except Exception as error:
            hint = error.hint() if isinstance(error, ConfigError) else ""
            detail = f"{error} {hint}".strip() if hint else type(error).__name__
            self._loading, self._refused = None, (self._clock(), detail)
            raise CheckError(Failure.MODEL, detail) from error

    def _classify(
        self, model: Model, pieces: tuple[Piece, ...], stopped: _Flag
    ) -> tuple[tuple[Mark, ...], ...]:
        return tuple(self._marks(model, piece.text, stopped) for piece in pieces)

    def _marks(self, model: Model, text: str, stopped: _Flag) -> tuple[Mark, ...]:
        manifest = model.manifest
        encoding = model.encode(text)
        stride = min(manifest.stride, model.room)
        marks: list[Mark] = []
        for start, end in windows(len(encoding.ids), size=model.room, stride=stride, most=self._most):
            if stopped.up:
                break
            rows = model.run(encoding.ids[start:end])
            offsets = encoding.offsets[start:end]
            if manifest.task is Task.TOKEN:
                marks += token_marks(manifest, rows, offsets)
            else:
                marks += sequence_marks(manifest, rows[0], offsets[0][0], offsets[-1][1])
        return tuple(marks)


def _seen(loading: asyncio.Future[Model]) -> None:
    """Take note of a failure that nobody may be left to hear of: asyncio would log it as lost."""
    if not loading.cancelled():
        loading.exception()


class _Flag:
    """Raised by the loop, seen by the worker."""

    up = False
