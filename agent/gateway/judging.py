"""Judges one request before it is forwarded: the local rules, the reasons people gave, the checks outside.

Owns what inspection needs from around it: who asks, which conversation it belongs to, which findings were justified.
It decides nothing about where a request goes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from functools import partial

from agent.dialects.base import Dialect, RequestHead
from agent.gateway import headers
from agent.gateway.conversations import Conversations
from agent.gateway.files import FileReader
from agent.gateway.ledger import Ledger, captured, newest_turn
from agent.gateway.ports import JustificationSource
from agent.gateway.routing import Route
from agent.gateway.scans import ScanPool
from agent.gateway.second_opinion import SecondOpinion
from agent.gateway.signed_bodies import seals_body, unchanged_or_refused
from agent.gateway.subjects import subject_of
from agent.gateway.tool_results import tool_results
from agent.gateway.wire import ClientRequest
from agent.inspection import Attached, RequestVerdict, Scope, inspect_request, judge_app
from agent.inspection.justified import Justified
from agent.inspection.verdicts import failed_check
from agent.model.content import Role
from agent.model.decision import Action, Decision
from agent.model.device import NO_DEVICE, Device
from agent.model.direct import direct
from agent.model.ids import short_ref
from agent.model.record import APPROVED, CaptureMode
from agent.model.traffic import Connection

log = logging.getLogger(__name__)


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be judged: a request's head and body (free of Content-Encoding), and the way it would go. `asker` is
    the id of the virtual key that it came with; `conversation` names the one it belongs to, where it does not
    itself."""

    request: ClientRequest
    route: Route
    dialect: Dialect
    body: bytes
    asker: str = ""
    conversation: str = ""

    @property
    def head(self) -> RequestHead:
        """The head as dialects look at it."""
        return RequestHead(
            method=self.request.method,
            path=self.route.plain_path,
            query=self.route.query.decode("latin-1"),
            content_type=headers.combined(self.request.headers, b"content-type").decode("latin-1"),
            action=headers.get(self.request.headers, b"x-amz-target").decode("latin-1"),
        )

    @property
    def seal(self) -> str:
        """What signs the body, where it goes on with the client's own signature."""
        own = self.route.upstream == "native" and self.route.credential is None
        return seals_body(self.request.headers, self.route.endpoint) if own else ""


