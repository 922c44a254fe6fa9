"""Which answers are kept, and which requests are never looked up. Pure.

Kept is what would be said again: one whole answer, ended by itself, that no rule touched and that does nothing.
"""

from __future__ import annotations

from collections.abc import Collection

from agent.caching.canonical import Request
from agent.model.conversation import Finish, Reply, ToolCall
from agent.model.decision import Decision
from agent.policy.caching import Caching

_USUAL_TEMPERATURE = 1.0  # what every format takes where a request names none
_WHOLE = frozenset({Finish.STOP, Finish.STOP_SEQUENCE})


def request_obstacle(request: Request, decision: Decision, settings: Caching) -> str:
    """Why the cache has nothing to do with a request, in a word; empty where it has."""
    if request.obstacle:
        return request.obstacle
    if decision.action.changes:
        return "changed_by_policy"
    limit = settings.max_temperature
    if limit is not None:
        given = _USUAL_TEMPERATURE if request.temperature is None else request.temperature
        if given > limit:
            return "temperature"
    return ""


def answer_obstacle(
    *, status: int, size: int, reply: Reply | None, complete: bool, decision: Decision, settings: Caching
) -> str:
    """Why an answer is not kept, in a word; empty where it is. Observe mode changes nothing, but what would have been
    changed is not kept either."""
    if status != 200:
        return "status"
    if decision.action.changes or decision.restored:
        return "changed_by_policy"
    if not complete:
        return "incomplete"
    if size > settings.max_entry_bytes:
        return "too_large"
    if reply is None:
        return "unreadable"  # nobody knows how it ended, or what it asks for
    return _reply_obstacle(reply, settings.safe_tools)


def _reply_obstacle(reply: Reply, safe_tools: Collection[str]) -> str:
    if len(reply.choices) != 1:
        return "choices"
    choice = reply.choices[0]
    calls = [part for part in choice.parts if isinstance(part, ToolCall)]
    if any(call.name not in safe_tools for call in calls):
        return "tool_calls"
    if choice.finish not in _WHOLE and not (calls and choice.finish is Finish.TOOL_CALLS):
        return "finish"
    return "" if choice.parts else "empty"
