"""What an event says beyond OCSF, under `unmapped`: OpenTelemetry's `gen_ai.*`, and our own facts under `drawbridge`.
Pure.

Durations are microseconds, money 10^-9 dollars, scores parts of a hundred: the chain knows no floats.
"""

from __future__ import annotations

from agent.audit.chain import Json
from agent.audit.documents import MAX_LIST, Document, clipped
from agent.audit.who import Introduction
from agent.model.content import Attachment, Usage
from agent.model.decision import Decision, Hit
from agent.model.record import Attempt, CaptureMode, Exchange, Outcome, Served
from agent.model.tool import CalledTool, ToolUse
from agent.policy.tool_calls import MAX_CHARACTERS

_LONGEST_EXTENSION = 8  # what is longer may be a part of a name
_MAX_CONTENT = 256 * 1024  # characters of captured content


def unmapped(event: Exchange, provider: str, who: Introduction) -> Document:
    """Everything of an exchange that stands under `unmapped`. `provider` is the GenAI provider name, `who` asked."""
    document: Document = {"drawbridge": _facts(event, who)}
    if event.operation or event.model:
        document["gen_ai.operation.name"] = event.operation or "chat"
        document["gen_ai.provider.name"] = provider
        document["gen_ai.request.model"] = clipped(event.model)
        document["gen_ai.request.stream"] = event.stream
        document["server.address"] = clipped(event.host)
        if event.conversation:
            document["gen_ai.conversation.id"] = clipped(event.conversation)
        if answered_by := event.answer_model or event.served.model:
            document["gen_ai.response.model"] = clipped(answered_by)
        if event.finish_reason:
            document["gen_ai.response.finish_reasons"] = [clipped(event.finish_reason)]
        document.update(_tokens(event.usage))
    if event.outcome is not Outcome.COMPLETED:
        document["error.type"] = event.outcome
    return document


def _tokens(usage: Usage) -> Document:
    counts: dict[str, int | None] = {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
    }
    return {name: count for name, count in counts.items() if count is not None}


def _facts(event: Exchange, who: Introduction) -> Document:
    """What we know and OCSF has no place for."""
    facts: Document = {
        "kind": "exchange",
        "surface": event.surface,
        "dialect": event.dialect,
        "upstream": event.upstream,
        "outcome": event.outcome,
        "connection": who.connection,
        "policy": {"id": event.policy_id, "hash": event.policy_hash},
        "decision": _decision(event.decision),
        "timing": _timing(event),
    }
    if event.standing.rule:
        facts["app"] = {"state": event.standing.state, "rule": event.standing.rule}
    if who.asker:
        facts["asker"] = who.asker
    if who.login:
        facts["login"] = who.login
    if event.error:
        facts["error"] = clipped(event.error)
    if event.trace:
        facts["traceparent"] = clipped(event.trace)
    if served := _served(event.served):
        facts["served"] = served
    if event.attachments:
        named = event.capture is CaptureMode.FULL  # a file's name is content
        facts["attachments"] = [_attachment(each, named=named) for each in event.attachments[:MAX_LIST]]
    if tools := _tools(event.tools):
        facts["tools"] = tools
    if event.capture is not CaptureMode.METADATA:
        facts["content"] = {
            "capture": event.capture,
            "prompt": clipped(event.prompt, _MAX_CONTENT),
            "answer": clipped(event.answer, _MAX_CONTENT),
        }
    return facts


def _attachment(attachment: Attachment, *, named: bool) -> Document:
    """A file. Its name is content, the last extension of it is not."""
    document: Document = {
        "kind": attachment.kind,
        "media_type": clipped(attachment.media_type),
        "size": attachment.size,
        "name": clipped(attachment.name) if named else "",
    }
    stem, dot, extension = attachment.name.rpartition(".")
    facts: dict[str, Json] = {
        "extension": extension.lower() if dot and stem and _plain(extension) else "",
        "id": clipped(attachment.id),
        "type": clipped(attachment.type),
        "problem": attachment.problem,
        "outcome": attachment.outcome,
        "characters": attachment.characters,
        "pages": attachment.pages,
        "entries": attachment.entries,
        "pixels": None if attachment.pixels is None else list(attachment.pixels),
        "findings": [
            {"what": clipped(what), "count": count} for what, count in attachment.findings[:MAX_LIST]
        ],
        "uploaded_ms": None if attachment.uploaded_at is None else int(attachment.uploaded_at * 1000),
    }
    document.update({name: value for name, value in facts.items() if value not in (None, "", [])})
    if attachment.readable is not None:
        document["readable"] = attachment.readable
    return document


