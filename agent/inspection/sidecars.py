"""Runs the examples that stand beside a policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agent.inspection.attached import judge_files
from agent.inspection.documents import count_findings
from agent.inspection.examples import Trial
from agent.inspection.rules import RuleBook
from agent.inspection.verdicts import Tally
from agent.model.app import Asker, Evidence
from agent.model.content import Attachment, Role, Slot, Where
from agent.model.decision import Action, Decision
from agent.model.findings import Family, Finding
from agent.model.identity import Identity
from agent.model.login import Login, LoginKind, Tenancy
from agent.policy import Subject, access, approval
from agent.policy.approval import UNKNOWN
from agent.policy.attachments import NO_RULE, rule_for
from agent.policy.sidecar import AccessCase, AppCase, FindingCase, Sidecar, TextCase
from agent.policy.source import Location

_REF = "EXAMPLE0"
_SPEAKER = {Where.PROMPT: Role.USER, Where.TOOL_RESULT: Role.TOOL_RESULT, Where.ANSWER: Role.ASSISTANT}


def run_sidecar(rules: RuleBook, sidecar: Sidecar) -> Iterator[Trial]:
    """Every example, in the order of the file. What is expected is the action and, where the example names one, the
    rule; a finding or request that names none must be decided by none."""
    for index, finding in enumerate(sidecar.findings):
        action, rule = _judge_finding(rules, finding)
        about = f"{finding.finding} in {finding.where}"
        yield _trial(("findings", index), about, finding.action, finding.rule or "", action, rule)
    for index, text in enumerate(sidecar.texts):
        action, rule = _judge_text(rules, text)
        # of a text that is allowed it does not matter whether an exception or nothing allows it
        wanted = rule if text.rule is None else text.rule
        yield _trial(("texts", index), f"text in {text.where}", text.action, wanted, action, rule)
    for index, request in enumerate(sidecar.access):
        action, rule = _judge_access(rules, request)
        about = f"{request.model or request.path or 'request'} on {request.host}"
        yield _trial(("access", index), about, request.action, request.rule or "", action, rule)
    for index, app in enumerate(sidecar.apps):
        yield _judge_app(rules, index, app)


def _trial(location: Location, about: str, action: Action, rule: str, got: Action, got_rule: str) -> Trial:
    return Trial(
        location=location,
        about=about,
        expected=_said(action, rule),
        got=_said(got, got_rule),
        rule=got_rule,
        ok=(action, rule) == (got, got_rule),
    )


def _said(action: Action, rule: str) -> str:
    return f"{action.word} by {rule}" if rule else action.word


def _subject(rules: RuleBook, case: FindingCase | TextCase | AccessCase, *, size: int = 0) -> Subject:
    surface = rules.catalog.surface(case.host)
    return Subject(
        host=case.host,
        path=case.path,
        surface=(surface.id if surface else "unknown") if case.surface is None else case.surface,
        kind=surface.kind.value if surface else "",
        app=case.app,
        model=case.model,
        user=case.user,
        size=size,
    )


def _judge_finding(rules: RuleBook, case: FindingCase) -> tuple[Action, str]:
    family, _, kind = case.finding.partition("/")
    finding = Finding(start=0, end=1, family=Family(family), type=kind, rule=kind, score=case.score)
    tally = Tally(rules.scope(_subject(rules, case), ref=_REF))
    tally.count(finding, case.where, role=case.role or _SPEAKER[case.where])
    return _decided(tally.decision())


def _judge_text(rules: RuleBook, case: TextCase) -> tuple[Action, str]:
    tally = Tally(rules.scope(_subject(rules, case, size=len(case.text)), ref=_REF))
    slot = Slot(address=((),), role=case.role or _SPEAKER[case.where], text=case.text)
    count_findings((slot,), tally, lambda _: case.where)
    return _decided(tally.decision())


def _decided(decision: Decision) -> tuple[Action, str]:
    deciding = [hit.guardrail for hit in decision.hits if hit.action is decision.action and not hit.shadow]
    return decision.action, deciding[0] if deciding else ""


def _judge_access(rules: RuleBook, case: AccessCase) -> tuple[Action, str]:
    attachments = tuple(
        Attachment(
            kind=each.kind,
            media_type=each.media_type,
            size=each.size,
            name=each.name,
            type=each.type,
            problem=each.problem,
            readable=False if each.problem else each.readable,
            characters=each.characters,
            pages=each.pages,
        )
        for each in case.attachments
    )
    subject = replace(_subject(rules, case, size=case.size), attachments=attachments)
    subject = replace(subject, state=approval.judge(rules.policy, subject).state.value)
    verdict = access.decide(rules.policy, subject)
    if verdict.allowed and not verdict.rule_id and attachments:
        return _judge_files(rules, subject)
    return (Action.ALLOW if verdict.allowed else Action.BLOCK), verdict.rule_id


def _judge_files(rules: RuleBook, subject: Subject) -> tuple[Action, str]:
    """As a request with these files is judged: by the rule that refuses one, else by the rule of the first."""
    scope = rules.scope(subject, ref=_REF)
    if (refused := judge_files(scope, subject.attachments)) is not None:
        return refused.action, refused.rule_ids[0]
    rule = rule_for(rules.policy, subject, subject.attachments[0])
    return Action.ALLOW, "" if rule is NO_RULE else rule.id


def _judge_app(rules: RuleBook, index: int, case: AppCase) -> Trial:
    found = rules.catalog.match(case.host, case.path, app=case.app) if case.path else None
    surface = found.surface if found is not None else rules.catalog.surface(case.host)
    if case.surface is not None:
        surface = next((each for each in rules.catalog.surfaces if each.id == case.surface), surface)
    subject = Subject(
        host=case.host,
        path=case.path,
        surface=case.surface or (surface.id if surface else "unknown"),
        kind=surface.kind.value if surface else "",
        inference=not case.path or (found is not None and found.endpoint is not None),
        app=case.app,
        user=case.user,
        groups=case.groups,
        identity=Identity(subject=case.signed_in, name=case.signed_in),
        device=case.device,
        asker=Asker(
            app=case.app,
            evidence=Evidence("" if case.evidence == UNKNOWN else case.evidence),
            seen=case.app if case.evidence in ("process", "signed") else "",
        ),
        login=Login(
            kind=LoginKind("" if case.login == UNKNOWN else case.login),
            tenancy=Tenancy("" if case.tenancy == UNKNOWN else case.tenancy),
            plan=case.plan,
            organisation=case.organisation,
        ),
    )
    given = approval.judge(rules.policy, subject)
    action = "block" if given.stops else "alert" if given.alerts else "allow"
    expected = (case.state.value, case.rule, case.action, case.routing)
    got = (given.state.value, given.rule_id, action, given.way)
    return Trial(
        location=("apps", index),
        about=f"{case.app or 'an unknown program'} on {subject.surface}",
        expected=_app_said(*expected),
        got=_app_said(*got),
        rule=given.deciding or given.rule_id,
        ok=expected == got,
    )


def _app_said(state: str, rule: str, action: str, way: str | None) -> str:
    return f"{state} by {rule}: {action}" + (f", {way}" if way else "")
