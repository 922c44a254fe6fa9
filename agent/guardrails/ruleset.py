"""A rule set, compiled: which rules can match a text, what they find, and where a match may be under way.

One pass over the text decides which rules can match at all: by their literals, and for those without literals by one
automaton of them all. Streams ask a second question, answered by one automaton of the loose closures of all rules,
run backwards from the end of the text: it dies after a few bytes. Immutable; knows neither texts nor streams.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from agent.errors import PolicyError
from agent.guardrails.closure import WORD_TAIL
from agent.guardrails.detector import Detector
from agent.guardrails.offsets import boundary
from agent.guardrails.overlap import FAMILY_ORDER, tiers
from agent.guardrails.regex import Census, Regexp, RegexpError, Sieve, compiled, escaped
from agent.guardrails.rule import Rule
from agent.model.findings import Family, Finding

LIMIT_RULE = "finding-limit"
"""The rule of the finding that covers the rest of a text with too many findings."""
LIMIT_TYPE = "too_many_findings"

_MEBIBYTE = 1024 * 1024
_BANK = 50_000  # characters of closures in one automaton; at twice as many RE2 gives up its fast way
_COMMON = ("key", "pass")  # words that stand in most of what developers write
_FREQUENT = frozenset(
    {"pat", "re_", "sk_", "you", "tel", "ignore", "user", "cio", "://"}
)  # and others that often do


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one scanner.

    From the `max_findings + 1`-th span on, a text is one finding to its end, of rule `LIMIT_RULE`, type `LIMIT_TYPE`
    and the gravest family that the rules have: what stands there is not told apart, and none of it gets out.
    """

    max_findings: int = 1_000  # spans per text, before overlaps are resolved
    max_hold: int = 4_096  # bytes of UTF-8 that a stream holds back; longer matches become open-ended
    rule_memory: int = 8 * _MEBIBYTE  # bytes, for the automata of one rule
    rule_cost: int = 20_000  # RE2 instructions of one rule
    shared_memory: int = 64 * _MEBIBYTE  # bytes, for each automaton that rules share; RE2 fills a part of it


class RuleSet:
    """The compiled rules of one scanner. `detectors` stand in the order of the rules."""

    def __init__(self, rules: tuple[Rule, ...], limits: Limits) -> None:
        """Raises PolicyError naming the rule that RE2 refuses, that is too costly, or whose id is taken."""
        _refuse_twins(rules)
        self.limits = limits
        self.detectors = tuple(
            Detector(rule, index, memory=limits.rule_memory, max_cost=limits.rule_cost)
            for index, rule in enumerate(rules)
        )
        self.tiers = tiers(rules)
        families = {rule.family for rule in rules}
        self._limit_family = next((family for family in FAMILY_ORDER if family in families), Family.SECRET)
        self._closed = [detector for detector in self.detectors if detector.closed]
        self._windowed = [detector for detector in self.detectors if not detector.closed]
        try:
            self._compile(rules)
        except RegexpError as error:
            raise PolicyError(
                f"the rules are too large together: {error}", hint="Use fewer or shorter word lists."
            ) from error

    def candidates(self, data: bytes) -> list[Detector]:
        """The detectors that may find something in `data`, in order."""
        indices = [self._marked[place] for place in self._sieve.candidates(data)]
        for group, census in self._censuses:
            indices.extend(group[place] for place in census.matching(data))
        return [self.detectors[index] for index in sorted(indices)]

    def hold(self, data: bytes, start: int) -> int:
        """The first place in `data[start:]` from which a match may be under way, or the end of `data`.

        Never too late a place; often too early a one, since the closures asked do not count.
        """
        place = len(data)
        for bank in self._banks:
            match = bank.union.search(data, start)
            if match is not None and match.start() < place:
                place = match.start()
        return min(place, self.window(data, start)) if self._windowed else place

    def under_way(self, data: bytes) -> list[Detector]:
        """The detectors of which, by their loose closures, a match may be under way at the end of `data`."""
        found: list[Detector] = []
        for bank in self._banks:
            found.extend(bank.under_way(data))
        return found

    def window(self, data: bytes, start: int) -> int:
        """`hold` for the rules of which no closure can be derived: the widest of them, counted from the end."""
        widest = max((detector.window(self.limits.max_hold) for detector in self._windowed), default=0)
        return max(start, boundary(data, len(data) - widest))

    def finding(self, start: int, end: int, detector: int) -> Finding:
        """A finding of the rule at that index; behind the last rule stands the one that says: too many."""
        if detector < len(self.detectors):
            rule = self.detectors[detector].rule
            return Finding(start=start, end=end, family=rule.family, type=rule.type, rule=rule.id)
        return Finding(start=start, end=end, family=self._limit_family, type=LIMIT_TYPE, rule=LIMIT_RULE)

    def _compile(self, rules: Sequence[Rule]) -> None:
        shared = self.limits.shared_memory
        gates = [_gate(rule) for rule in rules]
        unmarked = set(Sieve(gates, memory=self.limits.rule_memory).candidates(b""))
        unmarked.update(index for index, rule in enumerate(rules) if _weakly_marked(rule))
        self._marked = [index for index in range(len(rules)) if index not in unmarked]
        # Rules that are looked for in the same places share an automaton. The states of one for all would be the
        # product of what is under way in each rule.
        groups: dict[str, list[int]] = {}
        for index in sorted(unmarked):
            groups.setdefault(_common_word(rules[index]), []).append(index)
        self._censuses = tuple(
            (group, Census([self.detectors[index].outline for index in group], memory=shared))
            for group in groups.values()
        )
        self._sieve = Sieve([gates[index] for index in self._marked], memory=self.limits.rule_memory)
        self._banks = tuple(_Bank(some, shared) for some in _shares(self._closed))


