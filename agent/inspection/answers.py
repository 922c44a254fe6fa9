"""Inspects a complete answer before the client sees it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agent.dialects import raw_text
from agent.dialects.base import Dialect, ParsedAnswer, RequestHead
from agent.errors import ContentError
from agent.inspection.documents import Parse, Rewrite, StubbornContent, judge_document
from agent.inspection.restoration import Restored, Restorer
from agent.inspection.rules import Scope
from agent.inspection.verdicts import Tally, refusal
from agent.model.content import Role, Where
from agent.model.decision import Decision
from agent.model.direct import direct
from agent.policy import UnknownFormat


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerVerdict:
    """What is to be done with an answer. `understood` is False where it did not follow its dialect.

    `judged` is the body before values were put back in it: what may be kept of it.
    """

    decision: Decision
    body: bytes
    judged: bytes = b""
    answer: ParsedAnswer = field(default_factory=ParsedAnswer)
    understood: bool = True

    @property
    def blocked(self) -> bool:
        """Whether the client must not see it."""
        return self.decision.stops


def inspect_answer(dialect: Dialect, body: bytes, scope: Scope) -> AnswerVerdict:
    """Judge a complete answer in `dialect`, free of Content-Encoding. Never raises."""
    try:
        answer = dialect.parse_answer(body)
    except ContentError:
        return _as_text(body, scope)
    if not scope.watches_answers:
        return AnswerVerdict(decision=Decision(), body=body, judged=body, answer=answer)
    return _judge(
        body,
        answer,
        scope,
        parse=lambda edited: dialect.parse_answer(edited).slots,
        rewrite=dialect.edit_answer,
    )


def _as_text(body: bytes, scope: Scope) -> AnswerVerdict:
    """Unknown is not unseen: an answer that does not follow its dialect is judged as one piece of text."""
    text, head = raw_text.RawText(), RequestHead(method="", path="")
    unread = AnswerVerdict(decision=Decision(), body=body, judged=body, understood=False)
    if scope.rules.policy.unknown_format is UnknownFormat.METADATA or not scope.watches_answers:
        return unread
    try:
        answer = ParsedAnswer(slots=text.parse_request(head, body).slots)
    except ContentError:  # no text at all
        return unread
    verdict = _judge(
        body,
        answer,
        scope,
        parse=lambda edited: text.parse_request(head, edited).slots,
        rewrite=text.edit_request,
    )
    return replace(verdict, answer=ParsedAnswer(), understood=False)


def _judge(
    body: bytes, answer: ParsedAnswer, scope: Scope, *, parse: Parse, rewrite: Rewrite
) -> AnswerVerdict:
    tally = Tally(scope)
    try:
        body = judge_document(body, answer.slots, tally, _in_answer, parse=parse, rewrite=rewrite)
    except (StubbornContent, ContentError):
        return AnswerVerdict(
            decision=refusal(scope, "a redaction did not hold", rule="redaction"), body=b"", answer=answer
        )
    decision, judged = tally.decision(), body
    if scope.vault is not None and scope.restores and tally.enforcing and not decision.stops:
        restorer = Restorer(scope.vault, scope.rules.alias, scope.rules.local_tools)
        try:
            body = restorer.document(body, parse(body), parse=parse, rewrite=rewrite)
        except ContentError:  # what was judged stays as it is: with its stand-ins
            restorer.count = Restored()
        decision = replace(decision, restored=restorer.count.back, unrestored=restorer.count.left)
    return AnswerVerdict(decision=decision, body=body, judged=judged, answer=answer)


def _in_answer(role: Role) -> Where:
    del role
    return Where.ANSWER
