"""Texts of strangers."""

from __future__ import annotations

from agent.signin.problems import EndedError, SignInError, cleaned


def test_a_text_of_a_stranger_is_one_short_line() -> None:
    assert cleaned("a\x1b[31m\n b\u202e") == "a [31m b"
    assert len(cleaned("x" * 999)) == 200
    assert cleaned(None) == ""


def test_an_ended_session_is_a_refusal() -> None:
    assert issubclass(EndedError, SignInError)
