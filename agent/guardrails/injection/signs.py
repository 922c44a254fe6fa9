"""Which rules hit a window: what the model is told of them, and what those of `signs.toml` find by themselves.

Knows nothing of streams, so that it is ready in a fraction of a scanner's time: a window is a whole text.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

from agent.guardrails.detector import Cursor, Detector, Span
from agent.guardrails.offsets import encoded, in_characters
from agent.guardrails.pack import bundled_rules, load_pack
from agent.guardrails.regex import Sieve, escaped
from agent.guardrails.rule import Rule
from agent.guardrails.ruleset import Limits
from agent.model.findings import Family

SURE = 0.5
"""The confidence from which a rule needs no support by the model."""
_MOST = 20  # findings of one rule in one window
_FEW = 3  # of one rule that must all be quoted to count as that
_OPENING = 4  # bytes between an opening quote and what is quoted
_CLOSING = 40  # and between that and the closing one
_QUOTES = (b'"', b"`", b"'", "\u201c".encode(), "\u2018".encode(), "\u201e".encode(), "\u00ab".encode())
_ENDS = (b'"', b"`", b"'", "\u201d".encode(), "\u2019".encode(), "\u201c".encode(), "\u00bb".encode())


class Signs:
    """Rules that tell whether they hit. Immutable."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Raises PolicyError naming the rule that RE2 refuses or that is too costly."""
        self.rules = tuple(rules)
        limits = Limits()
        self._detectors = [
            Detector(rule, index, memory=limits.rule_memory, max_cost=limits.rule_cost)
            for index, rule in enumerate(rules)
        ]
        self._sieve = Sieve([_gate(rule) for rule in rules], memory=limits.rule_memory)

    def hits(self, text: str) -> set[str]:
        """The ids of the rules that hit, and `type:…` for their types; only `quoted:…` for what stands in quotes: who
        quotes an attack speaks of it."""
        data = encoded(text)
        found: set[str] = set()
        for place in self._sieve.candidates(data):
            spans, _ = self._detectors[place].spans(data, Cursor(0, 0), len(data) + 1, _FEW)
            if not spans:
                continue
            rule = self._detectors[place].rule
            if all(_quoted(data, span) for span in spans):
                found.add("quoted:" + rule.type)
            else:
                found.update((rule.id, "type:" + rule.type))
        return found

    def spans(self, text: str) -> list[tuple[int, int, Rule]]:
        """What the rules find, in characters of `text`, by position, disjoint: of two the one that begins first."""
        data = encoded(text)
        found: list[Span] = []
        for place in self._sieve.candidates(data):
            found += self._detectors[place].spans(data, Cursor(0, 0), len(data) + 1, _MOST)[0]
        apart: list[Span] = []
        for span in sorted(found):
            if not apart or span.start >= apart[-1].end:
                apart.append(span)
        return [(start, end, self.rules[place]) for start, end, place in in_characters(apart, data)]


@cache
def window_rules() -> tuple[Rule, ...]:
    """The rules that are sought in windows only. Read once in a process."""
    place = resources.files("agent.guardrails.injection").joinpath("signs.toml")
    return load_pack(place.read_text(encoding="utf-8"), Family.INJECTION, name="signs.toml")


def sought_in_windows() -> tuple[Rule, ...]:
    """All rules that are sought in windows: those, and the scanner's that say too little by themselves (`SURE`)."""
    weak = (rule for rule in bundled_rules() if rule.family is Family.INJECTION and rule.confidence < SURE)
    return (*window_rules(), *weak)


def known_rules() -> tuple[Rule, ...]:
    """All rules of prompt injection that ship with the program: the scanner's and those for windows."""
    return (*(rule for rule in bundled_rules() if rule.family is Family.INJECTION), *window_rules())


def _quoted(data: bytes, span: Span) -> bool:
    before = data[max(0, span.start - _OPENING) : span.start]
    after = data[span.end : span.end + _CLOSING].partition(b"\n")[0]
    return any(
        opening in before and closing in after for opening, closing in zip(_QUOTES, _ENDS, strict=True)
    )


def _gate(rule: Rule) -> str:
    return rf"(?i)(?:{'|'.join(escaped(word) for word in rule.keywords)})" if rule.keywords else rule.pattern
