"""Why a match is a finding or none: for people who write rules and policies.

The verdict is not computed a second time: the rules search and judge as they do in a scan, only watched. What is added
is the account of each step. Values are not part of an account; whoever shows it has the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from agent.guardrails import checksums, plausibility, tokens
from agent.guardrails.carriers import Carrier
from agent.guardrails.detector import Cursor, Detector, Span
from agent.guardrails.folding import Folding
from agent.guardrails.offsets import characters, encoded
from agent.guardrails.regex import Match
from agent.guardrails.rule import KEYWORD_REACH, Rule
from agent.guardrails.ruleset import RuleSet
from agent.guardrails.validators import VALIDATORS
from agent.guardrails.vocabulary import TEST_CARDS
from agent.model.findings import Finding


class Outcome(StrEnum):
    """What became of a match; all but FOUND are near misses."""

    FOUND = "found"
    COVERED = "covered"  # stands up to its rule, but a finding of another rule covers it
    GROUP = "group"
    KEYWORD = "keyword"
    ENTROPY = "entropy"
    ALLOWED = "allowed"
    VALIDATOR = "validator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One match of one rule. All offsets are Python str indices."""

    rule: Rule
    outcome: Outcome
    why: str  # for people; of the value at most the word that makes it a placeholder
    start: int  # of the span: what would be redacted
    end: int
    match_start: int  # of the whole match
    match_end: int
    keyword: str = ""
    keyword_at: int = -1
    entropy: float = 0.0  # of the span, bits per character

    def unfolded(self, folding: Folding) -> Account:
        """The account of a match in folded text, in the text as it came."""
        return replace(
            self,
            start=folding.start(self.start),
            end=folding.end(self.end),
            match_start=folding.start(self.match_start),
            match_end=folding.end(self.match_end),
            keyword_at=folding.start(self.keyword_at) if self.keyword_at >= 0 else -1,
        )


def explained(rules: RuleSet, text: str, findings: Sequence[Finding]) -> tuple[Account, ...]:
    """An account of every match in `text`, by position. `findings` are those of a scan of it, disjoint."""
    data = encoded(text)
    accounts: list[Account] = []
    for detector in rules.candidates(data):
        if isinstance(detector, Carrier):
            accounts.extend(_carried(detector, rules, data))
            continue
        watched = _Watched(detector, rules)
        watched.spans(data, Cursor(0, 0), len(data) + 1, rules.limits.max_findings + 1)
        accounts.extend(_account(watched, match, span, data) for match, span in watched.seen)
    settled = (_settled(account, findings) for account in accounts)
    return tuple(sorted(settled, key=lambda each: (each.start, each.match_start, each.rule.id)))


class _Watched(Detector):
    """A detector that remembers its verdicts."""

    def __init__(self, detector: Detector, rules: RuleSet) -> None:
        limits = rules.limits
        super().__init__(detector.rule, detector.index, memory=limits.rule_memory, max_cost=limits.rule_cost)
        self.seen: list[tuple[Match, Span | None]] = []

    def judge(self, match: Match, data: bytes) -> Span | None:
        span = super().judge(match, data)
        self.seen.append((match, span))
        return span


def _carried(carrier: Carrier, rules: RuleSet, data: bytes) -> Iterator[Account]:
    """What was found in texts that are encoded, escaped, joined or broken."""
    spans, _ = carrier.spans(data, Cursor(0, 0), len(data) + 1, rules.limits.max_findings + 1)
    for span in spans:
        start, end = characters(data[: span.start]), characters(data[: span.end])
        yield Account(
            rule=rules.detectors[span.detector].rule,
            outcome=Outcome.FOUND,
            why=f"in what it reads as ({carrier.rule.id})",
            start=start,
            end=end,
            match_start=start,
            match_end=end,
        )


def _account(detector: Detector, match: Match, span: Span | None, data: bytes) -> Account:
    start, end = (span.start, span.end) if span is not None else match.span(detector.taken(match))
    if start < 0:
        start, end = match.span()
    value = data[start:end].decode("utf-8", "replace")
    keyword = detector.keyword(match, data)
    at = characters(data[:start])
    account = Account(
        rule=detector.rule,
        outcome=Outcome.FOUND,
        why="",
        start=at,
        end=at + characters(data[start:end]),
        match_start=characters(data[: match.start()]),
        match_end=characters(data[: match.end()]),
        keyword=keyword[1].decode() if keyword else "",
        keyword_at=characters(data[: keyword[0]]) if keyword else -1,
        entropy=abs(tokens.entropy(value)),  # the entropy of one character is -0.0
    )
    if span is not None:
        return account
    outcome, why = _refusal(detector, match, value, account)
    return replace(account, outcome=outcome, why=why)


def _refusal(detector: Detector, match: Match, value: str, account: Account) -> tuple[Outcome, str]:
    """The first of the judge's steps that a match does not pass, in the judge's order."""
    rule = detector.rule
    group = match.span(detector.taken(match))
    if group[0] < 0 or group[0] >= group[1]:
        return Outcome.GROUP, f"group {rule.group} took no part in the match"
    if rule.keywords and not account.keyword:
        words = ", ".join(rule.keywords)
        return Outcome.KEYWORD, f"no keyword inside it or up to {KEYWORD_REACH} bytes before: {words}"
    if rule.entropy and account.entropy <= rule.entropy:
        return Outcome.ENTROPY, f"entropy {account.entropy:.2f}, must exceed {rule.entropy:g}"
    place = detector.allowed_by(value)
    if place is not None:
        return Outcome.ALLOWED, _allowance(rule, place, value)
    return Outcome.VALIDATOR, _demand(rule.validator, value)


def _allowance(rule: Rule, place: int, value: str) -> str:
    if place < len(rule.allow):
        return f"its allow-list matches: {rule.allow[place]}"
    low = value.lower()
    word = next((word for word in rule.stopwords if word.lower() in low), "")
    return f"it holds the stop word '{word}'"


def _demand(validator: str, value: str) -> str:
    """Why a validator refuses a value, as far as that can be told, and what it demands."""
    digits = "".join(char for char in value if char in "0123456789")
    reason = ""
    match validator:
        case "luhn" | "payment_card" if not checksums.luhn(digits):
            reason = "the check digit (Luhn) is wrong"
        case "payment_card" if digits in TEST_CARDS:
            reason = "a published test number"
        case "iban":
            reason = "unknown country, wrong length or wrong check digits (mod 97)"
        case "crc32_base62":
            reason = "the checksum at its end (CRC-32) is wrong"
        case _ if word := plausibility.placeholder(value):
            reason = f"it reads as a placeholder or a reference: '{word}'"
    detail = reason or _documented(validator)
    return f"the validator {validator} refuses it" + (f": {detail}" if detail else "")


def demands(rule: Rule) -> str:
    """What the rule's validator asks of a value, in words; empty where there is none."""
    return _documented(rule.validator) if rule.validator else ""


def _documented(validator: str) -> str:
    """The first sentence of the validator's own description, which names what it demands."""
    paragraph = (VALIDATORS[validator].__doc__ or "").partition("\n\n")[0]
    words = " ".join(paragraph.split()).rstrip(".")
    return f"it asks for: {words}" if words else ""


def _settled(account: Account, findings: Iterable[Finding]) -> Account:
    """An account of a match that its rule accepts, told whether other rules leave anything of it."""
    if account.outcome is not Outcome.FOUND:
        return account
    over = [each for each in findings if each.start < account.end and each.end > account.start]
    if not over or any(each.rule == account.rule.id for each in over):
        return account
    return replace(account, outcome=Outcome.COVERED, why=f"covered by {over[0].rule}")
