"""Replicate's predictions, as providers of text speak them: what is asked, the promise of an answer, answers, streams.

Facts are of Replicate's HTTP API reference ("Create a prediction", "Streaming output") and the input schemas of the
language models there. A prediction is created first and made later: its answer is the promise of one (`base.Promise`).
"""

from __future__ import annotations

from agent.translation.replicate_predictions.translator import ReplicatePredictions

__all__ = ["ReplicatePredictions"]
