"""A rule set, compiled: which rules can match a text, what they find, and where a match may be under way.

One pass over the text decides which rules can match at all: by their literals, and for those without literals by one
automaton of them all. Rules with labels (`context`) differ in their labels and values, and share the words that may
stand between: one cover, any label before any value, answers for all of them before one of them is asked.
Streams ask a second question, answered by one automaton of the loose closures of many rules, run backwards from the
end of the text: it dies after a few bytes. Immutable; knows neither texts nor streams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from agent.errors import PolicyError
from agent.guardrails.carriers import LEVELS, Carrier, carriers
from agent.guardrails.closure import WORD_TAIL, loose_closure, loosened, tail_closure
from agent.guardrails.context import label_pattern, labelled
from agent.guardrails.detector import LONG_LIST, Compiled, Cursor, Detector, Span, outlined
from agent.guardrails.offsets import boundary
from agent.guardrails.overlap import FAMILY_ORDER, tiers
from agent.guardrails.regex import Census, Regexp, RegexpError, Sieve, compiled, escaped
from agent.guardrails.rule import Rule
from agent.guardrails.syntax import Node, parse
from agent.model.findings import Family, Finding

LIMIT_RULE = "finding-limit"
"""The rule of the finding that covers the rest of a text with too many findings."""
LIMIT_TYPE = "too_many_findings"

_MEBIBYTE = 1024 * 1024
_BANK = 120
_WEAK = 3
_SIEVED = 150_000  # RE2 instructions: what the sieve has room for, with some to spare


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one scanner.

    From the `max_findings + 1`-th span on, a text is one finding to its end, of rule `LIMIT_RULE`, type `LIMIT_TYPE`
    and the gravest family that the rules have: what stands there is not told apart, and none of it gets out.
    """

    max_findings: int = 1_000  # spans per text, before overlaps are resolved
    max_hold: int = 4_096  # bytes of UTF-8 that a stream holds back; longer matches become open-ended
    rule_memory: int = 8 * _MEBIBYTE  # bytes, for the automata of one rule
    rule_cost: int = (
        60_000  # RE2 instructions of one rule: a list of a thousand words; patterns are held to less
    )
    total_cost: int = 1_500_000  # RE2 instructions of all rules together
    shared_memory: int = 64 * _MEBIBYTE  # bytes, for each automaton that rules share; RE2 fills a part of it


