"""Which tools' results a request brings, and whether they failed: read by the translators, which know every format."""

from __future__ import annotations

import logging

from agent.dialects.base import RequestHead
from agent.errors import ContentError
from agent.inspection.tool_calls import MAX_CALLS, CallReport
from agent.model.conversation import Conversation, Speaker, ToolResult
from agent.model.tool import ToolOutcome
from agent.translation.registry import translator

log = logging.getLogger(__name__)

_MAX_NAME = 128


def tool_results(
    report: CallReport, dialect: str, head: RequestHead, body: bytes, *, app: str
) -> tuple[ToolOutcome, ...]:
    """The results since the model last spoke; clients send the whole history with every request. None where the format
    has no translator or the body is not of the format."""
    reader = translator(dialect)
    if reader is None:
        return ()
    try:
        conversation = reader.read_request(head.path, head.query, body)
    except ContentError:
        return ()
    outcomes: list[ToolOutcome] = []
    for result in _newest(conversation):
        kind = report.kind(result.name, app)
        if kind is not None:
            outcomes.append(ToolOutcome(tool=result.name[:_MAX_NAME], kind=kind, failed=result.error))
    return tuple(outcomes[-MAX_CALLS:])


def _newest(conversation: Conversation) -> list[ToolResult]:
    found: list[ToolResult] = []
    for turn in reversed(conversation.turns):
        if turn.speaker is Speaker.ASSISTANT:
            break
        found[:0] = [part for part in turn.parts if isinstance(part, ToolResult)]
    return found
