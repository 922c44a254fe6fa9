"""Logistic regression over sparse features, in plain Python: FTRL-proximal, which keeps few weights, and Platt scaling.

Deterministic: the same samples in the same order give the same weights, bit by bit on one platform. A text counts as
an attack if one of its windows is: of an attack's windows only the one that looks most like it teaches.
McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013; Platt, 1999.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

BASE_RATE = 0.18
"""The share of attacks for which scores are probabilities: so a score of 0.5 means about one false alarm in a hundred
harmless texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One text: the features of its windows, as numbers; what it is; how much it counts."""

    windows: list[list[int]]
    attack: bool
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the learner learns."""

    rate: float = 0.06
    l1: float = 0.8
    l2: float = 1.0
    epochs: int = 6
    bias: float = -3.0  # where it starts: nearly all texts are harmless


class Learner:
    """Weights under way."""

    def __init__(self, features: int, settings: Settings) -> None:
        self._settings = settings
        self._z = [0.0] * features
        self._n = [0.0] * features
        self.weights = [0.0] * features
        self.bias = settings.bias

    def margin(self, window: Sequence[int]) -> float:
        """The raw score of one window."""
        weights = self.weights
        return self.bias + sum([weights[feature] for feature in window])

    def learn(self, examples: Sequence[Example], *, seed: int) -> None:
        """Several passes over all examples."""
        draw = random.Random(seed)
        order = list(range(len(examples)))
        for epoch in range(self._settings.epochs):
            draw.shuffle(order)
            for index in order:
                example = examples[index]
                if not example.attack:
                    for window in example.windows:
                        self._step(window, 0.0, example.weight)
                elif epoch == 0:
                    for window in example.windows:
                        self._step(window, 1.0, example.weight / len(example.windows))
                else:
                    self._step(max(example.windows, key=self.margin), 1.0, example.weight)

    def _step(self, window: list[int], truth: float, weight: float) -> None:
        gradient = (probability(self.margin(window)) - truth) * weight
        if abs(gradient) < 0.003:
            return
        rate, l1, l2 = self._settings.rate, self._settings.l1, self._settings.l2
        square = gradient * gradient
        z, n, weights = self._z, self._n, self.weights
        for feature in window:
            old = n[feature]
            new = old + square
            root = math.sqrt(new)
            pull = z[feature] + gradient - (root - math.sqrt(old)) / rate * weights[feature]
            z[feature], n[feature] = pull, new
            if pull > l1:
                weights[feature] = (l1 - pull) / ((0.3 + root) / rate + l2)
            elif pull < -l1:
                weights[feature] = (-l1 - pull) / ((0.3 + root) / rate + l2)
            else:
                weights[feature] = 0.0
        self.bias -= 0.01 * gradient


def probability(margin: float) -> float:
    """The logistic function."""
    return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, margin))))


def calibrated(margins: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Slope and offset that turn margins into probabilities where `BASE_RATE` of the texts are attacks, by Newton."""
    attacks = sum(attack for _, attack in margins)
    share = {True: BASE_RATE / max(1, attacks), False: (1 - BASE_RATE) / max(1, len(margins) - attacks)}
    slope, offset = 1.0, 0.0
    for _ in range(50):
        g0 = g1 = 0.0
        h00 = h01 = h11 = 1e-9
        for margin, attack in margins:
            value = probability(slope * margin + offset)
            error = (value - attack) * share[attack]
            curve = value * (1 - value) * share[attack]
            g0, g1 = g0 + error * margin, g1 + error
            h00, h01, h11 = h00 + curve * margin * margin, h01 + curve * margin, h11 + curve
        size = h00 * h11 - h01 * h01
        slope -= (h11 * g0 - h01 * g1) / size
        offset -= (h00 * g1 - h01 * g0) / size
    return slope, offset
