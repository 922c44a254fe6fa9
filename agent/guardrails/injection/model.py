"""The weights: a linear model over named features, read from a text file that a person can read too.

`weights.tsv` is made by `build/injection/train.py`. Its first line gives the format, the bias and the calibration;
every other line is one feature: kind, weight in thousandths, and the words or concepts that it is made of.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from importlib import resources

from agent.errors import PolicyError
from agent.guardrails.injection.features import Kind, Name

_FORMAT = "injection-model-1"
_UNIT = 1_000


class Model:
    """Scores feature sets. Immutable."""

    def __init__(
        self, weights: Mapping[Kind, Mapping[Name, int]], *, bias: float, slope: float, offset: float
    ) -> None:
        """`weights` are thousandths: whole numbers add up to the same in any order."""
        self._weights = weights
        self._bias = bias
        self._slope = slope
        self._offset = offset

    def margin(self, features: Iterable[tuple[Kind, set[Name]]]) -> float:
        """The raw score: above 0 is more like an attack than not."""
        total = 0
        for kind, names in features:
            known = self._weights[kind]
            total += sum([known[name] for name in known.keys() & names])
        return self._bias + total / _UNIT

    def probability(self, features: Iterable[tuple[Kind, set[Name]]]) -> float:
        """The calibrated score, 0 to 1."""
        value = self._slope * self.margin(features) + self._offset
        return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, value))))


def read_model(text: str, *, name: str) -> Model:
    """The model that `text` describes. Raises PolicyError where it is of another format or damaged."""
    head, _, body = text.partition("\n")
    weights: dict[Kind, dict[Name, int]] = {kind: {} for kind in Kind}
    known: dict[str, str] = {}  # each word, and each weight, once: most stand in several features
    numbers: dict[str, int] = {}
    try:
        form, bias, slope, offset = head.split("\t")
        if form != _FORMAT:
            raise PolicyError(f"{name}: the format is {form!r}, not {_FORMAT!r}", hint="Train it again.")
        for line in body.splitlines():
            kind, weight, *parts = [known.setdefault(part, part) for part in line.split("\t")]
            single = len(parts) == 1 and kind != Kind.CONCEPT
            weights[Kind(kind)][parts[0] if single else tuple(parts)] = numbers.setdefault(
                weight, int(weight)
            )
        return Model(weights, bias=float(bias), slope=float(slope), offset=float(offset))
    except ValueError as error:
        raise PolicyError(
            f"{name}: the weights cannot be read: {error}", hint="Install the program again."
        ) from error


def written_model(
    weights: Mapping[tuple[Kind, Name], float], *, bias: float, slope: float, offset: float
) -> str:
    """The text of a model: features in order, weights rounded; those that round to nothing are left out."""
    lines = [f"{_FORMAT}\t{bias:.4f}\t{slope:.4f}\t{offset:.4f}"]
    rows = []
    for (kind, name), weight in weights.items():
        if value := round(weight * _UNIT):
            parts = (name,) if isinstance(name, str) else name
            rows.append("\t".join((kind.value, str(value), *parts)))
    return "\n".join([*lines, *sorted(rows)]) + "\n"


def bundled_model() -> Model:
    """The model that ships with the program."""
    place = resources.files("agent.guardrails.injection").joinpath("weights.tsv")
    return read_model(place.read_text(encoding="utf-8"), name="weights.tsv")
