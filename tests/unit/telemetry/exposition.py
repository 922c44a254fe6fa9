"""Reads a page of metrics as Prometheus would."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from agent.telemetry.metrics import Metrics
from agent.telemetry.present import Present

NOW = Present()


class Page:
    """The samples of one page. `value` is that of the one sample with these labels among its own."""

    def __init__(self, text: bytes) -> None:
        self.families = {each.name: each for each in text_string_to_metric_families(text.decode())}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """Raises ValueError where there is not exactly one."""
        (found,) = [
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return found

    def labels(self, name: str, label: str) -> set[str]:
        """The values of one label."""
        return {sample.labels[label] for sample in self.samples if sample.name == name}


def page(metrics: Metrics, present: Present = NOW) -> Page:
    """What a scrape sees."""
    return Page(metrics.exposition(present))
