"""From a model's numbers to marks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.onnx.manifest import Activation
from agent.checks.onnx.scores import activated, sequence_marks, token_marks
from tests.fakes.models import NER, manifest

OUT, BEGIN, INSIDE, PLACE = ([9.0 if place == best else 0.0 for place in range(4)] for best in range(4))
OFFSETS = [(0, 3), (4, 7), (8, 12), (13, 17)]


@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=20), st.sampled_from(Activation))
def test_scores_are_shares_whatever_a_model_says(row: list[float], activation: Activation) -> None:
    scores = activated(row, activation)
    assert len(scores) == len(row)
    assert all(0 <= score <= 1 + 1e-9 for score in scores)


def test_softmax_shares_one_whole_and_sigmoid_does_not() -> None:
    assert activated([0.0, 0.0], Activation.SOFTMAX) == [0.5, 0.5]
    assert activated([0.0, 800.0, -800.0], Activation.SIGMOID) == [0.5, 1.0, pytest.approx(0.0)]
    assert activated([math.nan, math.inf], Activation.SOFTMAX) == [0.0, 0.0]


def test_a_label_is_a_finding_from_its_threshold_on_and_one_without_is_none() -> None:
    made = manifest()
    (mark,) = sequence_marks(made, [0.0, 2.0], 3, 9)
    assert (mark.category, mark.start, mark.end) == ("ATTACK", 3, 9)
    assert mark.score == pytest.approx(0.88, abs=0.01)
    assert sequence_marks(made, [0.0, 1.0], 3, 9) == ()
    assert sequence_marks(made, [9.0, 0.0], 3, 9) == ()


def test_neighbouring_tokens_of_one_name_are_one_mark() -> None:
    marks = token_marks(manifest(NER), [BEGIN, INSIDE, OUT, PLACE], OFFSETS)
    assert [(mark.category, mark.start, mark.end) for mark in marks] == [("PER", 0, 7), ("LOC", 13, 17)]


def test_a_new_beginning_is_another_name() -> None:
    marks = token_marks(manifest(NER), [BEGIN, BEGIN, INSIDE, INSIDE], OFFSETS)
    assert [(mark.start, mark.end) for mark in marks] == [(0, 3), (4, 17)]


def test_a_name_may_begin_without_its_beginning() -> None:
    marks = token_marks(manifest(NER), [OUT, INSIDE, INSIDE, OUT], OFFSETS)
    assert [(mark.start, mark.end) for mark in marks] == [(4, 12)]


def test_tokens_that_stand_for_no_text_interrupt_nothing() -> None:
    marks = token_marks(manifest(NER), [BEGIN, OUT, INSIDE, OUT], [(0, 3), (3, 3), (4, 7), (8, 12)])
    assert [(mark.start, mark.end) for mark in marks] == [(0, 7)]


def test_an_unsure_name_is_none() -> None:
    unsure = [0.0, 0.1, 0.0, 0.0]
    assert token_marks(manifest(NER), [unsure], [(0, 3)]) == ()
