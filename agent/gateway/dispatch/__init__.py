"""Sends a request along its plan: retries, failover, hedging, and the point from which an answer is committed to."""

from agent.gateway.dispatch.dispatcher import Dispatcher
from agent.gateway.dispatch.outcome import Dispatched, DispatchFailed
from agent.gateway.dispatch.ports import Credentials, Follow, NotAdmitted, Order, Prepared

__all__ = [
    "Credentials",
    "DispatchFailed",
    "Dispatched",
    "Dispatcher",
    "Follow",
    "NotAdmitted",
    "Order",
    "Prepared",
]
