"""The audit trail: events become OCSF, are chained so that tampering shows, and are durable before a client sees its
answer's end. `Spool` is the way in, `Trail` the way out; nothing else of the trail's files is touched by anyone.
"""

from agent.audit.chain import Problem, ProblemKind
from agent.audit.index import EventRow
from agent.audit.retention import Limits
from agent.audit.spool import Spool
from agent.audit.trail import StoredEvent, Trail, VerifyReport

__all__ = [
    "EventRow",
    "Limits",
    "Problem",
    "ProblemKind",
    "Spool",
    "StoredEvent",
    "Trail",
    "VerifyReport",
]