class Judge:
    """Gives verdicts on requests. Its methods never raise."""

    def __init__(
        self,
        *,
        scans: ScanPool,
        opinion: SecondOpinion,
        conversations: Conversations,
        capture_key: bytes,
        justifications: JustificationSource | None = None,
        files: FileReader | None = None,
        device: Device = NO_DEVICE,
    ) -> None:
        """Without `files`, attachments are noted and not read. `device` is this machine."""
        self._files = files
        self._scans = scans
        self._opinion = opinion
        self._conversations = conversations
        self._capture_key = capture_key
        self._device = device
        self._justifications = justifications
        self._unjustified = Justified(key=justifications.key if justifications is not None else b"")

    def scope(self, route: Route, ledger: Ledger, connection: Connection) -> Scope:
        """The scope of an exchange, before anything of its body is known."""
        subject = subject_of(
            route,
            connection,
            at=ledger.started_at,
            asker=ledger.asker,
            login=ledger.login,
            device=self._device,
        )
        return ledger.rules.scope(subject, ref=short_ref(ledger.id), justified=self._unjustified)

    def admits(self, route: Route, ledger: Ledger, connection: Connection) -> Decision | None:
        """What the policy says against the program that asks, None where it has nothing against it. Noted in the
        ledger, with what may be kept of the exchange."""
        if ledger.rules.policy.apps.lenient:
            ledger.standing = APPROVED
            return None
        scope = self.scope(route, ledger, connection)
        decision = judge_app(scope)
        ledger.approved(scope, refused=decision is not None and decision.stops)
        if decision is not None:
            ledger.decided(decision)
        return decision

    async def judge(self, question: Question, ledger: Ledger) -> tuple[RequestVerdict, Scope]:
        """The verdict, and the scope in which the answer is to be judged."""
        scope = self._conversing(self.scope(question.route, ledger, question.request.connection), question)
        size = len(question.body)
        with ledger.working():
            try:
                verdict, scope = await self._ruled(question, scope)
            except Exception:
                log.exception("inspection of exchange %s failed", ledger.id)
                verdict = RequestVerdict(decision=failed_check(scope), body=question.body, understood=False)
            verdict = await self._second_opinion(verdict, question, scope)
            await self._results(verdict, question, scope, ledger)
            verdict = unchanged_or_refused(verdict, question.body, question.seal, scope)
            if verdict.attached is not None:  # what files say need not be kept while the answer comes
                verdict = replace(verdict, attached=None)
            capture = scope.capture
            if capture is not CaptureMode.METADATA and verdict.understood:
                ledger.prompt = self._captured_prompt(capture, question, verdict)
        if verdict.scope is not None and verdict.understood and scope.open_vault is None:
            return verdict, verdict.scope
        scope = replace(scope, vault=verdict.vault, open_vault=None)
        return verdict, scope.informed(verdict.request, unread=0 if verdict.understood else size)

    async def _ruled(self, question: Question, scope: Scope) -> tuple[RequestVerdict, Scope]:
        body = question.body
        verdict = await self._inspected(question, scope)
        request = verdict.request
        attached = None
        if self._files is not None and (request.attachments or request.files):
            provider = question.route.surface.provider
            about = replace(scope, open_vault=None).informed(request)
            attached = await self._files.attached(request, body, about, provider)
            if attached is not None:  # judged again, as a whole: rules may ask what its files are
                verdict = await self._inspected(question, scope, attached)
        if (excused := await self._justified(verdict.decision, scope)) is None:
            return verdict, scope
        return await self._inspected(question, excused, attached), excused

    async def _inspected(
        self, question: Question, scope: Scope, attached: Attached | None = None
    ) -> RequestVerdict:
        size = len(question.body)
        if attached is not None:
            size += sum(each.reading.characters for each in attached.files if each.reading is not None)
        return await self._scans.run(
            size, inspect_request, question.dialect, question.head, question.body, scope, attached
        )

    async def _second_opinion(
        self, verdict: RequestVerdict, question: Question, scope: Scope
    ) -> RequestVerdict:
        """The verdict with what the checks say. What they ask about can be justified as anything else can."""
        if verdict.blocked or not scope.rules.policy.checks:
            return verdict
        scope = replace(scope, vault=verdict.vault)
        scope = scope.informed(verdict.request, unread=0 if verdict.understood else len(question.body))
        ruled = await self._opinion.on_request(verdict, question.dialect, question.head, scope)
        if (excused := await self._justified(ruled.decision, scope)) is None:
            return ruled
        return await self._opinion.on_request(verdict, question.dialect, question.head, excused)

    async def _results(
        self, verdict: RequestVerdict, question: Question, scope: Scope, ledger: Ledger
    ) -> None:
        """Note what the request brings of tools, where the policy wants to know."""
        report = scope.rules.report
        slots = verdict.request.slots
        if (
            report is None
            or not verdict.understood
            or not any(each.role is Role.TOOL_RESULT for each in slots)
        ):
            return
        read = partial(tool_results, app=scope.subject.app)
        body, name = question.body, question.dialect.name
        try:
            found = await self._scans.run(len(body), read, report, name, question.head, body)
        except Exception:
            log.exception("the tool results of exchange %s cannot be told", ledger.id)
            return
        ledger.tools = replace(ledger.tools, results=found)

    def _captured_prompt(self, capture: CaptureMode, question: Question, verdict: RequestVerdict) -> str:
        original = newest_turn(verdict.request.slots)
        redacted = original
        if capture is CaptureMode.REDACTED and not verdict.blocked:
            redacted = newest_turn(question.dialect.parse_request(question.head, verdict.body).slots)
        elif capture is CaptureMode.REDACTED:
            redacted = ()  # a blocked prompt was not rewritten: keeping it would keep what was blocked
        return captured(capture, redacted, original, self._capture_key)

    def _conversing(self, scope: Scope, question: Question) -> Scope:
        """The scope that knows how to find the conversation's pseudonyms, where the policy makes any."""
        if not scope.rules.pseudonymizes:
            return scope
        subject = scope.subject
        connection = question.request.connection
        process = connection.process  # not what the request says: a vault is not to be asked for by name
        program = connection.app or (process.executable or process.name if process else "")
        principal = (question.asker, subject.user, program, subject.surface, subject.host)
        vault = partial(
            self._conversations.vault,
            principal,
            question.request.headers,
            question.body,
            carrier=question.conversation,
        )
        return replace(scope, open_vault=vault)

    async def _justified(self, decision: Decision, scope: Scope) -> Scope | None:
        """The scope with the reasons that were given for findings the user was asked about, None where there are
        none. Only then is the file looked at."""
        if decision.action is not Action.ASK or self._justifications is None:
            return None
        ask = scope.rules.policy.ask
        read = partial(
            self._justifications.reasons, now=time.time(), minutes=ask.minutes, terminal=ask.terminal
        )
        try:
            reasons = await asyncio.get_running_loop().run_in_executor(None, read)
        except Exception:  # whatever is wrong with the file: the question stands
            log.exception("the justifications cannot be read")
            return None
        asked = {(hit.guardrail, print_) for hit in decision.hits for print_ in hit.fingerprints}
        if asked.isdisjoint(reasons):
            return None
        return replace(scope, justified=replace(scope.justified, reasons=reasons))
