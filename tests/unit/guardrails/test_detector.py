"""One rule: what it accepts, what it refuses, and which rules are refused."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.guardrails.detector import Cursor, Detector
from agent.guardrails.rule import FIRST_GROUP, Rule
from agent.model.findings import Family


def detector(pattern: str, **settings: object) -> Detector:
    rule = Rule(id="r", family=Family.CUSTOM, type="r", pattern=pattern, **settings)  # type: ignore[arg-type]
    return Detector(rule, 0, memory=8 << 20, max_cost=20_000)


def spans(each: Detector, text: str) -> list[str]:
    data = text.encode()
    found, _ = each.spans(data, Cursor(0, 0), len(data) + 1, 1_000)
    return [data[span.start : span.end].decode() for span in found]


def test_the_span_is_the_group_that_is_asked_for() -> None:
    assert spans(detector(r"(a+)(b+)"), "aabb") == ["aabb"]
    assert spans(detector(r"(a+)(b+)", group=2), "aabb") == ["bb"]
    assert spans(detector(r"(?:(x+)|(b+))!", group=FIRST_GROUP), "bb!") == ["bb"]
    assert spans(detector(r"b+!", group=FIRST_GROUP), "bb!") == ["bb!"]


def test_a_match_without_the_group_is_no_finding() -> None:
    assert spans(detector(r"\d+x|(\d+)", group=1), "12x 34") == ["34"]


def test_a_keyword_must_stand_inside_or_shortly_before() -> None:
    each = detector(r"\d{4}", keywords=("pin",))
    assert spans(each, "1234") == []
    assert spans(each, "the PIN 1234") == ["1234"]
    assert spans(each, "pin" + " " * 61 + "1234") == ["1234"]
    assert spans(each, "pin" + " " * 62 + "1234") == []
    assert spans(each, "1234 pin") == []


def test_entropy_allowlist_and_stopwords() -> None:
    assert spans(detector("[a-z]{8}", entropy=2.0), "abababab abcdefgh") == ["abcdefgh"]
    assert spans(detector("[a-z]{8}", allow=("^abc",)), "abcdefgh hgfedcba") == ["hgfedcba"]
    assert spans(detector("[a-zA-Z]{8}", stopwords=("demo",)), "myDEMOxx hgfedcba") == ["hgfedcba"]


def test_a_match_that_is_no_finding_may_hide_one() -> None:
    each = detector(r"key=(\S+)", group=1, allow=("^key=|^no",))
    assert spans(each, "key=key=abc") == ["abc"]
    assert spans(each, "key=no key=yes") == ["yes"]


def test_what_ends_one_match_may_begin_the_next() -> None:
    assert spans(detector(r"(?:^|,)(\d+)(?:,|$)", group=1), "1,2,3") == ["1", "2", "3"]


def test_it_looks_into_a_refused_match_only_once() -> None:
    each = detector(r"key=(\S+)", group=1, allow=("x$",))
    calls = 0

    class Counting:
        def search(self, data: bytes, at: int, horizon: int | None = None) -> object:
            nonlocal calls
            calls += 1
            return original.search(data, at)

        def __getattr__(self, name: str) -> object:
            return getattr(original, name)

    original = each._regexp
    each._regexp = Counting()  # type: ignore[assignment]
    assert spans(each, "key=" * 5_000 + "x") == []
    assert calls <= 4


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?=a)b", "invalid perl operator: (?="),
        ("(?<!a)b", "invalid perl operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("a{1001}", "invalid repetition size"),
        ("(", "missing )"),
        ("a*", "can match the empty text"),
        (r"\b", "can match the empty text"),
        ("a|", "can match the empty text"),
        ("(?:[a-z]{1,100}[0-9]{1,100}-){1,10}" * 8, "too costly"),
    ],
)
def test_patterns_that_cannot_work_are_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(PolicyError) as caught:
        detector(pattern)
    assert str(caught.value).startswith("rule r: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [{"validator": "nope"}, {"group": 2}, {"keywords": ("Upper",)}, {"keywords": ("ü",)}, {"allow": ("(",)}],
)
def test_rules_that_name_what_does_not_exist_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(PolicyError, match="rule r"):
        detector("(a)", **settings)


def test_without_a_closure_a_window_must_do() -> None:
    odd = detector(r"\Cab")
    assert odd.loose is None
    assert odd.exact is None
    assert odd.window(100) == 100
