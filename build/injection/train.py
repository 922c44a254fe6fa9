"""Trains the injection model: `python build/injection/train.py FOLDER`, where FOLDER holds the unpacked packages.

Writes `agent/guardrails/injection/weights.tsv`; `--report` judges every text by a model that saw nothing of its group
and prints the figures. `docs/injection-model.md` lists the packages and how to get them.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(ROOT)]

from attacks import ATTACKS  # noqa: E402  found beside this file
from embedding import embedded  # noqa: E402
from harmless import HARMLESS  # noqa: E402
from learning import Example, Learner, Settings, calibrated, probability  # noqa: E402
from own import own_samples  # noqa: E402
from sources import Sample, samples  # noqa: E402

from agent.guardrails.injection.concepts import bundled_lexicon  # noqa: E402
from agent.guardrails.injection.features import Extractor, Kind, Name  # noqa: E402
from agent.guardrails.injection.model import written_model  # noqa: E402
from agent.guardrails.injection.signs import Signs, known_rules  # noqa: E402
from agent.guardrails.injection.windows import pieces, windows  # noqa: E402

SEED = 20_261
FOLDS = 10
WEIGHTS = {
    "own-quoted": 3.0,
    "own-agents": 3.0,
    "own-outputs": 1.5,
    "own-short": 2.0,
    "own-people": 4.0,
    "own-voices": 4.0,
    "own-games": 2.0,
    "own-play": 2.0,
    "own-answers": 2.0,
    "own-deeds": 2.0,
    "own-chores": 2.0,
    "own-markers": 2.0,
    "own-templates": 2.0,
    "own-questions": 2.0,
    "own-reports": 2.0,
    "own-turns": 2.0,
    "own-notices": 2.0,
    "own-languages": 2.0,
    "own-disguised": 0.7,
}
MINIMUM = {Kind.WORD: 4, Kind.PAIR: 5, Kind.CONCEPT: 3, Kind.SIGN: 2}
"""In how many texts a feature must stand to be learned: and in two groups, so that no source's habits are."""

SMALLEST = 0.0545
"""Weights below this decide nothing and are left out."""

type Feature = tuple[Kind, Name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Samples and their features as numbers."""

    samples: list[Sample]
    examples: list[Example]
    features: list[Feature]


def corpus(given: list[Sample]) -> Corpus:
    """Extracts and numbers the features that are frequent enough."""
    extractor = Extractor(bundled_lexicon(), Signs(known_rules()))
    seen: list[list[set[Feature]]] = []
    count: Counter[Feature] = Counter()
    groups: dict[Feature, set[str]] = defaultdict(set)
    for sample in given:
        told = [
            {(kind, name) for kind, names in extractor.features(piece.text) for name in names}
            for window in windows(sample.text)
            for piece in pieces(window.text)
        ]
        seen.append(told)
        for feature in set().union(*told):
            count[feature] += 1
            groups[feature].add("own" if _is_own(sample) else sample.group)
    kept = sorted(f for f, n in count.items() if n >= MINIMUM[f[0]] and len(groups[f]) > 1)
    number = {feature: place for place, feature in enumerate(kept)}
    examples = [
        Example(
            windows=[sorted(number[f] for f in window if f in number) for window in told],
            attack=sample.attack,
            weight=WEIGHTS.get(sample.source, 1.0),
        )
        for sample, told in zip(given, seen, strict=True)
    ]
    return Corpus(samples=given, examples=examples, features=kept)


def unseen_margins(data: Corpus, settings: Settings) -> list[float]:
    """For each text the margin that a model gives it which saw no text of its group."""
    fold = folds(data.samples)
    margins = [0.0] * len(data.samples)
    for number in range(FOLDS):
        learner = Learner(len(data.features), settings)
        learner.learn(
            [e for e, s in zip(data.examples, data.samples, strict=True) if fold[s.group] != number],
            seed=SEED,
        )
        for place, sample in enumerate(data.samples):
            if fold[sample.group] == number:
                margins[place] = max(map(learner.margin, data.examples[place].windows))
    return margins


def folds(given: Sequence[Sample]) -> dict[str, int]:
    """The fold of every group: those with attacks are dealt out by size, then the others."""
    size: Counter[str] = Counter()
    attacking = {sample.group for sample in given if sample.attack}
    for sample in given:
        size[sample.group] += 1
    order = sorted(size, key=lambda name: (name not in attacking, -size[name], name))
    return {name: place % FOLDS for place, name in enumerate(order)}


def report(data: Corpus, margins: Sequence[float], slope: float, offset: float) -> None:
    """Prints recall and false alarms by source, and of all, at some thresholds."""
    scores = [probability(slope * margin + offset) for margin in margins]
    steps = (0.1, 0.3, 0.5, 0.7, 0.9)
    by: dict[tuple[bool, str], list[float]] = defaultdict(list)
    for sample, score in zip(data.samples, scores, strict=True):
        by[sample.attack, sample.source].append(score)
    print("found, of texts whose group the model never saw, at", *steps)
    for (attack, source), found in sorted(by.items()):
        rates = "  ".join(f"{sum(score >= step for score in found) / len(found):6.1%}" for step in steps)
        print(f"{'attack' if attack else 'harmless':8} {source:24} {len(found):5}  {rates}")
    for step in steps:
        hits = sum(score >= step and s.attack for score, s in zip(scores, data.samples, strict=True))
        false = sum(score >= step and not s.attack for score, s in zip(scores, data.samples, strict=True))
        attacks = sum(s.attack for s in data.samples)
        harmless = len(scores) - attacks
        f1 = 2 * hits / (hits + false + attacks)
        print(f"{step}: F1 {f1:.3f}, recall {hits / attacks:.1%}, false alarms {false / harmless:.2%}")


def _is_own(sample: Sample) -> bool:
    """Ours are chosen to be hard: scores are calibrated on what others wrote."""
    return sample.source.startswith("own-")


def main(arguments: Sequence[str]) -> None:
    """Trains and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds the unpacked packages, one folder each")
    parser.add_argument("--own", type=Path, default=ROOT / "tests" / "data" / "injection")
    parser.add_argument("--output", type=Path, default=ROOT / "agent/guardrails/injection/weights.tsv")
    parser.add_argument(
        "--report", action="store_true", help="also judge each group by a model that never saw it"
    )
    chosen = parser.parse_args(arguments)
    given = samples(chosen.folder, (*ATTACKS, *HARMLESS), seed=SEED) + own_samples(chosen.own, seed=SEED)
    alone = len(given)
    given += embedded(given, seed=SEED)
    data = corpus(given)
    settings = Settings()
    margins = unseen_margins(data, settings)
    slope, offset = calibrated(
        [(m, s.attack) for m, s in zip(margins[:alone], data.samples, strict=False) if not _is_own(s)]
    )
    if chosen.report:
        report(data, margins, slope, offset)
    learner = Learner(len(data.features), settings)
    learner.learn(data.examples, seed=SEED)
    named = {
        feature: weight
        for feature, weight in zip(data.features, learner.weights, strict=True)
        if abs(weight) >= SMALLEST
    }
    chosen.output.write_text(
        written_model(named, bias=learner.bias, slope=slope, offset=offset), encoding="utf-8", newline="\n"
    )
    print(f"{len(given)} texts, {len(data.features)} features, {len(named)} weights")


if __name__ == "__main__":
    main(sys.argv[1:])
