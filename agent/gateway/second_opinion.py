"""Asks the policy's checks about what the local rules let pass, and folds their findings into the verdict.

Where no guardrail of the exchange's scope selects a check, this is one look at an empty tuple.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from agent.dialects.base import Dialect, RequestFormat, RequestHead
from agent.dialects.raw_text import RawText
from agent.gateway.ledger import newest_turn
from agent.gateway.ports import CheckRunner
from agent.gateway.scans import ScanPool
from agent.inspection import AnswerVerdict, RequestVerdict, Scope, inspect_answer, inspect_request
from agent.inspection.outside import (
    Report,
    Ruling,
    Segment,
    after_the_fact,
    answer_segments,
    asked,
    asked_about,
    request_segments,
    rule_on,
)
from agent.inspection.requests import SEALED
from agent.inspection.verdicts import failed_check, refusal
from agent.model.content import Role, Slot, Where
from agent.model.decision import Decision
from agent.policy.checks import Check, OnnxCheck

log = logging.getLogger(__name__)

_REQUEST = (Where.PROMPT, Where.TOOL_RESULT)


class SecondOpinion:
    """What the checks outside say of requests and answers. The methods never raise."""

    def __init__(self, runner: CheckRunner | None, scans: ScanPool) -> None:
        """Without a `runner` every check that a policy names has failed."""
        self._runner = runner
        self._scans = scans

    @staticmethod
    def wanted(scope: Scope, *places: Where) -> tuple[Check, ...]:
        """The checks to ask about those parts of an exchange."""
        return asked(scope, *places) if scope.rules.policy.checks else ()

    async def on_request(
        self, verdict: RequestVerdict, dialect: Dialect, head: RequestHead, scope: Scope
    ) -> RequestVerdict:
        """The verdict on a request, with what the checks say of the body that would be forwarded. `scope` must be
        informed of the request: guardrails may ask for its model."""
        checks = self.wanted(scope, *_REQUEST)
        if not checks or verdict.blocked:
            return verdict
        form: RequestFormat = dialect if verdict.understood else RawText()
        if verdict.attached is not None:
            form = verdict.attached.form(form, scope)
        try:
            segments = await self._scans.run(
                len(verdict.body), _request_segments, verdict, form, head, scope, _asks_strangers(checks)
            )
            ruling = await self._ruling(checks, segments, scope)
            return await self._scans.run(
                len(verdict.body), _carried_out, verdict, ruling, form, dialect, head, scope
            )
        except Exception:
            log.exception("the checks of a request failed")
            return replace(verdict, decision=verdict.decision.joined(failed_check(scope)))

    async def on_answer(self, verdict: AnswerVerdict, dialect: Dialect, scope: Scope) -> AnswerVerdict:
        """The verdict on a whole answer, with what the checks say of it before values are put back."""
        checks = self.wanted(scope, Where.ANSWER)
        if not checks or verdict.blocked or not verdict.understood:
            return verdict
        try:
            segments = await self._scans.run(
                len(verdict.body), _answer_segments, verdict, dialect, scope, _asks_strangers(checks)
            )
            ruling = await self._ruling(checks, segments, scope)
            return await self._scans.run(
                len(verdict.body), _answer_carried_out, verdict, ruling, dialect, scope
            )
        except Exception:
            log.exception("the checks of an answer failed")
            return replace(verdict, decision=verdict.decision.joined(failed_check(scope)))

    async def on_sent(self, texts: list[str], scope: Scope) -> Decision:
        """The decision on texts that have streamed to the client already: it can only be recorded."""
        checks = self.wanted(scope, Where.ANSWER)
        if not checks:
            return Decision()
        slots = tuple(
            Slot(address=((place,),), role=Role.ASSISTANT, text=text) for place, text in enumerate(texts)
        )
        try:
            segments = await self._scans.run(
                sum(map(len, texts)), _streamed_segments, slots, scope, _asks_strangers(checks)
            )
            ruling = await self._ruling(checks, segments, scope)
        except Exception:
            log.exception("the checks of a streamed answer failed")
            return after_the_fact(failed_check(scope))
        return after_the_fact(ruling.decision)

    async def _ruling(self, checks: tuple[Check, ...], segments: tuple[Segment, ...], scope: Scope) -> Ruling:
        asking = tuple((check, about) for check in checks if (about := asked_about(scope, check, segments)))
        if not asking:
            return Ruling()
        if self._runner is None:
            reports = tuple(Report(check=check.id, failure="not_running") for check, _ in asking)
        else:
            reports = await self._runner.run(asking)
        return rule_on(scope, checks, segments, reports)


def _asks_strangers(checks: tuple[Check, ...]) -> bool:
    return any(not isinstance(check, OnnxCheck) and check.redact_first for check in checks)


def _request_segments(
    verdict: RequestVerdict,
    form: RequestFormat,
    head: RequestHead,
    scope: Scope,
    private: bool,  # noqa: FBT001  handed through a pool
) -> tuple[Segment, ...]:
    slots = verdict.request.slots
    if slots or verdict.attached is not None:  # what is asked about is what would be forwarded
        slots = form.parse_request(head, verdict.body).slots
    return request_segments(scope.rules, slots, newest_turn(slots), private=private)


def _answer_segments(
    verdict: AnswerVerdict,
    dialect: Dialect,
    scope: Scope,
    private: bool,  # noqa: FBT001
) -> tuple[Segment, ...]:
    # as it was judged: what was put back for the client was hidden from strangers
    return answer_segments(scope.rules, dialect.parse_answer(verdict.judged).slots, private=private)


def _streamed_segments(slots: tuple[Slot, ...], scope: Scope, private: bool) -> tuple[Segment, ...]:  # noqa: FBT001
    return answer_segments(scope.rules, slots, private=private)


def _carried_out(
    verdict: RequestVerdict,
    ruling: Ruling,
    form: RequestFormat,
    dialect: Dialect,
    head: RequestHead,
    scope: Scope,
) -> RequestVerdict:
    """The verdict with the ruling. A body that was edited is inspected again: what is sent was itself inspected."""
    ruled = replace(verdict, decision=verdict.decision.joined(ruling.decision))
    if ruled.blocked or not ruling.edits:
        return ruled
    if verdict.request.sealed:
        return ruled.refused(scope, SEALED, rule="sealed")
    edited = form.edit_request(verdict.body, ruling.edits)
    again = inspect_request(dialect, head, edited, scope, verdict.attached)
    return _settled(ruled, again, lambda: again.understood == verdict.understood, scope)


def _answer_carried_out(
    verdict: AnswerVerdict, ruling: Ruling, dialect: Dialect, scope: Scope
) -> AnswerVerdict:
    ruled = replace(verdict, decision=verdict.decision.joined(ruling.decision))
    if ruled.blocked or not ruling.edits:
        return ruled
    again = inspect_answer(dialect, dialect.edit_answer(verdict.judged, ruling.edits), scope)
    return replace(_settled(ruled, again, lambda: again.understood, scope), judged=again.judged)


def _settled[V: (RequestVerdict, AnswerVerdict)](
    ruled: V, again: V, held: Callable[[], bool], scope: Scope
) -> V:
    if again.blocked:
        return replace(ruled, decision=ruled.decision.joined(again.decision))
    if not held():
        refused = refusal(scope, "a redaction did not hold", rule="redaction")
        return replace(ruled, decision=ruled.decision.joined(refused), body=b"")
    return replace(ruled, body=again.body)
