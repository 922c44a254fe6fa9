"""Settings to terms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agent.host.settings import Settings
from agent.signin.terms import terms_of

SETTINGS = Settings(state_dir=Path("/x"), sign_in_issuer="https://id.example", sign_in_client="us")


def test_both_issuer_and_client_are_needed() -> None:
    assert terms_of(replace(SETTINGS, sign_in_issuer="")) is None
    assert terms_of(replace(SETTINGS, sign_in_client="")) is None
    assert terms_of(Settings(state_dir=Path("/x"))) is None


def test_openid_is_always_asked_for_and_once() -> None:
    found = terms_of(replace(SETTINGS, sign_in_scopes=("groups", "openid")))
    assert found is not None
    assert found.scopes == ("openid", "groups")


def test_hours_are_seconds() -> None:
    found = terms_of(replace(SETTINGS, sign_in_grace_hours=2))
    assert found is not None
    assert found.grace_seconds == 7200
