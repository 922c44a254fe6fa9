"""Inspects one request before a byte of it leaves the machine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agent.dialects import raw_text
from agent.dialects.base import ParsedRequest, RequestFormat, RequestHead
from agent.errors import ContentError
from agent.inspection.documents import StubbornContent, judge_document
from agent.inspection.pseudonyms import Vault
from agent.inspection.rules import Scope, where_of
from agent.inspection.verdicts import Tally, refusal
from agent.model.decision import Decision
from agent.policy import UnknownFormat, access


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestVerdict:
    """What is to be done with a request: `decision`, and the `body` to forward where it is not blocked. `vault` holds
    what stands for hidden values in it.

    `understood` is False where the body did not follow its dialect; `problem` then says why.
    """

    decision: Decision
    body: bytes
    request: ParsedRequest = field(default_factory=ParsedRequest)
    understood: bool = True
    problem: str = ""
    vault: Vault | None = None
    scope: Scope | None = None  # in which it was given, informed of the request

    @property
    def blocked(self) -> bool:
        """Whether nothing may be forwarded."""
        return self.decision.stops


def inspect_request(dialect: RequestFormat, head: RequestHead, body: bytes, scope: Scope) -> RequestVerdict:
    """Judge a request in `dialect`; `body` is free of Content-Encoding. Never raises: what cannot be read follows
    the policy's `unknown_format`."""
    try:
        request = dialect.parse_request(head, body)
    except ContentError as error:
        scope = scope.informed(ParsedRequest(), unread=len(body))
        if (refused := judge_access(scope)) is not None:
            return RequestVerdict(decision=refused, body=body, understood=False, problem=str(error))
        return _unknown(head, body, scope, str(error))
    textless = bool(body) and request.asks and not request.slots and not request.attachments
    scope = scope.informed(request, unread=len(body) if textless else 0)
    if (refused := judge_access(scope)) is not None:
        return RequestVerdict(decision=refused, body=body, request=request)
    if textless:  # a document of some other shape: nothing was found to read
        verdict = _unknown(head, body, scope, "the request holds no text where its format has it")
        return replace(verdict, request=replace(request, slots=verdict.request.slots))
    return _judge(dialect, head, body, request, scope)


def _judge(
    dialect: RequestFormat, head: RequestHead, body: bytes, request: ParsedRequest, scope: Scope
) -> RequestVerdict:
    tally = Tally(scope)
    try:
        body = judge_document(
            body,
            request.slots,
            tally,
            where_of,
            parse=lambda edited: dialect.parse_request(head, edited).slots,
            rewrite=dialect.edit_request,
        )
    except (StubbornContent, ContentError):
        return RequestVerdict(
            decision=refusal(scope, "a redaction did not hold", rule="redaction"), body=b"", request=request
        )
    return RequestVerdict(
        decision=tally.decision(), body=body, request=request, vault=scope.vault, scope=scope
    )


def judge_access(scope: Scope) -> Decision | None:
    """The refusal by an access rule of the policy, or None where the exchange may go on. Rules that ask for the model,
    size or attachments need a scope that is informed of the request."""
    verdict = access.decide(scope.rules.policy, scope.subject)
    if verdict.allowed:
        return None
    return refusal(scope, verdict.reason, rule=verdict.rule_id, template=verdict.message)


def judge_unread(scope: Scope, problem: str) -> Decision | None:
    """The refusal of a request whose body is none that could be read, or None where the policy lets it pass."""
    if (refused := judge_access(scope)) is not None:
        return refused
    if scope.rules.policy.unknown_format is not UnknownFormat.BLOCK:
        return None
    return refusal(scope, problem, rule="unknown_format")


def _unknown(head: RequestHead, body: bytes, scope: Scope, problem: str) -> RequestVerdict:
    match scope.rules.policy.unknown_format:
        case UnknownFormat.BLOCK:
            decision = refusal(scope, problem, rule="unknown_format")
        case UnknownFormat.METADATA:
            decision = Decision()
        case UnknownFormat.ALLOW:
            return _as_text(head, body, scope, problem)
    return RequestVerdict(decision=decision, body=body, understood=False, problem=problem)


def _as_text(head: RequestHead, body: bytes, scope: Scope, problem: str) -> RequestVerdict:
    """Unknown is not unseen: the raw text is judged as one prompt."""
    dialect = raw_text.RawText()
    try:
        request = dialect.parse_request(head, body)
    except ContentError:  # not even text: nothing a text rule could see
        return RequestVerdict(decision=Decision(), body=body, understood=False, problem=problem)
    verdict = _judge(dialect, head, body, request, scope)
    return replace(verdict, understood=False, problem=problem)