class RuleSet:
    """The compiled rules of one scanner. `detectors` stand in the order of the rules."""

    def __init__(self, rules: tuple[Rule, ...], limits: Limits) -> None:
        """Raises PolicyError naming the rule that RE2 refuses, that is too costly, or whose id is taken."""
        _refuse_twins(rules)
        self.limits = limits
        shared = Compiled()
        self.detectors = tuple(
            Detector(rule, index, memory=limits.rule_memory, max_cost=limits.rule_cost, shared=shared)
            for index, rule in enumerate(rules)
        )
        self._refuse_excess()
        self.tiers = tiers(rules)
        self.rest = len(rules)  # no rule's index: that of the finding that says: too many
        self._carriers = carriers(self.rest, self._look, memory=limits.rule_memory) if rules else ()
        families = {rule.family for rule in rules}
        self._limit_family = next((family for family in FAMILY_ORDER if family in families), Family.SECRET)
        self._labelled = [
            detector for detector in self.detectors if detector.rule.labels and detector.loose is not None
        ]
        self._every: tuple[Detector, ...] = (*self.detectors, *self._carriers)
        self._windowed = [detector for detector in self._every if detector.loose is None]
        try:
            self._compile(rules)
        except RegexpError as error:
            raise PolicyError(
                f"the rules are too large together: {error}", hint="Use fewer or shorter word lists."
            ) from error

    def candidates(self, data: bytes) -> list[Detector]:
        """The detectors that may find something in `data`, in order; carriers stand last."""
        marked, unmarked = self._sieve.candidates(data), self._census.matching(data)
        carried: list[Detector] = [self._carriers[place] for place in self._carried.matching(data)]
        indices = [self._marked[place] for place in marked] + [self._unmarked[place] for place in unmarked]
        if self._cover is not None and self._cover.search(data) is not None:
            indices.extend(self._labelled[place].index for place in self._labels.matching(data))
        if not indices:
            return carried
        return [self.detectors[index] for index in sorted(indices)] + carried

    def hold(self, data: bytes, start: int) -> int:
        """The first place in `data[start:]` from which a match may be under way, or the end of `data`.

        Never too late a place; often too early a one, since the closures asked do not count.
        """
        place = len(data)
        for bank in self._banks:
            match = bank.tails.search(data, start)
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
        """A finding of the rule at that index, or of the one that says: too many (`rest`)."""
        if detector < self.rest:
            rule = self.detectors[detector].rule
            return Finding(start=start, end=end, family=rule.family, type=rule.type, rule=rule.id)
        return Finding(start=start, end=end, family=self._limit_family, type=LIMIT_TYPE, rule=LIMIT_RULE)

    def _refuse_excess(self) -> None:
        total = sum(detector.cost for detector in self.detectors)
        if total > self.limits.total_cost:
            largest = max(self.detectors, key=lambda detector: detector.cost)
            raise PolicyError(
                f"the rules are too large together: {total} steps of {self.limits.total_cost}; "
                f"the largest is {largest.rule.id} with {largest.cost}",
                hint="Use fewer or shorter patterns and word lists; a character of a word costs about three steps.",
            )

    def _look(self, data: bytes, level: int, start: int) -> list[Span]:
        """What a text that was carried holds, the gravest first; before `start` it is only context."""
        most = self.limits.max_findings + 1
        found: list[Span] = []
        for detector in self.candidates(data):
            if not isinstance(detector, Carrier):
                found.extend(detector.spans(data, Cursor(0, 0), len(data) + 1, most)[0])
            elif level < LEVELS:
                found.extend(detector.spans_within(data, level + 1, start, most))
        return sorted(found, key=lambda span: (self.tiers[span.detector], span.start))

    def _bank_up(self, shared: int) -> None:
        """Make what streams ask: banks of closures, and one of the cover of all rules with labels."""
        covered = {detector.index for detector in self._labelled}
        cover = _cover([detector.rule for detector in self._labelled])
        units = [
            _Unit(tail=detector.tail, loose=detector.loose, detectors=(detector,))
            for place, detector in enumerate(self._every)
            if detector.loose is not None and place not in covered
        ]
        banks = [units[at : at + _BANK] for at in range(0, len(units), _BANK)]
        # automata of their own: together with the others' their states would multiply
        self._cover: Regexp | None = None
        if cover is not None:
            self._cover = compiled(outlined(cover), memory=shared, captures=False)
            whole = _Unit(
                tail=tail_closure(cover), loose=loose_closure(cover), detectors=tuple(self._labelled)
            )
            banks.append([whole])
        self._banks = tuple(_Bank(each, shared) for each in banks)

    def _compile(self, rules: Sequence[Rule]) -> None:
        shared = self.limits.shared_memory
        covered = {detector.index for detector in self._labelled}
        self._bank_up(shared)
        self._labels = Census(
            [label_pattern(detector.rule.labels) for detector in self._labelled], memory=shared
        )
        # a long word list has more literals than the sieve has room for; the census takes them at no greater cost
        costs = {index: self.detectors[index].cost for index, rule in enumerate(rules) if not rule.keywords}
        most = 4 * LONG_LIST if sum(costs.values()) <= _SIEVED else LONG_LIST // 2
        lists = {index for index, cost in costs.items() if cost > most}
        gates = ["" if index in lists else _gate(rule) for index, rule in enumerate(rules)]
        unmarked = set(Sieve(gates, memory=self.limits.rule_memory).candidates(b"")) | lists
        unmarked.update(index for index, rule in enumerate(rules) if _weakly_marked(rule))
        self._unmarked = sorted(unmarked - covered)
        self._marked = [index for index in range(len(rules)) if index not in unmarked | covered]
        self._census = Census([self.detectors[index].outline for index in self._unmarked], memory=shared)
        # apart from the rules': together their automata would have many times the states
        self._carried = Census([carrier.outline for carrier in self._carriers], memory=shared)
        self._sieve = Sieve([gates[index] for index in self._marked], memory=self.limits.rule_memory)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """What a stream asks for as one: the closures of a rule, or those of the cover of all rules with labels."""

    tail: str
    loose: str
    detectors: tuple[Detector, ...]


def _cover(rules: Sequence[Rule]) -> Node | None:
    """The tree of a pattern that matches wherever one of `rules`, all of which have labels, does; None for none.

    Values are not counted in it: so most of them are the same.
    """
    if not rules:
        return None
    words = sorted({word for rule in rules for word in rule.labels})
    values = sorted({loosened(parse(rule.pattern)) for rule in rules})
    return parse(labelled(tuple(words), "|".join(f"(?:{value})" for value in values)))


class _Bank:
    """Some units, with what finds the first place where a match of one may be under way, and what tells of which."""

    def __init__(self, units: Sequence[_Unit], memory: int) -> None:
        self._units = units
        self._memory = memory
        tails = [WORD_TAIL, *(unit.tail for unit in units if unit.tail)]
        self.tails = compiled(rf"(?:{'|'.join(tails)})\z", memory=memory, captures=False)
        if len(units) > 1:
            self._closures  # noqa: B018  too large a set must be refused now

    def under_way(self, data: bytes) -> list[Detector]:
        """The detectors of the units of which a match may be under way at the end of `data`."""
        places = self._closures.matching(data)
        return [detector for place in places for detector in self._units[place].detectors]

    @cached_property
    def _closures(self) -> Census:
        """That of the cover is large, never too large, and asked only where much is held back: compiled then."""
        return Census([rf"(?:{unit.loose})\z" for unit in self._units], memory=self._memory)


def _gate(rule: Rule) -> str:
    """A pattern by whose literals the sieve tells whether the rule can match."""
    return rf"(?i)(?:{'|'.join(escaped(word) for word in rule.keywords)})" if rule.keywords else rule.pattern


def _weakly_marked(rule: Rule) -> bool:
    """Whether a keyword is so short that it stands in every text, so that the sieve would spare little."""
    return any(len(word) <= _WEAK for word in rule.keywords)


def _refuse_twins(rules: tuple[Rule, ...]) -> None:
    seen = {LIMIT_RULE}
    for rule in rules:
        if rule.id in seen:
            raise PolicyError(f"rule {rule.id}: the id is taken")
        seen.add(rule.id)
