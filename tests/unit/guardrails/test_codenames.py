"""Names in code, and what is joined like them and is none."""

from __future__ import annotations

import pytest

from agent.guardrails import codenames


@pytest.mark.parametrize(
    "value", ["orchard-linen-47-pebble", "Maple.vTqzRb_36", "stone.river.cloud.9021", "hunter2x"]
)
def test_passphrases_and_jumbled_parts_are_no_code(value: str) -> None:
    assert not codenames.reads_as_code(value)


@pytest.mark.parametrize(
    "value",
    [
        "my-secret-key-3",
        "release-notes-12",
        "form.userPwd_2",
        "input_label_text_3",
        "get(x)",
        "a?.b",
        "sha256",
    ],
)
def test_names_and_expressions_are_code(value: str) -> None:
    assert codenames.reads_as_code(value)


def test_names_joined_have_one_number_each_at_most() -> None:
    assert codenames.dotted("imdsv2_session_token")
    assert not codenames.dotted("a1b2c3.x")
    assert not codenames.dotted("theme_wcRLkzALJH07")


def test_letters_drawn_by_chance_stand_between_marks() -> None:
    assert codenames.drawn_letters("rZOpUh=xnMtOd")
    assert not codenames.drawn_letters("Status=NotFound")


@pytest.mark.parametrize("piece", ["ctgNyb", "BLfKSw", "SeMoEn", "mwONYE", "vTqzRb"])
def test_letters_without_system_are_jumbled(piece: str) -> None:
    assert codenames.jumbled(piece)


@pytest.mark.parametrize(
    "piece",
    [
        "getKey",
        "dbPwd",
        "userPwd",
        "httpCtx",
        "Settings",
        "CONSTANT",
        "lowercase",
        "isIdOk",
        "toJSON",
        "rsaKey",
    ],
)
def test_names_of_code_are_not_jumbled(piece: str) -> None:
    assert not codenames.jumbled(piece)
