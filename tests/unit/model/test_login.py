"""Accounts as values: their words are what policies compare."""

from __future__ import annotations

from agent.model.login import NO_LOGIN, LoginKind, Tenancy


def test_the_words_are_those_that_policies_compare() -> None:
    kinds = ["", "api_key", "subscription", "cloud", "session", "anonymous"]
    assert [each.value for each in LoginKind] == kinds
    assert [each.value for each in Tenancy] == ["", "personal", "company", "other"]


def test_of_an_unknown_account_everything_is_empty() -> None:
    assert not any(getattr(NO_LOGIN, name) for name in NO_LOGIN.__slots__)
