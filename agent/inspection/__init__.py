"""The pipeline: parse, look, decide, rewrite. Values in, a verdict and bytes out.

Everything that reaches a model, and everything a model answers, passes through here exactly once. No socket, clock,
disk or task: the gateway applies what is decided here, and applies it in one place.
"""

from agent.inspection.answers import AnswerVerdict, inspect_answer
from agent.inspection.attached import Attached
from agent.inspection.companions import Companions
from agent.inspection.requests import RequestVerdict, inspect_request, judge_access, judge_app, judge_unread
from agent.inspection.rules import RuleBook, Scope
from agent.inspection.streams import StreamInspector

__all__ = [
    "AnswerVerdict",
    "Attached",
    "Companions",
    "RequestVerdict",
    "RuleBook",
    "Scope",
    "StreamInspector",
    "inspect_answer",
    "inspect_request",
    "judge_access",
    "judge_app",
    "judge_unread",
]
