"""The dashboard and the alert rules that ship with the docs: whatever they ask for is there."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import re2
import yaml
from prometheus_client.parser import text_string_to_metric_families

from agent.model.content import Usage
from agent.model.decision import Action
from agent.model.record import Outcome, Served
from agent.telemetry.metrics import Metrics
from agent.telemetry.present import Exported, Present
from tests.fakes.audit import decided, make_exchange
from tests.fakes.watched_traffic import ROUTED, SNAPSHOT

FOLDER = Path(__file__).parents[1] / "docs" / "observability"
OF_PROMETHEUS = {"instance", "job", "le"}
USAGE = Usage(input_tokens=9, output_tokens=9, cache_read_tokens=9, cache_write_tokens=9, reasoning_tokens=9)


@cache
def series() -> dict[str, set[str]]:
    """Every series that a page of metrics can hold, with its labels."""
    metrics = Metrics(user_labels=True)
    retried = Served(provider="a", model="m", attempts=(ROUTED.attempts[0],) * 2, cost_nano_usd=1)
    for exchange in (
        make_exchange(served=ROUTED, usage=USAGE, decision=decided(Action.REDACT)),
        make_exchange(served=retried, outcome=Outcome.UPSTREAM_FAILED),
    ):
        metrics.observe(exchange)
    found: dict[str, set[str]] = {"up": set()}
    page = metrics.exposition(Present(snapshot=SNAPSHOT, exported=Exported())).decode()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def dashboard() -> dict[str, object]:
    """The dashboard's document."""
    found: dict[str, object] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    return found


def rules() -> list[dict[str, object]]:
    """The alert rules."""
    document = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def questions() -> Iterator[str]:
    """Every expression of both."""
    for panel in dashboard()["panels"]:  # type: ignore[attr-defined]
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in dashboard()["templating"]["list"]:  # type: ignore[index]
        yield from ([variable["definition"]] if "definition" in variable else [])
    for rule in rules():
        yield str(rule["expr"])


@pytest.mark.parametrize("question", sorted(set(questions())))
def test_every_metric_and_label_that_is_asked_for_exists(question: str) -> None:
    names = set(re2.findall(r"\b(?:drawbridge|process|python)_[a-z0-9_]+", question))
    if sys.platform != "linux":  # elsewhere the library cannot tell of the process
        names = {name for name in names if not name.startswith("process_")}
    known = series()
    assert names <= known.keys()
    labels = {
        label.strip() for group in re2.findall(r"by \(([^)]*)\)", question) for label in group.split(",")
    }
    labels |= set(re2.findall(r"([a-z_]+)(?:=|!=|=~|!~)\"", question))
    assert labels - OF_PROMETHEUS <= set().union(*(known[name] for name in names))


def test_the_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:  # type: ignore[attr-defined]
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not taken & cells, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_every_alert_says_how_grave_it_is_and_what_happened() -> None:
    names = [str(rule["alert"]) for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in ("info", "warning", "critical")  # type: ignore[index]
        assert rule["annotations"]["summary"]  # type: ignore[index]


def test_every_metric_is_in_the_reference() -> None:
    text = (FOLDER.parent / "observability.md").read_text(encoding="utf-8")
    families = {
        name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
        for name in series()
        if name.startswith("drawbridge_")
    }
    assert [name for name in sorted(families) if f"`{name}`" not in text] == []
