"""Apps and askers as values."""

from __future__ import annotations

import pytest

from agent.model.app import UNKNOWN_ASKER, Asker, Evidence, HeaderMark


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [("X-App: cli", "x-app", "cli"), ("originator:codex*", "originator", "codex*"), (" x-a ", "x-a", "*")],
)
def test_a_mark_is_a_header_with_or_without_value(text: str, name: str, value: str) -> None:
    assert HeaderMark.parse(text) == HeaderMark(name=name, value=value)


@pytest.mark.parametrize("text", ["", ":", ": cli", "x-app:", "x app", "x-*"])
def test_what_is_no_header_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no header"):
        HeaderMark.parse(text)


def test_only_a_process_vouches_for_an_app() -> None:
    assert Asker(app="cline", evidence=Evidence.CLAIMED, seen="vscode", claimed="cline").vouched
    assert Asker(app="curl", evidence=Evidence.PROCESS, seen="curl").vouched
    assert not Asker(app="cline", evidence=Evidence.CLAIMED, claimed="cline").vouched
    assert not Asker(app="cline", evidence=Evidence.ENDPOINT).vouched
    assert not UNKNOWN_ASKER.vouched


def test_the_words_for_evidence_are_those_that_policies_compare() -> None:
    assert [each.value for each in Evidence] == ["", "endpoint", "claimed", "process", "signed"]
