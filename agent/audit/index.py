"""What the store keeps beside an event's body, to search by and to drop by: derived from the body alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from agent.audit.chain import Json


class Keep(IntEnum):
    """How dear an event is, in the order in which retention gives events up."""

    PLAIN = 0  # allowed, metadata only
    DETAILED = (
        1  # allowed with content, alerts, redactions, guardrails on trial, blocks that were only observed
    )
    ALWAYS = 2  # blocks and questions, incidents, and what the trail says about itself


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One line of a listing. Empty where it does not apply."""

    seq: int
    id: str
    time_ms: int
    kind: str  # exchange, an incident kind, audit.dropped or audit.truncated
    host: str
    model: str
    decision: str  # the action's word
    outcome: str
    surface: str
    app: str


_STOPPED = frozenset({"ask", "block"})

type Columns = tuple[int, str, int, str, str, str, str, str, str, str, int]
"""The fields of EventRow, then Keep."""


def event_row(values: Iterable[Any]) -> EventRow:
    """The row of values in the order of EventRow's fields."""
    return EventRow(**dict(zip(EventRow.__slots__, values, strict=True)))


def columns(document: dict[str, Json]) -> Columns:
    """The columns of a stored event. Raises KeyError or TypeError for a document that is none of ours."""
    event: Any = document
    facts = event["unmapped"]["drawbridge"]
    connection = facts.get("connection", {})
    decision = facts.get("decision")
    host = (
        event["dst_endpoint"]["hostname"]
        if decision is not None
        else connection.get("connect_host") or connection.get("sni", "")
    )
    return (
        event["metadata"]["sequence"],
        event["metadata"]["uid"],
        event["time"],
        facts["kind"],
        host,
        event["unmapped"].get("gen_ai.request.model", ""),
        decision["action"] if decision is not None else "",
        facts.get("outcome", ""),
        facts.get("surface", ""),
        event.get("actor", {}).get("app_name", ""),
        _keep(decision, has_content="content" in facts or "tools" in facts),
    )


def _keep(decision: Any, *, has_content: bool) -> Keep:
    if decision is None or (decision["action"] in _STOPPED and decision["applied"]):
        return Keep.ALWAYS
    told = decision["action"] != "allow" or any(hit.get("shadow") for hit in decision["hits"])
    return Keep.DETAILED if has_content or told else Keep.PLAIN
