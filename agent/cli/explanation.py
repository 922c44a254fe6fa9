"""`drawbridge scan --explain`: what of a rule matched, which guardrail decides, and what was nearly a finding.

Owns how that is shown. A value is never shown in full unless that is asked for: a terminal has a scrollback, and
explanations are pasted into tickets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from agent.guardrails import Account, Outcome
from agent.guardrails.explanation import demands
from agent.inspection import RuleBook
from agent.inspection.verdicts import Tally
from agent.model.content import Where
from agent.model.findings import Finding
from agent.policy import Guardrail, Subject, guardrails
from agent.policy.scope import mismatch

MOST_MISSES = 50
_SHOWN = 4
_LONGEST_MASK = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the policy does about a finding in one part of an exchange, and why."""

    where: Where
    action: str
    guardrail: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A finding, the match behind it (None where no rule made it), and the policy's rulings on it."""

    finding: Finding
    account: Account | None
    rulings: tuple[Ruling, ...]


def explain(rules: RuleBook, text: str) -> tuple[tuple[Explained, ...], tuple[Account, ...]]:
    """The findings of a text, explained, and the near misses."""
    accounts = rules.scanner.explain(text)
    explained = tuple(
        Explained(finding=finding, account=_behind(finding, accounts), rulings=rulings(rules, finding))
        for finding in rules.scan(text, untrusted=True)
    )
    return explained, tuple(account for account in accounts if account.outcome is not Outcome.FOUND)


def rulings(rules: RuleBook, finding: Finding) -> tuple[Ruling, ...]:
    """What the policy does about the finding in each part of an exchange of an unknown program."""
    subject = Subject(host="")
    tally = Tally(rules.scope(subject, ref="-"))
    return tuple(
        Ruling(
            where=where,
            action=tally.judge(finding, where).word,
            guardrail=deciding.id if deciding else "",
            why=_why(rules, finding, where, deciding, subject),
        )
        for where in Where
        for deciding in [guardrails.rule_for(tally.scope.guardrails, finding.family, finding.type, where)]
    )


def masked(value: str, *, reveal: bool = False) -> str:
    """At most the first four characters and never more than a quarter, the rest hidden, and the length."""
    if reveal:
        return json.dumps(value, ensure_ascii=False)
    head = value[: min(_SHOWN, len(value) // 4)]
    hidden = "*" * min(len(value) - len(head), _LONGEST_MASK)
    return f"{json.dumps(head, ensure_ascii=False)[1:-1]}{hidden} ({len(value)} characters)"


def plain(explained: Explained) -> dict[str, object]:
    """What is added to a finding in JSON. Holds no value."""
    return {
        "match": None if explained.account is None else plain_account(explained.account),
        "rulings": [
            {"where": each.where.value, "action": each.action, "guardrail": each.guardrail, "why": each.why}
            for each in explained.rulings
        ],
    }


def plain_account(account: Account) -> dict[str, object]:
    """A match as JSON. Holds no value."""
    rule = account.rule
    return {
        "rule": rule.id,
        "description": rule.description,
        "family": rule.family.value,
        "type": rule.type,
        "outcome": account.outcome.value,
        "why": account.why,
        "span": [account.start, account.end],
        "match": [account.match_start, account.match_end],
        "keyword": account.keyword,
        "keyword_at": account.keyword_at,
        "entropy": round(account.entropy, 2),
        "entropy_floor": rule.entropy,
        "validator": rule.validator,
    }


def show(
    console: Console, text: str, findings: tuple[Explained, ...], misses: tuple[Account, ...], *, reveal: bool
) -> None:
    """Print all of it."""
    for each in findings:
        finding = each.finding
        value = masked(text[finding.start : finding.end], reveal=reveal)
        _print(
            console,
            f"[bold]{_place(text, finding.start)}[/]  {finding.family.value}/{escape(finding.type)}  {escape(value)}",
        )
        for label, what in (*_origin(each), *_ruled(each)):
            _print(console, f"    [dim]{label:<11}[/] {escape(what)}")
    shown = _shown(misses)
    if shown:
        _print(
            console, f"[bold]near misses[/]: {len(misses)}" + (f", {len(shown)} shown" * (shown != misses))
        )
    for miss in shown:
        value = masked(text[miss.start : miss.end], reveal=reveal)
        _print(
            console,
            f"  {_place(text, miss.start)}  {escape(miss.rule.id)}  {escape(value)}"
            f"\n    [dim]{miss.outcome.value:<11}[/] {escape(miss.why)}",
        )


def _shown(misses: tuple[Account, ...]) -> tuple[Account, ...]:
    """The first ones; those that only lack a keyword, the least telling, last."""
    return tuple(sorted(misses, key=lambda miss: miss.outcome is Outcome.KEYWORD)[:MOST_MISSES])


def _print(console: Console, line: str) -> None:
    console.print(line, emoji=False, soft_wrap=True)


def _place(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"line {line}, column {at - text.rfind('\n', 0, at)}"


def _origin(each: Explained) -> Iterator[tuple[str, str]]:
    finding, account = each.finding, each.account
    if account is None:
        yield "rule", f"{finding.rule}, score {finding.score:.2f}"
        return
    rule = account.rule
    yield "rule", rule.id + (f": {rule.description}" if rule.description else "")
    yield (
        "match",
        f"characters {account.match_start}-{account.match_end}, of it {account.start}-{account.end}",
    )
    if account.keyword:
        yield "keyword", f"'{account.keyword}' at {account.keyword_at}"
    if rule.entropy:
        yield "entropy", f"{account.entropy:.2f}, must exceed {rule.entropy:g}"
    if rule.validator:
        yield "validator", f"{rule.validator} accepts it; {demands(rule)}".rstrip("; ")


def _ruled(each: Explained) -> Iterator[tuple[str, str]]:
    for ruling in each.rulings:
        by = f" by {ruling.guardrail}" if ruling.guardrail else ""
        yield ruling.where.value.replace("_", " "), f"{ruling.action}{by}: {ruling.why}"


def _behind(finding: Finding, accounts: tuple[Account, ...]) -> Account | None:
    """The match that made a finding: its own span, or what other findings left of it."""
    return next(
        (
            account
            for account in accounts
            if account.rule.id == finding.rule
            and account.outcome is Outcome.FOUND
            and account.start <= finding.start
            and finding.end <= account.end
        ),
        None,
    )


def _why(
    rules: RuleBook, finding: Finding, where: Where, deciding: Guardrail | None, subject: Subject
) -> str:
    """Which guardrails name the finding, in order, down to the one that decides."""
    what = f"{finding.family.value}/{finding.type}"
    passed: list[str] = []
    for guardrail in rules.policy.guardrails:
        if guardrail is deciding:
            break
        if guardrails.rule_for((guardrail,), finding.family, finding.type, where) is None:
            continue
        narrowed = mismatch(guardrail, subject)
        if narrowed is not None:
            passed.append(f"{guardrail.id} is only for certain {narrowed}")
    note = f" ({'; '.join(passed)})" if passed else ""
    if deciding is None:
        return f"no guardrail names {what} there{note}"
    return f"the first that names {what} there, by {', '.join(deciding.detect)}{note}"
