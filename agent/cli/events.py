"""How audit events are shown to people. Reads stored events (OCSF documents); decides nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime

from rich.table import Table
from rich.text import Text

from agent.audit import EventRow, StoredEvent
from agent.model.ids import short_ref

_COLOURS = (
    ("allow", "green"),
    ("alert", "yellow"),
    ("pseudonymize", "bold yellow"),
    ("mask", "bold yellow"),
    ("redact", "bold yellow"),
    ("ask", "red"),
    ("block", "bold red"),
)
_WHAT = 16  # characters: the longest kind of incident
_DAY_SECONDS = 24 * 3600
_PRINTS = 3  # fingerprints that are shown of a hit
SURE = 100
"""The score, of a hundred, of a detector that is sure."""


def listing(rows: Iterable[EventRow], *, now: float | None = None) -> Table:
    """A line for each event. Where the terminal is narrow, names of programs, hosts and models are shortened."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("ref", "time"):
        table.add_column(name, no_wrap=True)
    table.add_column("what", min_width=_WHAT, max_width=_WHAT)
    for name in ("app", "host", "model"):
        table.add_column(name, overflow="ellipsis")
    moment = time.time() if now is None else now
    for row in rows:
        cells = (Text(name.replace(" ", "\u00a0")) for name in (row.app, row.host, row.model))
        table.add_row(short_ref(row.id), clock(row.time_ms / 1e3, now=moment), what(row), *cells)
    return table


def what(row: EventRow) -> Text:
    """What an event is in a word or two: the decision and how the exchange ended, or the kind of incident."""
    if not row.decision:
        return Text(row.kind, style="cyan")
    if row.outcome in ("completed", "blocked"):
        return decision_text(row.decision)
    ended = Text(row.outcome.replace("_", " "), style="red")
    return ended if row.decision == "allow" else Text.assemble(decision_text(row.decision), ", ", ended)


def decision_text(decision: str) -> Text:
    """A decision in its colour."""
    return Text(decision, style=dict(_COLOURS).get(decision, ""))


def clock(at: float, *, now: float) -> str:
    """A Unix time in this machine's zone: the time of day, with the date where that is longer ago."""
    moment = datetime.fromtimestamp(at).astimezone()
    if 0 <= now - at < _DAY_SECONDS:
        return f"{moment:%H:%M:%S}"
    return f"{moment:%m-%d %H:%M}" if 0 <= now - at < 180 * _DAY_SECONDS else f"{moment:%Y-%m-%d}"


def rules_of(event: StoredEvent) -> tuple[str, ...]:
    """The policy's rules that decided."""
    match at(event.document, "unmapped", "drawbridge", "decision", "rule_ids"):
        case list(rules):
            return tuple(map(str, rules))
        case _:
            return ()


def details(event: StoredEvent) -> Iterator[tuple[str, str]]:
    """What an event says, as names and values; what it does not say is left out."""
    row, document = event.row, event.document
    ours = at(document, "unmapped", "drawbridge")
    moment = datetime.fromtimestamp(row.time_ms / 1e3).astimezone()
    rows = (
        ("id", row.id),
        ("ref", short_ref(row.id)),
        ("time", moment.isoformat(timespec="milliseconds")),
        ("kind", row.kind),
        ("message", _text(document, "message")),
        ("detail", _pairs(at(ours, "detail"))),
        ("app", _app(row.app, at(ours, "asker"))),
        ("process", _process(document)),
        ("started by", _names(at(document, "actor", "process", "ancestry"))),
        ("signed by", _text(document, "actor", "process", "file", "company_name")),
        ("user", _text(document, "actor", "user", "name")),
        ("account", _account(at(ours, "login"))),
        ("door", _text(ours, "connection", "tier")),
        ("host", row.host),
        ("request", _request(document)),
        ("model", row.model),
        ("surface", row.surface),
        ("upstream", _text(ours, "upstream")),
        ("served by", _served(at(ours, "served"))),
        ("attempts", _attempts(at(ours, "served", "attempts"))),
        ("cost", _cost(at(ours, "served"))),
        ("request id", _text(document, "http_request", "uid")),
        ("trace", _text(document, "metadata", "correlation_uid")),
        ("program", _program(at(ours, "app"))),
        ("tools", _tools(at(ours, "tools"))),
        ("decision", _decision(event)),
        ("found", _hits(at(ours, "decision", "hits"))),
        ("stand-ins", _stand_ins(at(ours, "decision", "stand_ins"))),
        ("policy", _policy(ours)),
        ("outcome", row.outcome),
        ("error", _text(ours, "error")),
        ("status", _text(document, "status_code")),
        ("tokens", _tokens(document)),
        ("bytes", _bytes(document)),
        ("time spent", _timing(at(ours, "timing"))),
        ("prompt", _text(ours, "content", "prompt")),
        ("answer", _text(ours, "content", "answer")),
        ("in the chain", f"number {row.seq}, {_text(ours, 'attestation', 'fingerprint', 'value')}"),
    )
    return ((name, value) for name, value in rows if value)


