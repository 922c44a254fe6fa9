"""The control API: who asks is checked, then what, then whether he may; then the verb is carried out and, where it
changes something, recorded. See docs/control.md.

A web page cannot get here: no request with an `Origin` or `Referer`, and none to another name than ours, is served.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from agent.control.caller import Caller
from agent.control.http import Answer, Request
from agent.control.recording import Shares
from agent.control.verbs import VERBS, Arguments, Role, Verb
from agent.errors import DrawbridgeError
from agent.host.peers import Operators, Peer
from agent.model.record import IncidentKind, NoteIncident

log = logging.getLogger(__name__)

HOST = "drawbridge.sock"
"""The name by which requests ask for us; no name that anything resolves."""

PREFIX = "/v1/"
_FOREIGN = ("origin", "referer", "sec-fetch-site")  # what only browsers send

type Handler = Callable[[Caller, Any], Awaitable[object]]


class ControlApi:
    """Answers requests of those whom the system names."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        operators: Operators,
        note: NoteIncident,
        *,
        verbs: tuple[Verb, ...] = VERBS,
    ) -> None:
        self._verbs = {verb.name: verb for verb in verbs}
        self._handlers = handlers
        self._operators = operators
        self._note = note
        self._shares = Shares()

    async def __call__(self, request: Request, peer: Peer | None) -> Answer:
        """See `agent.control.http.Respond`."""
        if problem := foreign(request):
            return Answer.refusal(403, problem)
        caller = await self._caller(peer)
        if caller is None:
            return Answer.refusal(401, "it is not known who asks")
        verb = self._verbs.get(request.path.removeprefix(PREFIX)) if request.path.startswith(PREFIX) else None
        if verb is None:
            return Answer.refusal(
                404, "there is no such verb", code="unknown_verb", hint="See docs/control.md."
            )
        if request.method != verb.method:
            return Answer.refusal(405, f"{verb.name} is asked by {verb.method}", code="method")
        answer = await self._carried_out(verb, request, caller)
        if verb.unsafe:
            await self._record(verb, caller, answer.status)
        return answer

    async def _carried_out(self, verb: Verb, request: Request, caller: Caller) -> Answer:
        if caller.role < verb.role:
            return Answer.refusal(
                403,
                f"{verb.name} is for administrators of this machine",
                code="not_allowed",
                hint="Run it with sudo, or have your account named in the setting `operators`.",
            )
        arguments = _arguments(verb, request)
        if isinstance(arguments, Answer):
            return arguments
        try:
            return Answer.json(await self._handlers[verb.name](caller, arguments))
        except DrawbridgeError as error:
            return Answer.refusal(409, str(error), hint=error.hint())

    async def _caller(self, peer: Peer | None) -> Caller | None:
        if peer is None:
            return None
        account = await asyncio.to_thread(self._operators.account, peer)
        role = Role.OPERATOR if self._operators.allow(peer.uid, account) else Role.USER
        return Caller(uid=peer.uid, pid=peer.pid, name=account.name, role=role)

    async def _record(self, verb: Verb, caller: Caller, status: int) -> None:
        done = "done" if status < 400 else "refused"
        log.info("%s by %s (uid %d, pid %d): %s", verb.name, caller.name, caller.uid, caller.pid, done)
        facts = {
            "verb": verb.name,
            "user": caller.name,
            "uid": str(caller.uid),
            "pid": str(caller.pid),
            "status": str(status),
        }
        left_out = self._shares.take(caller.uid, time.monotonic())
        if left_out is None:
            return
        if left_out:
            facts["more_before"] = str(left_out)
        message = f"{caller.name} asked for {verb.name}: {done}"
        await self._note(IncidentKind.CONTROL, message, tuple(facts.items()))


def foreign(request: Request) -> str:
    """Why a request cannot be one of our own commands, or empty."""
    if request.headers.get("host", "") != HOST:
        return "this is no web server"
    if any(name in request.headers for name in _FOREIGN):
        return "requests from web pages are not served"
    return ""


def _arguments(verb: Verb, request: Request) -> Arguments | Answer:
    """What the verb is given, or the answer that says what is wrong with it."""
    given: object = dict(request.query)
    if verb.unsafe:
        if request.query:
            return Answer.refusal(400, f"{verb.name} takes no query", code="arguments")
        if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
            return Answer.refusal(415, "the body must be application/json", code="arguments")
        try:
            given = orjson.loads(request.body or b"{}")
        except orjson.JSONDecodeError:
            return Answer.refusal(400, "the body is no JSON", code="arguments")
    elif request.body:
        return Answer.refusal(400, f"{verb.name} takes no body", code="arguments")
    try:
        return verb.arguments.model_validate(given)
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'the body'}: {each['msg']}" for each in error.errors()[:5]
        )
        return Answer.refusal(400, f"{verb.name}: {told}", code="arguments")
