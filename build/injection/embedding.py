"""Short texts among others: what is written around an attack says nothing about it, and the model has to learn that."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from sources import Sample

_SHARE = 0.1  # of the short texts that are put among others as well
_SHORT = 600  # characters
_AROUND = (60, 420)  # characters of what stands before and behind
_JOINTS = ("\n\n", "\n\n", "\n", " ", " ")


def embedded(given: Sequence[Sample], *, seed: int) -> list[Sample]:
    """Copies of a part of the short texts, attacks and harmless ones alike, each among passages of harmless sources of
    others; it belongs to the group of the short text."""
    passages = [each.text for each in given if not each.attack and not each.source.startswith("own-")]
    found: list[Sample] = []
    for sample in given:
        if len(sample.text) > _SHORT or not (sample.attack or sample.source.startswith("own-")):
            continue
        draw = random.Random(f"{seed}/{sample.text}")
        if draw.random() < _SHARE:
            before, behind = _piece(draw, passages), _piece(draw, passages)
            first, last = draw.choice(_JOINTS), draw.choice(_JOINTS)
            where = draw.random()
            text = sample.text
            if where < 0.75:
                text = before + first + text
            if where > 0.25:
                text = text + last + behind
            found.append(replace(sample, text=text))
    return found


def _piece(draw: random.Random, passages: Sequence[str]) -> str:
    """Some words in a row of a passage."""
    text = draw.choice(passages)
    size = draw.randint(*_AROUND)
    start = draw.randrange(max(1, len(text) - size))
    piece = text[start : start + size]
    return piece[piece.find(" ") + 1 if start else 0 :].rpartition(" ")[0].strip() or piece.strip()
