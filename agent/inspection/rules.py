"""One policy, compiled: its catalog, its scanner, its guardrails, and the verdicts already known.

A `RuleBook` never changes. An exchange keeps the one it started with, so a policy that is replaced meanwhile does not
touch it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b

from agent.catalog import Catalog, bundled_surfaces
from agent.dialects import DIALECTS
from agent.errors import PolicyError
from agent.guardrails import LIMIT_TYPE, Rule, Scanner, bundled_rules, keyword_rule
from agent.model.content import Role, Where
from agent.model.decision import Action, Fallback
from agent.model.findings import Family, Finding
from agent.policy import Guardrail, Policy, Subject, guardrails

CACHED_TEXT = 256  # characters: below this a scan costs no more than the hash
CACHE_ENTRIES = 8192
MARKER = "[REDACTED:"
"""How the text begins that stands in the place of a redacted one; the kind of data and `]` follow."""


PRIVATE = (Family.SECRET, Family.PII)
"""Families of findings that no check which asks a stranger is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is needed to judge one exchange: the rule book, who asks for what, and the guardrails that apply."""

    rules: RuleBook
    subject: Subject
    guardrails: tuple[Guardrail, ...]
    ref: str  # a short reference that the user can quote

    @property
    def watches_answers(self) -> bool:
        """Whether any guardrail looks at answers."""
        return any(Where.ANSWER in guardrail.where for guardrail in self.guardrails)


class RuleBook:
    """A policy that is ready to judge. Building it costs tens of milliseconds: once per policy."""

    def __init__(self, policy: Policy) -> None:
        """Raises PolicyError where a catalog row or a detector of the policy cannot work."""
        self.policy = policy
        self.catalog = Catalog((*bundled_surfaces(), *policy.surfaces()))
        self.scanner = Scanner(_wanted(policy, (*bundled_rules(), *_detectors(policy))))
        self._private = _private_scanner() if policy.checks else None
        rules = (*self.scanner.rules, *(self._private.rules if self._private is not None else ()))
        self.kinds = frozenset(
            {rule.type for rule in rules} | {check.id for check in policy.checks} | {LIMIT_TYPE}
        )
        self._known = VerdictCache(CACHE_ENTRIES)
        self._known_private = VerdictCache(CACHE_ENTRIES)
        for surface in self.catalog.surfaces:
            for endpoint in surface.endpoints:
                if endpoint.dialect not in DIALECTS:
                    known = ", ".join(sorted(DIALECTS))
                    raise PolicyError(
                        f"surface {surface.id!r}: unknown dialect {endpoint.dialect!r}",
                        hint=f"known: {known}",
                    )

    def scope(self, subject: Subject, *, ref: str) -> Scope:
        """The scope of one exchange."""
        return Scope(rules=self, subject=subject, guardrails=guardrails.select(self.policy, subject), ref=ref)

    def scan(self, text: str) -> tuple[Finding, ...]:
        """All findings in a text. Texts seen before (agents resend their whole history) cost one hash.

        A marker of ours is no finding, though the name of a detector may hold the very word that it looks for.
        """
        return self._cached(text, self._known, self.scanner)

    def private(self, text: str) -> tuple[Finding, ...]:
        """What of a text no stranger is told: everything our rules take for a credential or for personal data,
        whatever the policy makes of it. Only for policies with checks."""
        assert self._private is not None
        return self._cached(text, self._known_private, self._private)

    def _cached(self, text: str, cache: VerdictCache, scanner: Scanner) -> tuple[Finding, ...]:
        if len(text) < CACHED_TEXT:
            return self._find(text, scanner)
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = cache.get(key)
        if known is None:
            known = self._find(text, scanner)
            cache.put(key, known)
        return known

    def _find(self, text: str, scanner: Scanner) -> tuple[Finding, ...]:
        found = scanner.scan(text)
        if not found or MARKER not in text:
            return found
        return tuple(finding for finding in found if not self._in_marker(text, finding))

    def _in_marker(self, text: str, finding: Finding) -> bool:
        opening = text.rfind(MARKER, 0, finding.start + len(MARKER))
        closing = text.find("]", opening)
        return (
            opening >= 0
            and finding.end <= closing + 1
            and text[opening + len(MARKER) : closing] in self.kinds
        )


class VerdictCache:
    """Findings by content hash; two generations, the older of which is dropped when the younger is full.

    Holds no text. Plain dict operations are atomic under the GIL, so a scan thread may share it.
    """

    def __init__(self, entries: int) -> None:
        self._limit = entries // 2
        self._young: dict[bytes, tuple[Finding, ...]] = {}
        self._old: dict[bytes, tuple[Finding, ...]] = {}

    def get(self, key: bytes) -> tuple[Finding, ...] | None:
        """The findings of that hash, or None."""
        if (found := self._young.get(key)) is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: bytes, findings: tuple[Finding, ...]) -> None:
        """Remember findings."""
        if len(self._young) >= self._limit:
            self._old, self._young = self._young, {}
        self._young[key] = findings


def _private_scanner() -> Scanner:
    return Scanner(tuple(rule for rule in bundled_rules() if rule.family in PRIVATE))


def where_of(role: Role) -> Where:
    """The part of a request that a role belongs to."""
    return Where.TOOL_RESULT if role is Role.TOOL_RESULT else Where.PROMPT


def scanned(family: Family, role: Role) -> bool:
    """Instructions are what a system prompt is made of: injection detectors never judge it."""
    return not (family is Family.INJECTION and role is Role.SYSTEM)


def on_error(scope: Scope) -> Fallback:
    """What to do when the inspection itself fails: the strictest of the guardrails that apply."""
    policy = scope.rules.policy
    blocks = any(policy.fallback(guardrail) is Fallback.BLOCK for guardrail in scope.guardrails)
    return Fallback.BLOCK if blocks else Fallback.ALLOW


def _wanted(policy: Policy, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules that some guardrail of the policy could act on. Of findings that overlap the one with the gravest
    action wins: an alert must not cover what is to be redacted."""
    wanted: list[Rule] = []
    for rule in rules:
        actions = [
            guardrail.action
            for guardrail in policy.guardrails
            if guardrails.rule_for((guardrail,), rule.family, rule.type, guardrail.where[0]) is not None
        ]
        if actions or rule.family is Family.CUSTOM:  # a detector that nobody uses is compiled, to be checked
            wanted.append(replace(rule, rank=max(actions, default=Action.ALLOW)))
    return tuple(wanted)


def _detectors(policy: Policy) -> tuple[Rule, ...]:
    return tuple(
        Rule(id=detector.id, family=Family.CUSTOM, type=detector.id, pattern=detector.pattern)
        if detector.pattern
        else keyword_rule(detector.id, detector.keywords, case_sensitive=not detector.ignore_case)
        for detector in policy.detectors
    )
