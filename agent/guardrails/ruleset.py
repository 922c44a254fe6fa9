"""A rule set, compiled: which rules can match a text, what they find, and where a match may be under way.

Puts together what `selection` and `banks` answer for all rules, what `carriers` need to search what they carry, and
the bounds. Immutable; knows neither texts nor streams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from agent.errors import PolicyError
from agent.guardrails.banks import Banks, Hold, Unit
from agent.guardrails.carriers import LEVELS, Carrier, carriers
from agent.guardrails.closure import exact_closure, loosened, tail_behind
from agent.guardrails.context import label_opening, label_pattern, label_rest, labelled
from agent.guardrails.detector import Compiled, Cursor, Detector, Span
from agent.guardrails.gates import Parts
from agent.guardrails.offsets import boundary
from agent.guardrails.overlap import FAMILY_ORDER, tiers
from agent.guardrails.regex import RegexpError, compiled
from agent.guardrails.rule import Rule
from agent.guardrails.selection import Selection
from agent.guardrails.syntax import Node, parse
from agent.model.findings import Family, Finding

LIMIT_RULE = "finding-limit"
"""The rule of the finding that covers the rest of a text with too many findings."""
LIMIT_TYPE = "too_many_findings"

_MEBIBYTE = 1024 * 1024
_MOST_MARKS = 1_000_000
_COVERED = 8  # repetitions that are counted where labels are looked for


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
        self._uncounted = frozenset(each.index for each in self.detectors if not each.rule.counts)
        self.rest = len(rules)  # no rule's index: that of the finding that says: too many
        families = {rule.family for rule in rules}
        self._limit_family = next((family for family in FAMILY_ORDER if family in families), Family.SECRET)
        self._carriers = carriers(self.rest, self._look, memory=limits.rule_memory) if rules else ()
        every: tuple[Detector, ...] = (*self.detectors, *self._carriers)
        self._windowed = [detector for detector in every if not detector.closed]
        self._with_labels = [each for each in self.detectors if each.rule.labels and each.closed]
        try:
            self._selection = self._select()
            # rules of a policy that are too large together are refused when it is read, not when a stream begins
            theirs = [_unit(each) for each in self.detectors if not each.rule.tested and each.closed]
            Banks(theirs, [], memory=limits.shared_memory)
        except RegexpError as error:
            raise PolicyError(
                f"the rules are too large together: {error}", hint="Use fewer or shorter word lists."
            ) from error

    def warm(self, pause: Callable[[], object]) -> None:
        """Make now what streams and large texts ask, so that none waits for it. `pause` is called between all steps of
        more than a millisecond or two, to let other threads run."""
        for detector in (*self.detectors, *self._carriers):
            detector.reach, detector.lines  # noqa: B018
            pause()
        if "_banks" not in self.__dict__:
            self._banks = self._put_together(pause)
        self._banks.warm(pause)
        self._selection.warm()

    def most(self, detector: Detector) -> int:
        """How many spans of that rule one text may have; one more than the limit tells that it was reached."""
        return self.limits.max_findings + 1 if detector.rule.counts else _MOST_MARKS

    def counted(self, spans: Iterable[Span]) -> list[Span]:
        """Those of `spans` that count towards the limit of a text."""
        return [span for span in spans if span.detector not in self._uncounted]

    def candidates(self, data: bytes) -> list[Detector]:
        """The detectors that may find something in `data`, in order; carriers stand last."""
        return self._selection.candidates(data)

    def glanced(self, data: bytes) -> list[Detector]:
        """The same, for the short texts that streams ask about."""
        return self._selection.glanced(data)

    def located(self, data: bytes) -> list[tuple[Detector, Parts]]:
        """The same for a large text, each with the parts of it in which its matches may begin."""
        return self._selection.located(data)

    def hold(self, data: bytes, start: int) -> Hold:
        """The first place in `data[start:]` from which a match may be under way, or the end of `data`.

        Never too late a place; often too early a one, since the closures asked do not count.
        """
        hold = self._banks.hold(data, start)
        if not self._windowed:
            return hold
        place = min(hold.place, self.window(data, start))
        return hold if place == hold.place else Hold(place, None)

    def under_way(self, data: bytes) -> list[Detector]:
        """The detectors of which, by their loose closures, a match may be under way at the end of `data`, wherever it
        begins."""
        return self._banks.under_way(data)

    def begun(self, data: bytes, place: int) -> list[Detector]:
        """The detectors of which, by their loose closures, a match may be under way that begins at `place`."""
        return self._banks.begun(data, place)

    def window(self, data: bytes, start: int) -> int:
        """`hold` for the rules of which no closure can be derived: the widest of them, counted from the end."""
        if not self._windowed:
            return len(data)
        widest = max(detector.window(self.limits.max_hold) for detector in self._windowed)
        return max(start, boundary(data, len(data) - widest))

    def finding(self, start: int, end: int, detector: int) -> Finding:
        """A finding of the rule at that index, or of the one that says: too many (`rest`)."""
        if detector < self.rest:
            rule = self.detectors[detector].rule
            return Finding(
                start=start,
                end=end,
                family=rule.family,
                type=rule.type,
                rule=rule.id,
                score=rule.confidence,
            )
        return Finding(start=start, end=end, family=self._limit_family, type=LIMIT_TYPE, rule=LIMIT_RULE)

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

    @cached_property
    def _banks(self) -> Banks:
        """What streams ask. Made when the first one begins, or by `warm`: deriving the closures takes long."""
        return self._put_together(lambda: None)

    def _put_together(self, pause: Callable[[], object]) -> Banks:
        covered = set(map(id, self._with_labels))
        apart = []
        if self._with_labels:
            words = [word for each in self._with_labels for word in each.rule.labels]
            opening = label_opening(words)
            values = _values([each.rule for each in self._with_labels])
            apart.append(
                Unit(
                    tail=tail_behind(f"(?:{opening})", parse(label_rest(words, values))),
                    opening=opening,
                    detectors=tuple(self._with_labels),
                    beginnings=lambda: tuple(_label_front(each.rule) for each in self._with_labels),
                )
            )
        units: list[Unit] = []
        for detector in (*self.detectors, *self._carriers):
            if detector.closed and id(detector) not in covered:
                units.append(_unit(detector))
                pause()
        return Banks(units, apart, memory=self.limits.shared_memory, pause=pause)

    def _select(self) -> Selection:
        memory = self.limits.shared_memory
        cover = _cover([detector.rule for detector in self._with_labels])
        return Selection(
            self.detectors,
            self._carriers,
            self._with_labels,
            None
            if cover is None
            else compiled(loosened(cover, counted=_COVERED), memory=memory, captures=False),
            rule_memory=self.limits.rule_memory,
            shared_memory=memory,
        )

    def _refuse_excess(self) -> None:
        total = sum(detector.cost for detector in self.detectors)
        if total > self.limits.total_cost:
            largest = max(self.detectors, key=lambda detector: detector.cost)
            raise PolicyError(
                f"the rules are too large together: {total} steps of {self.limits.total_cost}; "
                f"the largest is {largest.rule.id} with {largest.cost}",
                hint="Use fewer or shorter patterns and word lists; a character of a word costs about three steps.",
            )


def _unit(detector: Detector) -> Unit:
    return Unit(
        tail=detector.tail,
        opening=detector.opening,
        detectors=(detector,),
        beginnings=lambda: (detector.loose or "",),
    )


def _label_front(rule: Rule) -> str:
    """A pattern for a label of `rule` and whatever follows, or the beginning of one."""
    label = label_pattern(rule.labels)
    return rf"{label}\C*|{exact_closure(parse(label))}"


def _cover(rules: Sequence[Rule]) -> Node | None:
    """The tree of a pattern that matches wherever one of `rules`, all of which have labels, does; None for none.

    Values are not counted in it: so most of them are the same.
    """
    if not rules:
        return None
    words = sorted({word for rule in rules for word in rule.labels})
    return parse(labelled(tuple(words), _values(rules)))


def _values(rules: Iterable[Rule]) -> str:
    """A pattern for what stands behind labels."""
    return "|".join(f"(?:{value})" for value in sorted({loosened(parse(rule.pattern)) for rule in rules}))


def _refuse_twins(rules: tuple[Rule, ...]) -> None:
    seen = {LIMIT_RULE}
    for rule in rules:
        if rule.id in seen:
            raise PolicyError(f"rule {rule.id}: the id is taken")
        seen.add(rule.id)
