"""Which rules hit a window: what the model is told of them. No offsets, no overlaps, and nothing that streams need, so
that it is ready in a fraction of a scanner's time."""

from __future__ import annotations

from collections.abc import Sequence

from agent.guardrails.detector import Cursor, Detector
from agent.guardrails.offsets import encoded
from agent.guardrails.regex import Sieve, escaped
from agent.guardrails.rule import Rule
from agent.guardrails.ruleset import Limits


class Signs:
    """Rules that tell whether they hit. Immutable."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Raises PolicyError naming the rule that RE2 refuses or that is too costly."""
        limits = Limits()
        self._detectors = [
            Detector(rule, index, memory=limits.rule_memory, max_cost=limits.rule_cost)
            for index, rule in enumerate(rules)
        ]
        self._sieve = Sieve([_gate(rule) for rule in rules], memory=limits.rule_memory)

    def hits(self, text: str) -> set[str]:
        """The ids of the rules that hit, and `type:…` for their types."""
        data = encoded(text)
        found: set[str] = set()
        for place in self._sieve.candidates(data):
            spans, _ = self._detectors[place].spans(data, Cursor(0, 0), len(data) + 1, 1)
            if spans:
                rule = self._detectors[place].rule
                found.update((rule.id, "type:" + rule.type))
        return found


def _gate(rule: Rule) -> str:
    return rf"(?i)(?:{'|'.join(escaped(word) for word in rule.keywords)})" if rule.keywords else rule.pattern
