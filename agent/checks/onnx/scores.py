"""From a model's numbers to marks in a text. Pure: lists of floats in, marks out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agent.checks.onnx.manifest import Activation, Manifest, entity
from agent.checks.ports import Mark

type Row = Sequence[float]
type Offset = tuple[int, int]
"""Where a token stands: characters of the text, end excluded. Equal numbers for a token that stands for no text."""


def activated(row: Row, activation: Activation) -> list[float]:
    """Scores from 0 to 1, in the order of the labels. Numbers that are none count as 0."""
    if activation is Activation.SIGMOID:
        return [_sigmoid(value) for value in row]
    finite = [value if math.isfinite(value) else -math.inf for value in row]
    top = max(finite)
    if top == -math.inf:
        return [0.0] * len(finite)
    powers = [math.exp(value - top) for value in finite]
    total = math.fsum(powers)
    return [power / total for power in powers]


def sequence_marks(manifest: Manifest, row: Row, start: int, end: int) -> tuple[Mark, ...]:
    """A mark from `start` to `end` for every label whose score reaches its threshold."""
    scores = activated(row, manifest.activation)
    return tuple(
        Mark(start=start, end=end, category=label, score=min(score, 1.0))
        for label, score in zip(manifest.labels, scores, strict=True)
        if start < end and score >= manifest.thresholds.get(label, math.inf)
    )


@dataclass(slots=True)
class _Run:
    """Neighbouring tokens of one entity."""

    name: str
    start: int
    end: int
    scores: list[float]


def token_marks(manifest: Manifest, rows: Sequence[Row], offsets: Sequence[Offset]) -> tuple[Mark, ...]:
    """A mark for every run of tokens of one entity whose mean score reaches the entity's threshold."""
    runs: list[_Run] = []
    current: _Run | None = None
    for row, (start, end) in zip(rows, offsets, strict=True):
        if start >= end:  # stands for no text
            continue
        scores = activated(row, manifest.activation)
        best = max(range(len(scores)), key=scores.__getitem__)
        label = manifest.labels[best]
        name = entity(label)
        if name not in manifest.thresholds:
            current = None
        elif current is not None and current.name == name and not _begins(label):
            current.end = end
            current.scores.append(scores[best])
        else:
            current = _Run(name, start, end, [scores[best]])
            runs.append(current)
    return tuple(
        Mark(start=run.start, end=run.end, category=run.name, score=min(mean, 1.0))
        for run in runs
        if (mean := math.fsum(run.scores) / len(run.scores)) >= manifest.thresholds[run.name]
    )


def _begins(label: str) -> bool:
    return label[:2] in ("B-", "S-", "U-")


def _sigmoid(value: float) -> float:
    if math.isnan(value):
        return 0.0
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    power = math.exp(max(value, -700.0))
    return power / (1 + power)
