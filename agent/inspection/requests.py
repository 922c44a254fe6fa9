"""Inspects one request before a byte of it leaves the machine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agent.dialects import raw_text
from agent.dialects.base import ParsedRequest, RequestFormat, RequestHead
from agent.errors import ContentError
from agent.inspection.attached import Attached, judge_files
from agent.inspection.documents import StubbornContent, judge_document
from agent.inspection.pseudonyms import Vault
from agent.inspection.rules import Scope, where_of
from agent.inspection.verdicts import Tally, refusal
from agent.model.content import Edit
from agent.model.decision import Action, Decision
from agent.model.direct import direct
from agent.policy import Mode, UnknownFormat, access

SEALED = "the service signs its requests, so the text cannot be changed"


class SealedContent(Exception):
    """A change would have to be made in a request that its sender has signed."""


@direct
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
    attached: Attached | None = None  # the files that were read for it

    @property
    def blocked(self) -> bool:
        """Whether nothing may be forwarded."""
        return self.decision.stops

    def refused(self, scope: Scope, reason: str, *, rule: str) -> RequestVerdict:
        """The same, and nothing may be forwarded for that reason, such as a signature over what would change."""
        refused = refusal(scope, reason, rule=rule)
        return replace(self, decision=self.decision.joined(refused), body=b"")


def inspect_request(
    dialect: RequestFormat, head: RequestHead, body: bytes, scope: Scope, attached: Attached | None = None
) -> RequestVerdict:
    """Judge a request in `dialect`; `body` is free of Content-Encoding. `attached` are its files, if they were read:
    their texts are judged with it. Never raises: what cannot be read follows the policy's `unknown_format`."""
    try:
        request = dialect.parse_request(head, body)
    except ContentError as error:
        scope = scope.informed(ParsedRequest(), unread=len(body))
        if (refused := judge_access(scope)) is not None and refused.stops:
            return RequestVerdict(decision=refused, body=body, understood=False, problem=str(error))
        return _noted(refused, _unknown(head, body, scope, str(error)))
    asks = request.asks and not request.wordless
    textless = bool(body) and asks and not request.slots and not request.attachments
    if attached is not None:
        request = attached.informed(request)
    scope = scope.informed(request, unread=len(body) if textless else 0)
    if (refused := judge_access(scope)) is not None and refused.stops:
        return RequestVerdict(decision=refused, body=body, request=request)
    if textless and not request.attachments:  # a document of some other shape: nothing was found to read
        verdict = _unknown(head, body, scope, "the request holds no text where its format has it")
        return _noted(refused, replace(verdict, request=replace(request, slots=verdict.request.slots)))
    verdict = _judge(dialect, head, body, request, scope, attached)
    return _noted(refused, _noted(judge_files(scope, request.attachments), verdict))


def _noted(refused: Decision | None, verdict: RequestVerdict) -> RequestVerdict:
    """The verdict with a refusal beside it: where the policy only observes, what would be refused is judged none the
    less, so that an administrator sees all that the policy would do."""
    return verdict if refused is None else replace(verdict, decision=refused.joined(verdict.decision))


def _judge(
    dialect: RequestFormat,
    head: RequestHead,
    body: bytes,
    request: ParsedRequest,
    scope: Scope,
    attached: Attached | None = None,
) -> RequestVerdict:
    tally = Tally(scope)
    if attached is None:
        form, slots = dialect, request.slots
    else:
        form = files = attached.form(dialect, scope)
        slots = (*request.slots, *(slot for each in files.slots_of(body).values() for slot in each))
        attached.count_remembered(tally)
    try:
        judged = judge_document(
            body,
            slots,
            tally,
            where_of,
            parse=lambda edited: form.parse_request(head, edited).slots,
            rewrite=_sealed if request.sealed else form.edit_request,
        )
        if attached is not None:
            request = attached.settled(request, body, judged, tally, files)
    except SealedContent:
        decision = replace(refusal(scope, SEALED, rule="sealed"), hits=tally.decision().hits)
        return RequestVerdict(decision=decision, body=b"", request=request)
    except (StubbornContent, ContentError):
        return RequestVerdict(
            decision=refusal(scope, "a redaction did not hold", rule="redaction"), body=b"", request=request
        )
    return RequestVerdict(
        decision=tally.decision(),
        body=judged,
        request=request,
        vault=scope.vault,
        scope=scope,
        attached=attached,
    )


def _sealed(body: bytes, edits: tuple[Edit, ...]) -> bytes:
    raise SealedContent


def judge_app(scope: Scope) -> Decision | None:
    """What the policy says against the program that asks, before anything of its request is read: a refusal, or an
    alert while it waits for approval. None where it has nothing against it."""
    given = scope.approval
    if given.stops:
        return refusal(scope, given.reason, rule=given.deciding, template=given.message)
    if given.alerts:
        return Decision(
            action=Action.ALERT,
            reason=given.reason,
            rule_ids=(given.deciding,),
            applied=scope.rules.policy.mode is Mode.ENFORCE,
        )
    return None


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
