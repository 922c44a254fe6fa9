"""Values to build reports of the demo with."""

from __future__ import annotations

from dataclasses import replace

from agent.audit import Problem, ProblemKind, StoredEvent, VerifyReport
from agent.audit.index import columns, event_row
from agent.audit.ocsf import OcsfMapper, Stamp
from agent.cli.demo.results import Latency, Report, Seen, Step
from agent.host.runfile import RunFile
from agent.model.decision import Action
from tests.fakes.audit import DEVICE, decided, make_exchange

_STEP = Step(
    id="x",
    title="a title",
    program="openai",
    decision="allow",
    seen=Seen(tried="a prompt", client_saw="an answer", provider_received="a prompt"),
)
WHOLE = VerifyReport(ok=True, events=44, dropped=0, last_seq=44)
BROKEN = VerifyReport(
    ok=False,
    events=2,
    dropped=0,
    last_seq=2,
    problem=Problem(kind=ProblemKind.REMOVED, seq=3, text="it is missing"),
)


def make_step(**changes: object) -> Step:
    """A step that went as promised, with `changes`."""
    return replace(_STEP, **changes)  # type: ignore[arg-type]


def make_event(decision: str, **changes: object) -> StoredEvent:
    """An exchange in the trail."""
    event = make_exchange(decision=decided(Action.parse(decision)), **changes)
    document = OcsfMapper(DEVICE, {}).document(event, Stamp(sequence=1, logged_ms=0))
    return StoredEvent(row=event_row(columns(document)[:-1]), document=document)


def make_report(*steps: Step, **changes: object) -> Report:
    """A report of these steps, with `changes`."""
    report = Report(
        agent=RunFile(
            pid=1, proxy_port=2, gateway_port=3, started_at=0.0, state_dir="/s", ca_path="/s/c", version="1"
        ),
        policy="",
        steps=steps,
        gateway_steps=(),
        events=tuple(make_event(step.decision) for step in steps if step.decision),
        trail_problem="",
        verified=WHOLE,
        latency=Latency(requests=30, direct_ms=1.5, bridged_ms=2.25, own_ms=0.125),
        seconds=4.2,
    )
    return replace(report, **changes)  # type: ignore[arg-type]