def at(document: object, *path: str) -> object:
    """The value at a path of keys, None where there is none."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _text(document: object, *path: str) -> str:
    found = at(document, *path)
    return "" if found is None else str(found)


def _pairs(found: object) -> str:
    each = found if isinstance(found, list) else []
    return "\n".join(f"{_text(pair, 'name')}: {_text(pair, 'value')}" for pair in each)


def _process(document: object) -> str:
    process = at(document, "actor", "process")
    if process is None:
        return ""
    path = _text(process, "file", "path") or _text(process, "name")
    return f"{path} (pid {_text(process, 'pid')})"


def _app(name: str, asker: object) -> str:
    """With the apps it runs in, and how all that is known."""
    within = at(asker, "within")
    inside = f" in {', in '.join(map(str, within))}" if isinstance(within, list) and within else ""
    evidence, claimed = _text(asker, "evidence"), _text(asker, "claimed")
    notes = [f"known by: {evidence}"] if evidence else []
    if claimed and claimed != _text(asker, "app"):
        notes.append(f"it says that it is {claimed}")
    return f"{name}{inside}" + (f" ({'; '.join(notes)})" if notes else "")


def _names(found: object) -> str:
    each = found if isinstance(found, list) else []
    return " ← ".join(_text(one, "name") for one in each)


def _account(login: object) -> str:
    """Whose account, of what kind, in which organisation."""
    kind = _text(login, "kind").replace("_", " ")
    words = [_text(login, "tenancy"), _text(login, "plan"), kind]
    key, tail = _text(login, "key_type"), _text(login, "tail")
    facts = [f"{key} …{tail}" if tail else key, _text(login, "subject")]
    if organisation := _text(login, "organisation"):
        facts.append(f"organisation {organisation}")
    about = ", ".join(fact for fact in facts if fact)
    return " ".join(word for word in words if word) + (f" ({about})" if about else "")


def _request(document: object) -> str:
    return f"{_text(document, 'http_request', 'http_method')} {_text(document, 'http_request', 'url', 'path')}".strip()


def _decision(event: StoredEvent) -> str:
    if not event.row.decision:
        return ""
    applied = at(event.document, "unmapped", "drawbridge", "decision", "applied")
    observed = "" if applied is not False or event.row.decision == "allow" else " (only observed)"
    rules = ", ".join(rules_of(event))
    return f"{event.row.decision}{observed}" + (f", by {rules}" if rules else "")


def _hits(found: object) -> str:
    each = found if isinstance(found, list) else []
    return "\n".join(
        f"{_text(hit, 'count')} × {_text(hit, 'family')}/{_text(hit, 'type')} in the "
        f"{_text(hit, 'where').replace('_', ' ')}: {_text(hit, 'action')} "
        f"({', '.join(_circumstances(hit))})"
        for hit in each
    )


def _program(found: object) -> str:
    state = _text(found, "state")
    return f"{state}, by {_text(found, 'rule')}" if state else ""


def _tools(found: object) -> str:
    """The results that came, then the calls that were asked for."""
    results, calls = at(found, "results"), at(found, "calls")
    lines = [
        f"{_text(each, 'tool')} ({_text(each, 'kind')}) {_text(each, 'outcome')}"
        for each in (results if isinstance(results, list) else [])
    ]
    lines += [
        f"{_text(each, 'tool')} ({_text(each, 'kind')}) was called"
        + (f": {said}" if (said := _text(each, "arguments")) else "")
        + (" …" if at(each, "cut") else "")
        for each in (calls if isinstance(calls, list) else [])
    ]
    if left_out := _text(found, "left_out"):
        lines.append(f"and {left_out} more")
    return "\n".join(lines)


def _stand_ins(counts: object) -> str:
    if not isinstance(counts, dict):
        return ""
    left = f", {_text(counts, 'left')} left where values must not go" if counts.get("left") else ""
    return f"{_text(counts, 'restored')} made values again{left}"


def _circumstances(hit: object) -> Iterator[str]:
    yield f"detector {_text(hit, 'rule')}"
    yield f"guardrail {_text(hit, 'guardrail')}"
    if severity := _text(hit, "severity"):
        yield f"severity {severity}"
    score = at(hit, "score")
    if isinstance(score, int) and score < SURE:
        yield f"score {score / 100}"
    if at(hit, "shadow"):
        yield "on trial: nothing was done"
    prints = at(hit, "fingerprints")
    if isinstance(prints, list) and prints:
        shown = ", ".join(str(each)[:8] for each in prints[:_PRINTS])
        yield f"fingerprints {shown}" + (
            f" and {len(prints) - _PRINTS} more" if len(prints) > _PRINTS else ""
        )
    if reason := _text(hit, "justification"):
        yield f"allowed because: {reason}"


def _policy(ours: object) -> str:
    name = _text(ours, "policy", "id")
    return f"{name} ({_text(ours, 'policy', 'hash')[:12]})" if name else ""


def _tokens(document: object) -> str:
    counts = at(document, "unmapped")
    read, written = (_text(counts, f"gen_ai.usage.{way}_tokens") for way in ("input", "output"))
    return f"{read or '?'} in, {written or '?'} out" if read or written else ""


def _served(served: object) -> str:
    way = "/".join(filter(None, (_text(served, "provider"), _text(served, "model"))))
    names = (("key", "key"), ("virtual_key", "virtual key"), ("rule", "rule"), ("cache", "cache"))
    facts = [f"{name} {value}" for key, name in names if (value := _text(served, key))]
    return f"{way} ({', '.join(facts)})" if way and facts else way or ", ".join(facts)


def _attempts(found: object) -> str:
    """Told where there was more than one, or none that was answered."""
    each = found if isinstance(found, list) else []
    if len(each) < 2 and not any(_text(one, "failure") for one in each):
        return ""
    return "\n".join(
        f"{_text(one, 'provider')}/{_text(one, 'model')}: {_text(one, 'failure') or 'answered'}"
        for one in each
    )


def _cost(served: object) -> str:
    nano = at(served, "cost_nano_usd")
    if not isinstance(nano, int):
        return ""
    return f"${nano / 1e9:.6f}" + (" (estimated)" if at(served, "estimated") else "")


def _bytes(document: object) -> str:
    if at(document, "http_request") is None:
        return ""
    answer = _text(document, "http_response", "length") or "0"
    return f"{_text(document, 'http_request', 'length')} in the request, {answer} in the answer"


def _timing(timing: object) -> str:
    names = (("total_us", "in all"), ("upstream_us", "the provider"), ("overhead_us", "inspection"))
    spent = ((at(timing, key), name) for key, name in names)
    return ", ".join(f"{each / 1e3:.2f} ms {name}" for each, name in spent if isinstance(each, int))