class _Bank:
    """For some rules: what finds the first place where a match may be under way, and what tells of which rules."""

    def __init__(self, detectors: Sequence[Detector], memory: int) -> None:
        self.detectors = detectors
        self._memory = memory
        tails = [WORD_TAIL, *dict.fromkeys(detector.tail for detector in detectors if detector.tail)]
        self.union: Regexp = compiled(rf"(?:{'|'.join(tails)})\z", memory=memory, captures=False)

    def under_way(self, data: bytes) -> Sequence[Detector]:
        """The rules of which a match may be under way at the end of `data`."""
        if self._census is None:
            return self.detectors
        return [self.detectors[place] for place in self._census.matching(data)]

    @cached_property
    def _census(self) -> Census | None:
        """Compiled when first asked for: only texts that hold back much need it. None where RE2 finds it too large:
        then each rule is asked."""
        try:
            return Census([rf"(?:{detector.loose})\z" for detector in self.detectors], memory=self._memory)
        except RegexpError:
            return None


def _shares(detectors: Sequence[Detector]) -> Iterable[Sequence[Detector]]:
    """The rules, in groups whose closures together are about as large as one automaton may be."""
    share: list[Detector] = []
    size = 0
    for detector in detectors:
        size += len(detector.tail)
        if share and size > _BANK:
            yield share
            share, size = [], len(detector.tail)
        share.append(detector)
    if share:
        yield share


def _gate(rule: Rule) -> str:
    """A pattern by whose literals the sieve tells whether the rule can match."""
    return rf"(?i)(?:{'|'.join(escaped(word) for word in rule.keywords)})" if rule.keywords else rule.pattern


def _weakly_marked(rule: Rule) -> bool:
    """Whether a keyword stands in nearly every text, so that the sieve would spare little."""
    return bool(_common_word(rule)) or any(len(word) < 2 or word in _FREQUENT for word in rule.keywords)


def _common_word(rule: Rule) -> str:
    """The common word that is one of the rule's keywords, or nothing."""
    return next((word for word in _COMMON if word in rule.keywords), "")


def _refuse_twins(rules: tuple[Rule, ...]) -> None:
    seen = {LIMIT_RULE}
    for rule in rules:
        if rule.id in seen:
            raise PolicyError(f"rule {rule.id}: the id is taken")
        seen.add(rule.id)
