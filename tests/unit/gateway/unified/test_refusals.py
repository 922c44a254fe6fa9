"""A denial in the words of HTTP."""

from __future__ import annotations

from agent.accounts.denials import KEY_UNKNOWN, UNAVAILABLE, model_blocked
from agent.dialects.faults import Fault
from agent.gateway.unified.refusals import refusal


def test_a_denial_keeps_its_status_its_words_and_its_kind() -> None:
    made = refusal(KEY_UNKNOWN)
    assert (made.status, str(made)) == (401, KEY_UNKNOWN.message)
    assert made.headers == ((b"x-drawbridge-denied", b"virtual_key_unknown"),)


def test_a_model_that_a_key_may_not_use_is_named_as_what_is_at_fault() -> None:
    assert refusal(model_blocked("k", "openai")).fault is Fault.MODEL
    assert refusal(KEY_UNKNOWN).fault is Fault.UNSAID


def test_who_should_come_again_is_told_when() -> None:
    assert dict(refusal(UNAVAILABLE).headers)[b"retry-after"] == b"5"
