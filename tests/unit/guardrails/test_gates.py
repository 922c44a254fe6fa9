"""Gates: groups of rules are asked only about texts that hold what their matches must."""

from __future__ import annotations

from agent.guardrails import Rule
from agent.guardrails.detector import Detector
from agent.guardrails.gates import Gates, Mark
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


def words_in(text: str) -> list[int]:
    return [place for place, words in RULES.words.items() if any(word in text for word in words)]


def test_rules_are_told_by_what_a_text_holds() -> None:
    assert list(RULES.words.values()) == [{"pass"}]
    for text, rules in TEXTS.items():
        data = text.encode()
        assert sorted(RULES.matching(data, [*RULES.held(data)[0], *words_in(text)])) == rules


def test_a_glance_and_the_words_tell_the_same() -> None:
    for text, rules in TEXTS.items():
        glanced = RULES.glanced(text.encode())
        assert glanced is not None
        assert sorted([*glanced[0], *RULES.worded(text.encode(), words_in(text))]) == rules


def test_what_else_is_looked_for_is_told() -> None:
    also = Gates((), (), memory=MEMORY, also="tel[.]")
    assert also.also_held(also.held(b"my tel. is")[0])
    assert not also.also_held(also.held(b"tell me")[0])
    glanced = also.glanced(b"my tel. is 12-34-56")
    assert glanced is not None
    assert {*glanced[1]} == {Mark.DIGITS, *also.held(b"my tel. is")[0]}


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
