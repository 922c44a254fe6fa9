"""Gates: groups of rules are asked only about texts that hold what their matches must."""

from __future__ import annotations

from agent.guardrails import Rule
from agent.guardrails.detector import Detector
from agent.guardrails.gates import Gates
from agent.model.findings import Family

MEMORY = 1 << 22


def gates(*rules: tuple[str, tuple[str, ...]]) -> Gates:
    detectors = [
        Detector(
            Rule(id=pattern, family=Family.CUSTOM, type="t", pattern=pattern, keywords=keywords),
            place,
            memory=MEMORY,
            max_cost=50_000,
        )
        for place, (pattern, keywords) in enumerate(rules)
    ]
    return Gates(detectors, (), memory=MEMORY)


RULES = gates(
    (r"\d{4}-\d{4}", ()),
    (r"[a-z]+@[a-z]+", ()),
    (r"\w+://\w+", ("://",)),
    (r"tok[a-z0-9]{30}", ()),
    (r"[\x{200B}]{3}", ()),
    (r"pass[=:]\w{4}", ("pass",)),
    (r"ab?c", ()),
)
TEXTS = {
    "nothing here": [],
    "1234-5678": [0],
    "1234 and 5678": [],
    "me@home and ftp://there": [1, 2],
    "tok" + "a1" * 15: [3],
    "\u200b\u200b\u200b": [4],
    "pass:word": [5],
    "the abc": [6],
}


def test_rules_are_told_by_what_a_text_holds() -> None:
    for text, rules in TEXTS.items():
        data = text.encode()
        assert sorted(RULES.matching(data, RULES.held(data)[0])) == rules


def test_a_glance_tells_the_same_of_texts_without_words() -> None:
    assert RULES.words == {"pass"}
    for text, rules in TEXTS.items():
        if "pass" not in text:
            assert sorted(RULES.glanced(text.encode()) or []) == rules


def test_blocks_tell_where_matches_may_begin() -> None:
    filler = b"nothing at all\n" * 1_000
    data = filler + b"1234-5678 me@home\n" + filler
    blocks = [(start, min(start + 8_192, len(data) + 1)) for start in range(0, len(data), 8_192)]
    held = [RULES.held(data[start : stop + 1_024])[0] for start, stop in blocks]
    parts = RULES.spread(data, blocks, held)
    assert set(parts) == {0, 1}
    assert all(start <= len(filler) < stop for start, stop in parts[0])


def test_a_match_that_may_go_on_forever_is_sought_in_all_of_a_text() -> None:
    rules = gates((r"<x[^>]*\d>", ()))
    data = b"<x" + b"y\n" * 20_000 + b"7>"
    blocks = [(start, min(start + 8_192, len(data) + 1)) for start in range(0, len(data), 8_192)]
    held = [rules.held(data[start : stop + 1_024])[0] for start, stop in blocks]
    assert rules.spread(data, blocks, held) == {0: [(0, len(data) + 1)]}
