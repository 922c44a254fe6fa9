"""The packs that ship with the agent find what they name and stay silent on the rest; packs are read strictly."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest

from agent.errors import PolicyError
from agent.guardrails import Rule, Scanner, load_pack
from agent.guardrails.detector import Detector
from agent.guardrails.pack import MAX_COST
from agent.model.findings import Family
from tests.unit.guardrails.harmless import HARMLESS, NEUTRAL, PROMPTS, blobs
from tests.unit.guardrails.markings import MARKED, UNMARKED
from tests.unit.guardrails.samples import INJECTIONS, MAKERS, PERSONAL, SECRETS, Draw, samples

CONTEXTS = {
    "alone": "{}",
    "end of a sentence": "Use the value {}.",
    "within a sentence": "first {}, then the rest",
    "in parentheses": "as before (see {})",
    "double quotes": 'x = "{}"',
    "single quotes": "x = '{}'",
    "code span": "run `{}` now",
    "JSON": '{{"value": "{}", "n": 1}}',
    "JSON in a string": '{{\\"value\\": \\"{}\\", \\"n\\": 1}}',
    "escaped line breaks": "line one\\n{}\\nline two",
    "URL query": "https://docs.corp.net/p?value={}&next=1",
    "shell": "tool -x {} && echo done",
    "YAML": "value: {}\nother: 1",
    "XML": "<v>{}</v>",
    "statement": "A={};",
    "tabs": "a\t{}\tb",
}


def found(scanner: Scanner, text: str) -> list[tuple[str, str]]:
    return [(finding.rule, text[finding.start : finding.end]) for finding in scanner.scan(text)]


def test_every_rule_has_samples_and_every_sample_a_rule(rules: tuple[Rule, ...]) -> None:
    assert {rule.id for rule in rules} == set(MAKERS) | set(MARKED)
    assert {rule.id for rule in rules if rule.family is Family.SECRET} == set(SECRETS)
    assert {rule.id for rule in rules if rule.family is Family.PII} == set(PERSONAL)
    assert {rule.id for rule in rules if rule.family is Family.INJECTION} == set(INJECTIONS)
    assert {rule.id for rule in rules if rule.family is Family.LABEL} == set(MARKED)


def test_a_rule_finds_its_sample_and_nothing_else(scanner: Scanner) -> None:
    wrong = [each for each in samples(1) if found(scanner, each.text) != [(each.rule, each.secret)]]
    assert not wrong


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_secret_is_covered_wherever_it_stands(scanner: Scanner, context: str) -> None:
    uncovered = []
    for each in {sample.rule: sample for sample in samples(3)}.values():
        text = CONTEXTS[context].format(each.text)
        start = text.find(each.secret)
        end = start + len(each.secret)
        if not any(finding.start <= start and end <= finding.end for finding in scanner.scan(text)):
            uncovered.append((each.rule, text))
    assert not uncovered


def test_a_token_that_is_too_short_is_none(scanner: Scanner) -> None:
    single = [each for each in samples(4) if each.rule in SECRETS and each.text == each.secret]
    wrong = [(each.rule, hits) for each in single if (hits := found(scanner, f"see {each.text[:11]} here"))]
    assert len(single) > 100
    assert not wrong


def test_a_token_inside_a_word_is_none(scanner: Scanner) -> None:
    whole = [
        each
        for each in samples(5)
        if each.rule in SECRETS and each.text == each.secret and len(each.text) < 60
    ]
    wrong = [
        (each.rule, word)
        for each in whole
        for word in ("task", "x", "my")
        if each.text[0].isalnum() and each.rule in [rule for rule, _ in found(scanner, word + each.text)]
    ]
    assert len(whole) > 50
    assert not wrong


@pytest.mark.parametrize("prefix", ["gh" + "p_", "gh" + "s_", "np" + "m_"])
def test_a_wrong_checksum_clears_only_what_is_no_random_text(scanner: Scanner, prefix: str) -> None:
    token = Draw(6).checksummed(prefix)
    broken = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert found(scanner, f"see {token} here")
    assert found(scanner, f"see {broken} here")
    for placeholder in ("x" * 36, "abcdefghijklmnopqrstuvwxyz0123456789", "Your" * 9):
        assert not found(scanner, f"see {prefix}{placeholder} here")


def test_the_packs_know_the_forms_of_at_least_three_hundred_vendors_tokens(rules: tuple[Rule, ...]) -> None:
    generic = {rule.type for rule in bundled_pack("secrets_generic.toml")}
    assert len({rule.type for rule in rules if rule.family is Family.SECRET} - generic) >= 300


@pytest.mark.parametrize(
    "ending", ["&x=1", ",", ")", '\\"', ".", "\\n", "<", "'", "`", ";", "]", "|", "\\r\\n"]
)
def test_whatever_stands_behind_a_token_does_not_hide_it(scanner: Scanner, ending: str) -> None:
    tokens = [each for each in samples(12) if each.rule in SECRETS and each.text == each.secret]
    hidden = [each.rule for each in tokens if not found(scanner, f"see {each.secret}{ending}")]
    assert hidden == []


@pytest.mark.parametrize("before", ["\\n", "\\t", "\\r\\n", "\\u003d", "%3D", "%0A", "=", ":", '"', "("])
def test_whatever_stands_before_a_token_does_not_hide_it(scanner: Scanner, before: str) -> None:
    tokens = [each for each in samples(13) if each.rule in SECRETS and each.text == each.secret]
    hidden = [each.rule for each in tokens if not found(scanner, f"see{before}{each.secret} here")]
    assert hidden == []


def test_wrong_check_digits_are_no_personal_data(scanner: Scanner) -> None:
    card = Draw(7).luhn("4539", 16)
    iban = Draw(7).iban("DE", "370400440532013000")
    assert found(scanner, f"{card} {iban}")
    assert not found(scanner, f"{card[:-1]}{(int(card[-1]) + 1) % 10} {iban[:-1]}{(int(iban[-1]) + 1) % 10}")


def test_harmless_texts_pass(scanner: Scanner) -> None:
    assert {text: hits for text in HARMLESS + NEUTRAL if (hits := found(scanner, text))} == {}


def test_what_developers_ask_agents_passes(scanner: Scanner) -> None:
    assert {text: hits for text in PROMPTS if (hits := found(scanner, text))} == {}


@pytest.mark.parametrize("seed", range(3))
def test_random_blobs_pass(scanner: Scanner, seed: int) -> None:
    assert [found(scanner, blob) for blob in blobs(Draw(seed))] == [[], [], []]


def test_a_vendors_rule_names_what_a_generic_rule_finds_too(scanner: Scanner) -> None:
    key = "sk-" + "proj-" + Draw(8).url64(60)
    assert found(scanner, f'OPENAI_API_KEY="{key}"') == [("openai-api-key", key)]


def test_the_password_of_an_address_is_a_secret_and_its_host_no_mailbox(scanner: Scanner) -> None:
    password = Draw(9).password().replace("#", "x")
    text = f"postgres://app:{password}@db.corp-data.com/x"
    assert found(scanner, text) == [("connection-string-password", password)]


def test_an_unfinished_private_key_is_one(scanner: Scanner) -> None:
    key = Draw(10).pem("RSA PRIVATE" + " KEY", lines=8)
    cut = key[: key.rindex("\n")]
    assert found(scanner, cut) == [("private-key", cut)]


@pytest.mark.parametrize("rule", MARKED)
def test_a_marking_is_found_where_a_marking_stands(scanner: Scanner, rule: str) -> None:
    for text, marking in MARKED[rule]:
        assert found(scanner, text) == [(rule, marking)]


@pytest.mark.parametrize("text", UNMARKED)
def test_a_word_in_a_sentence_or_in_code_is_no_marking(scanner: Scanner, text: str) -> None:
    assert not found(scanner, text)


@pytest.mark.parametrize("size", [1, 5])
def test_a_marking_is_found_in_pieces(scanner: Scanner, size: int) -> None:
    for text in (text for texts in MARKED.values() for text, _ in texts):
        whole = f"{text}\n\nSome words follow it, and some more.\n"
        stream = scanner.stream()
        for at in range(0, len(whole), size):
            stream.feed(whole[at : at + size])
        stream.finish()
        assert tuple(stream.findings) == scanner.scan(whole)


def test_our_own_rules_stand_up_to_what_rules_of_a_policy_are_held_to(rules: tuple[Rule, ...]) -> None:
    assert all(rule.tested for rule in rules)
    for index, rule in enumerate(rules):
        made = Detector(replace(rule, tested=False), index, memory=8 << 20, max_cost=MAX_COST)
        assert made.closed


def bundled_pack(name: str) -> tuple[Rule, ...]:
    text = resources.files("agent.guardrails").joinpath("rules", name).read_text(encoding="utf-8")
    return load_pack(text, Family.SECRET, name=name)


PACK = """
[[rules]]
id = "acme-token"
description = "Acme"
regex = '''\\b(acme_[a-z]{8})\\b'''
keywords = ["acme_"]
entropy = 1.5
tags = ["x"]
[[rules.allowlists]]
regexes = ['''test''']
stopwords = ["demo"]
"""


def test_a_rule_is_read_as_gitleaks_writes_it() -> None:
    (rule,) = load_pack(PACK, Family.SECRET)
    assert rule == Rule(
        id="acme-token",
        family=Family.SECRET,
        type="acme_token",
        pattern=r"\b(acme_[a-z]{8})\b",
        keywords=("acme_",),
        group=-1,
        entropy=1.5,
        allow=("test",),
        stopwords=("demo",),
    )


def test_a_fragment_stands_for_a_part_of_patterns_and_may_use_those_before_it() -> None:
    pack = """
