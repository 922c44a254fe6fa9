"""Bars: what a figure must reach, as one writes it on a command line: `secret.f1=0.95`."""

from __future__ import annotations

from dataclasses import dataclass

from agent.errors import ConfigError
from agent.inspection.evaluation.scoring import METRICS, Report
from agent.model.findings import Family

_AT_MOST = frozenset({"false_alarms", "benign"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A figure of a family and its bound: a floor, or for alarms a ceiling."""

    family: Family
    metric: str
    bound: float

    @property
    def name(self) -> str:
        """As it was written: `secret.f1`."""
        return f"{self.family.value}.{self.metric}"

    @property
    def at_most(self) -> bool:
        """Whether the figure must not exceed the bound."""
        return self.metric in _AT_MOST

    def figure(self, report: Report) -> float | None:
        """The figure; None where no row was there to measure it on."""
        score = report.families.get(self.family)
        return None if score is None else score.metric(self.metric)

    def reached(self, report: Report) -> bool:
        """Whether the report reaches it. What could not be measured is not reached."""
        figure = self.figure(report)
        if figure is None:
            return False
        return figure <= self.bound if self.at_most else figure >= self.bound


def parse_bar(text: str) -> Bar:
    """The bar `FAMILY.METRIC=NUMBER`. Raises ConfigError."""
    name, _, number = text.partition("=")
    family, _, metric = name.strip().partition(".")
    try:
        bar = Bar(family=Family(family), metric=metric, bound=float(number))
    except ValueError:
        bar = None
    if bar is None or bar.metric not in METRICS or not 0 <= bar.bound <= 1000:
        raise ConfigError(
            f"not a bar: {text!r}",
            hint=f"Write FAMILY.METRIC=NUMBER, such as secret.f1=0.95; metrics: {', '.join(METRICS)}.",
        )
    return bar
