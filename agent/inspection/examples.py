"""Tries the examples that detectors and guardrails carry: a policy whose examples fail does not load.

A detector is tried alone. A guardrail is tried among all of the policy, on the text as somebody its keys fit would
send it, in the first part of an exchange that it looks at; its own `when`, `sampling` and `at_least` count as given,
and guardrails with a condition are left out before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.errors import PolicyError
from agent.guardrails import Rule, Scanner
from agent.model.content import Role, Where
from agent.model.findings import Finding
from agent.policy import Guardrail, Policy, Subject, guardrails
from agent.policy.guardrail import SPEAKERS, Examples
from agent.policy.guardrails import Conditions, Place, Verdict, speaking
from agent.policy.scope import mismatch
from agent.policy.source import Location, Problem, dotted

type Scan = Callable[[str], tuple[Finding, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """An example and what came of it. `rule` is the policy's rule that decided."""

    location: Location
    about: str  # the rule whose example it is, or what the example holds
    expected: str
    got: str
    rule: str = ""
    ok: bool


class ExamplesFailed(PolicyError):
    """Examples of a policy's own rules did not come out as they should."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(
            "\n".join(f"{dotted(each.location)}: {each.text}" for each in problems),
            hint="Mend the rule or the example, and see all with: drawbridge policy test FILE",
        )
        self.problems = problems


def check_examples(policy: Policy, scan: Scan, detectors: tuple[Rule, ...]) -> None:
    """Raises ExamplesFailed where an example of the policy's own rules fails. `detectors` are its own, compiled to
    rules; `scan` finds with all of its rules."""
    failed = tuple(
        Problem(location=trial.location, text=f"'{trial.about}' {trial.got}; it should: {trial.expected}")
        for trial in try_examples(policy, scan, detectors)
        if not trial.ok
    )
    if failed:
        raise ExamplesFailed(failed)


def try_examples(policy: Policy, scan: Scan, detectors: tuple[Rule, ...]) -> Iterator[Trial]:
    """Every example of the policy's own rules, in the order of the file."""
    for index, rule in enumerate(policy.guardrails):
        for location, text, match in _texts(("guardrails", index), rule.examples):
            yield _try_guardrail(policy, rule, scan(text), location, match=match)
    known = {rule.id: rule for rule in detectors}
    for index, detector in enumerate(policy.detectors):
        if detector.id not in known or not (detector.examples.match or detector.examples.no_match):
            continue
        scanner = Scanner((known[detector.id],))
        for location, text, match in _texts(("detectors", index), detector.examples):
            found = bool(scanner.scan(text))
            yield Trial(
                location=location,
                about=detector.id,
                expected="find something" if match else "find nothing",
                got="found something" if found else "found nothing",
                rule=detector.id if found else "",
                ok=found is match,
            )


def _texts(section: Location, examples: Examples) -> Iterator[tuple[Location, str, bool]]:
    for key, texts in (("match", examples.match), ("no_match", examples.no_match)):
        for number, text in enumerate(texts):
            yield (*section, "examples", key, number), text, key == "match"


def _try_guardrail(
    policy: Policy, rule: Guardrail, findings: tuple[Finding, ...], location: Location, *, match: bool
) -> Trial:
    subject = _fitting(rule)
    # `condition` is what a model computed from `when` once: it must go with it
    around = tuple(
        rule.model_copy(update={"when": None, "condition": None, "at_least": 1}) if each is rule else each
        for each in policy.guardrails
        if each is rule or (each.when is None and each.sampling > 0 and mismatch(each, subject) is None)
    )
    place = _place(rule)
    conditions = Conditions(subject)
    verdicts = [
        (finding, guardrails.judge(speaking(around, finding, place), conditions, frozenset(), place.where))
        for finding in findings
    ]
    decides = any(_decided(verdict, rule) for _, verdict in verdicts)
    return Trial(
        location=location,
        about=rule.id,
        expected=f"{rule.action.word} it" if match else "leave it alone",
        got="; ".join(dict.fromkeys(_told(*each) for each in verdicts)) or "found nothing",
        rule=rule.id if decides else "",
        ok=decides is match,
    )


def _decided(verdict: Verdict, rule: Guardrail) -> bool:
    deciding = (*verdict.shadows, *(() if verdict.guardrail is None else (verdict.guardrail,)))
    return any(each.id == rule.id for each in deciding)


def _told(finding: Finding, verdict: Verdict) -> str:
    decider = verdict.guardrail
    decides = "no guardrail decides" if decider is None else f"'{decider.id}' decides ({decider.action.word})"
    trials = "".join(f", '{each.id}' on trial ({each.action.word})" for each in verdict.shadows)
    return f"found {finding.family}/{finding.type}, which {decides}{trials}"


def _place(rule: Guardrail) -> Place:
    """The first part of an exchange that the guardrail looks at, and who speaks there."""
    for where in rule.where:
        for role in rule.roles or (_USUAL[where],):
            if role in SPEAKERS[where]:
                return Place(where=where, role=role)
    return Place(where=rule.where[0])


_USUAL = {Where.PROMPT: Role.USER, Where.TOOL_RESULT: Role.TOOL_RESULT, Where.ANSWER: Role.ASSISTANT}


def _fitting(rule: Guardrail) -> Subject:
    """Somebody whom the keys of the guardrail fit."""

    def first(patterns: tuple[str, ...]) -> str:
        return patterns[0].replace("*", "x").replace("?", "x") if patterns else ""

    return Subject(
        host=first(rule.hosts),
        surface=rule.surfaces[0] if rule.surfaces else "unknown",
        app=first(rule.apps),
        model=first(rule.models),
        user=first(rule.users),
    )