def _plain(extension: str) -> bool:
    return len(extension) <= _LONGEST_EXTENSION and extension.isascii() and extension.isalnum()


def _tools(tools: ToolUse) -> Document:
    """What is told of tools."""
    document: Document = {}
    if tools.results:
        document["results"] = [
            {
                "tool": clipped(each.tool),
                "kind": each.kind,
                "outcome": "failed" if each.failed else "returned",
            }
            for each in tools.results[:MAX_LIST]
        ]
    if tools.calls:
        document["calls"] = [_call(each) for each in tools.calls[:MAX_LIST]]
    if tools.left_out:
        document["left_out"] = tools.left_out
    return document


def _call(call: CalledTool) -> Document:
    document: Document = {"tool": clipped(call.tool), "kind": call.kind}
    if call.arguments:
        document["arguments"] = clipped(call.arguments, MAX_CHARACTERS)
    if call.cut:
        document["cut"] = True
    return document


def _served(served: Served) -> Document:
    """What the gateway did to have the exchange answered; what is not known is left out."""
    document: Document = {
        name: clipped(value)
        for name, value in (
            ("provider", served.provider),
            ("model", served.model),
            ("key", served.key),
            ("rule", served.rule),
            ("cache", served.cache),
            ("virtual_key", served.virtual_key),
            ("customer", served.customer),
            ("team", served.team),
        )
        if value
    }
    if served.attempts:
        document["attempts"] = [_attempt(each) for each in served.attempts[:MAX_LIST]]
    if served.dropped:
        document["dropped"] = [clipped(each) for each in served.dropped[:MAX_LIST]]
    if served.cost_nano_usd is not None:
        document["cost_nano_usd"] = served.cost_nano_usd
    if served.estimated:
        document["estimated"] = True
    return document


def _attempt(attempt: Attempt) -> Document:
    document: Document = {
        "provider": clipped(attempt.provider),
        "model": clipped(attempt.model),
        "us": int(attempt.ms * 1000),
    }
    if attempt.key:
        document["key"] = clipped(attempt.key)
    if attempt.status:
        document["status"] = attempt.status
    if attempt.failure:
        document["failure"] = clipped(attempt.failure)
    return document


def _decision(decision: Decision) -> Document:
    document: Document = {
        "action": decision.action.word,
        "applied": decision.applied,
        "rule_ids": list(decision.rule_ids[:MAX_LIST]),
        "hits": [_hit(hit, applied=decision.applied) for hit in decision.hits[:MAX_LIST]],
    }
    if decision.restored or decision.unrestored:
        document["stand_ins"] = {"restored": decision.restored, "left": decision.unrestored}
    return document


def _hit(hit: Hit, *, applied: bool) -> Document:
    document: Document = {
        "family": hit.family,
        "type": hit.type,
        "rule": hit.rule,
        "guardrail": hit.guardrail,
        "where": hit.where,
        "action": hit.action.word,
        "applied": applied and not hit.shadow,
        "count": hit.count,
        "severity": hit.severity.word,
        "score": int(hit.score * 100),  # of a hundred: the chain knows no floats
    }
    if hit.shadow:
        document["shadow"] = True
    if hit.place:
        document["place"] = hit.place
    if hit.fingerprints:
        document["fingerprints"] = list(hit.fingerprints[:MAX_LIST])
    if hit.justification:
        document["justification"] = clipped(hit.justification)
    return document


def _timing(event: Exchange) -> Document:
    timing = event.timing
    document: Document = {
        "total_us": int(timing.total_ms * 1000),
        "overhead_us": int(timing.overhead_ms * 1000),
    }
    if timing.upstream_ms is not None:
        document["upstream_us"] = int(timing.upstream_ms * 1000)
    if timing.first_byte_ms is not None:
        document["first_byte_us"] = int(timing.first_byte_ms * 1000)
    if timing.last_byte_ms is not None:
        document["last_byte_us"] = int(timing.last_byte_ms * 1000)
    if timing.chunks:
        document["chunks"] = timing.chunks
    return document