[fragments]
digit = '[0-9]'
number = '{{digit}}{3}'
[[rules]]
id = "a"
regex = 'n{{number}}'
"""
    assert load_pack(pack, Family.SECRET)[0].pattern == "n[0-9]{3}"


@pytest.mark.parametrize(
    ("pack", "reason"),
    [
        ("rules = 1", "rules must be a list"),
        ("[[rules]\n", "not valid TOML"),
        ("other = 1", "unknown key other"),
        ("[[rules]]\nregex = 'x'", "an id is needed"),
        ("[[rules]]\nid = 'a'", "rule 1 (a): a regex is needed"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\npath = 'y'", "rule 1 (a): unknown key path"),
        ("[fragments]\na = 1", "fragments: a must be a string"),
        ("[fragments]\na = '{{b}}'\nb = 'x'\n[[rules]]\nid='r'\nregex='{{a}}'", "does not define"),
        ("[fragments]\na = 'x'\n[[rules]]\nid='r'\nregex='{{c}}'", "rule 1 (r): the pattern uses a fragment"),
        ("[[rules]]\nid = 'a'\nregex = 1", "regex must be a string"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nkeywords = 'x'", "keywords must be a list"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nkeywords = ['']", "none of them empty"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nentropy = '3'", "entropy must be a number"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nentropy = 9", "between 0 and 8"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nsecretGroup = true", "secretGroup must be the number"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nconfidence = 0", "confidence must be a number"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nconfidence = true", "confidence must be a number"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nallowlists = 1", "allowlists must be a list"),
        (
            "[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.allowlists]]\npaths = ['x']",
            "allowlist: unknown key paths",
        ),
        (
            "[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.allowlists]]\nregexTarget = 'line'",
            "only look at the secret",
        ),
        ("[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.allowlists]]\ncondition = 'AND'", "joined by OR"),
    ],
)
def test_a_malformed_pack_is_refused_by_name(pack: str, reason: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_pack(pack, Family.SECRET, name="acme.toml")
    assert "acme.toml" in str(caught.value)
    assert reason in str(caught.value)


def test_the_confidence_of_a_rule_is_the_score_of_its_findings() -> None:
    pack = "[[rules]]\nid = 'a'\nregex = 'falcon'\nconfidence = 0.4\n[[rules]]\nid = 'b'\nregex = 'hawk'"
    found = Scanner(load_pack(pack, Family.INJECTION)).scan("a falcon and a hawk")
    assert [(each.rule, each.score) for each in found] == [("a", 0.4), ("b", 1.0)]


@pytest.mark.parametrize(
    "text", ["account with driver's license D0618191", "my phone and driver's license D0618191"]
)
def test_a_label_before_another_does_not_hide_it(scanner: Scanner, text: str) -> None:
    assert found(scanner, text) == [("driver-license", "D0618191")]
