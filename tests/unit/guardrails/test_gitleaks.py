"""A gitleaks configuration is loaded as it is: what it finds, what it lets pass, and what is said about the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import PolicyError
from agent.guardrails import LoadedPack, Scanner, load_gitleaks
from agent.guardrails.gitleaks import extended_path
from agent.model.findings import Family
from tests.unit.guardrails.samples import Draw

FOLDER = Path(__file__).parents[2] / "data" / "gitleaks"
COMPANY = (FOLDER / "company.toml").read_text(encoding="utf-8")
BASE = (FOLDER / "base.toml").read_text(encoding="utf-8")
VALUE = "k7x2m9q4" + "w8z3v6b1"


@pytest.fixture(scope="module")
def pack() -> LoadedPack:
    return load_gitleaks(
        COMPANY, Family.SECRET, name="company.toml", prefix="corp/", extensions=[("base.toml", BASE)]
    )


@pytest.fixture(scope="module")
def scanner(pack: LoadedPack) -> Scanner:
    return Scanner(pack.rules)


def load(text: str) -> LoadedPack:
    return load_gitleaks(text, Family.SECRET, name="x.toml")


def found(scanner: Scanner, text: str) -> list[tuple[str, str]]:
    return [(finding.rule, text[finding.start : finding.end]) for finding in scanner.scan(text)]


def test_rules_keep_their_order_but_generic_ones_stand_last(pack: LoadedPack) -> None:
    assert [rule.id.removeprefix("corp/") for rule in pack.rules] == [
        "base-token",
        "corp-token",
        "corp-ticket",
        "corp-pair",
        "corp-far-keyword",
        "corp-login",
        "generic-base",
    ]
    assert {rule.type for rule in pack.rules} >= {"corp_token", "generic_base"}


@pytest.mark.parametrize(
    "text", ['my_corpauth = "{}"', "corpauth_key: {}.", "CORPAUTH={}&next=1", "corpauth = '{}', x"]
)
def test_a_token_is_found_by_the_name_beside_it(scanner: Scanner, text: str) -> None:
    assert found(scanner, text.format(VALUE)) == [("corp/corp-token", VALUE)]


def test_exceptions_may_look_at_the_match_with_the_name_before_it(scanner: Scanner) -> None:
    assert not found(scanner, f"public_corpauth={VALUE}")
    assert found(scanner, f"public corpauth={VALUE}")


def test_exceptions_may_look_at_the_line_before_a_match(scanner: Scanner) -> None:
    assert not found(scanner, f"x\n  # corpauth={VALUE}\n")
    assert found(scanner, f"# x\ncorpauth={VALUE}\n")


def test_exceptions_may_ask_for_two_things(scanner: Scanner) -> None:
    assert not found(scanner, "corpauth=0x2m9qbeef8z3v6b")
    assert found(scanner, "corpauth=0x2m9qbaaf8z3v6b")
    assert found(scanner, "corpauth=9x2m9qbeef8z3v6b")


def test_an_alternation_that_is_not_grouped_means_what_it_means_to_gitleaks(scanner: Scanner) -> None:
    assert not found(scanner, "corpauth=truem9q4w8z3v6b1")
    assert not found(scanner, "corpauth=k7x2falsew8z3v6b")
    assert found(scanner, "corpauth=nullm9q4w8z3v6b1")


def test_global_exceptions_hold_for_all_rules_or_for_those_they_name(scanner: Scanner) -> None:
    assert not found(scanner, "corpauth=samplem9q4w8z3v6")
    assert not found(scanner, "CORP-000000")
    assert found(scanner, "CORP-123456") == [("corp/corp-ticket", "CORP-123456")]


def test_the_group_that_is_named_is_the_finding(scanner: Scanner) -> None:
    assert found(scanner, "id-ABCD-123456") == [("corp/corp-pair", "123456")]


def test_without_a_named_group_it_is_the_first_that_is_not_empty() -> None:
    scanner = Scanner(load("[[rules]]\nid='a'\nregex='k=(x*)(y*);'").rules)
    assert found(scanner, "k=yy;") == [("a", "yy")]
    assert found(scanner, "k=;") == [("a", "k=;")]


def test_line_feeds_around_a_match_are_no_part_of_it() -> None:
    scanner = Scanner(load("[[rules]]\nid='a'\nregex='''\\s?token-[0-9]{4}\\s'''").rules)
    assert found(scanner, "a\ntoken-1234\nb") == [("a", "token-1234")]


def test_a_rule_amends_the_one_it_extends_and_disabled_ones_are_gone(
    pack: LoadedPack, scanner: Scanner
) -> None:
    base = next(rule for rule in pack.rules if rule.id == "corp/base-token")
    assert (base.entropy, base.keywords) == (3.5, ("base_",))
    assert found(scanner, "base_abcdefghijkl") == [("corp/base-token", "abcdefghijkl")]
    assert not found(scanner, "base_abababababab retired_abcdefgh")


def test_an_allow_comment_in_the_text_is_not_honoured(scanner: Scanner) -> None:
    assert found(scanner, f"corpauth={VALUE} # gitleaks:allow")


def test_a_keyword_far_away_is_not_seen_and_this_is_said(pack: LoadedPack, scanner: Scanner) -> None:
    digest = Draw(1).hex(40)
    assert found(scanner, f"corphub {digest}") == [("corp/corp-far-keyword", digest)]
    assert not found(scanner, f"corphub {'.' * 80} {digest}")
    assert ("corp-far-keyword", "keywords") in {(note.rule, note.key) for note in pack.notes}
    assert ("corp-token", "keywords") not in {(note.rule, note.key) for note in pack.notes}


def test_all_that_cannot_apply_is_said_with_rule_and_key(pack: LoadedPack) -> None:
    assert {(note.rule, note.key) for note in pack.notes} == {
        ("*", "allowlist paths"),
        ("*", "regex"),
        ("base-token", "severity"),
        ("corp-far-keyword", "keywords"),
        ("corp-login", "required"),
        ("corp-ticket", "allowlist commits"),
        ("corp-ticket", "allowlist paths"),
        ("corp-token", "allowlist regexTarget"),
        ("corp-user", "skipReport"),
        ("env-file", "path"),
        ("keystore", "path"),
    }


def test_an_exception_for_files_and_texts_together_never_applies() -> None:
    text = "[[rules]]\nid='a'\nregex='key[0-9]{4}'\n[[rules.allowlists]]\ncondition='AND'\npaths=['x']\nregexes=['1']"
    pack = load(text)
    assert found(Scanner(pack.rules), "key1234")
    assert "never applies" in pack.notes[0].text


def test_our_rules_stand_in_for_gitleaks_default_ones() -> None:
    pack = load(
        "[extend]\nuseDefault = true\n[[rules]]\nid='generic-api-key'\n[rules.allowlist]\nregexes=['x']"
    )
    assert pack.rules == ()
    assert [note.key for note in pack.notes] == ["extend.useDefault", "regex"]


def test_names_of_rules_that_there_are_not_are_said() -> None:
    text = "[extend]\npath='b'\ndisabledRules=['gone']\n[[allowlists]]\ntargetRules=['lost']\nregexes=['x']"
    pack = load_gitleaks(text, Family.SECRET, name="a", extensions=[("b", "unknown = 1")])
    assert [(note.pack, note.rule, note.key) for note in pack.notes] == [
        ("b", "*", "unknown"),
        ("a", "gone", "extend.disabledRules"),
        ("a", "lost", "allowlist targetRules"),
    ]


def test_more_than_two_files_deep_nothing_is_read() -> None:
    one, two, three = ("[extend]\npath = 'b'", "[extend]\npath = 'c'", "[extend]\npath = 'd'")
    pack = load_gitleaks(one, Family.SECRET, name="a", extensions=[("b", two), ("c", three)])
    assert [note.key for note in pack.notes] == ["extend.path"]
    assert extended_path(one, name="a") == "b"
    with pytest.raises(PolicyError, match="b, was not given"):
        load_gitleaks(one, Family.SECRET, name="a")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[rules]]\nid='a'\nregex='(?<=x)y'", "rule a: RE2 refuses the pattern"),
        ("[[rules]]\nid='a'\nregex='x*'", "rule a: the pattern can match the empty text"),
        ("[[rules]]\nid='a'\nregex='x'\nsecretGroup=1", "rule a: the pattern has 0 groups"),
        ("[[rules]]\nid='a'\nregex='x'\n[rules.allowlist]\nregexes=['(']", "rule a: RE2 refuses the pattern"),
        ("[[rules]]\nid='a'\nregex='(?:(?:a{1,90}){1,90}){1,90}'", "rule a: RE2 refuses the pattern"),
        ("[[rules]]\nid='a'\nregex='\\pL{200}'", "too costly"),
        ("[[rules]]\nid='a'", "rule a: a regex or a path is needed"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_by_file_and_name(text: str, reason: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load(text)
    assert str(caught.value).startswith("x.toml: ")
    assert reason in str(caught.value)


def test_keywords_in_other_scripts_are_not_asked_for() -> None:
    pack = load("[[rules]]\nid='a'\nregex='[0-9]{6}'\nkeywords=['ключ']")
    assert pack.rules[0].keywords == ()
    assert pack.notes[0].key == "keywords"


def test_too_many_rules_are_refused() -> None:
    with pytest.raises(PolicyError, match="5001 rules are too many"):
        load("".join(f"[[rules]]\nid='r{n}'\nregex='x'\n" for n in range(5_001)))
