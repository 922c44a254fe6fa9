"""Word lists become patterns that match exactly those words."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.guardrails import Scanner, keyword_rule
from agent.model.findings import Family


def words_in(text: str, *words: str, case_sensitive: bool = False, whole_words: bool = True) -> list[str]:
    rule = keyword_rule("w", words, case_sensitive=case_sensitive, whole_words=whole_words)
    return [text[finding.start : finding.end] for finding in Scanner((rule,)).scan(text)]


def test_words_are_found_in_any_case_and_whole() -> None:
    assert words_in("Falcon, falconry and FALCON.", "falcon") == ["Falcon", "FALCON"]


def test_case_and_boundaries_can_be_asked_for_otherwise() -> None:
    assert words_in("Falcon falconry", "falcon", case_sensitive=True) == []
    assert words_in("Falcon falconry", "falcon", whole_words=False) == ["Falcon", "falcon"]


def test_words_are_no_patterns() -> None:
    assert words_in("a.b c++ axb", "a.b", "c++") == ["a.b", "c++"]


def test_a_space_stands_for_any_white_space_and_the_longer_word_wins() -> None:
    assert words_in("project\n blue  sky, project blue", "project blue", "project blue sky") == [
        "project\n blue  sky",
        "project blue",
    ]


def test_words_of_other_scripts_need_no_boundary() -> None:
    assert words_in("これは機密です; Größe", "機密", "größe") == ["機密", "Größe"]


def test_a_custom_rule_names_itself() -> None:
    rule = keyword_rule("project-names", ("falcon",))
    assert (rule.family, rule.type) == (Family.CUSTOM, "project-names")


@pytest.mark.parametrize("words", [(), ("",), (" ",), ("x" * 300,), tuple(f"w{n}" for n in range(2_001))])
def test_lists_that_make_no_sense_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(PolicyError, match="rule w"):
        keyword_rule("w", words)
