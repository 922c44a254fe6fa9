"""A denial in the words of HTTP."""

from __future__ import annotations

from agent.accounts.denials import KEY_UNKNOWN, UNAVAILABLE
from agent.gateway.unified.refusals import refusal


def test_a_denial_keeps_its_status_its_words_and_its_kind() -> None:
    made = refusal(KEY_UNKNOWN)
    assert (made.status, str(made)) == (401, KEY_UNKNOWN.message)
    assert made.headers == ((b"x-drawbridge-denied", b"virtual_key_unknown"),)


def test_who_should_come_again_is_told_when() -> None:
    assert dict(refusal(UNAVAILABLE).headers)[b"retry-after"] == b"5"
