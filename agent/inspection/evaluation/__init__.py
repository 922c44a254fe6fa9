"""How good the guardrails are: labelled texts in, precision, recall and false alarms out.

`rows` reads labelled texts, `scoring` counts what a scan of them found and missed, `bars` says whether that is enough.
Pure: who reads the files, runs the scans and shows the figures is the command line's matter.
"""

from __future__ import annotations

from agent.inspection.evaluation.bars import Bar, parse_bar
from agent.inspection.evaluation.rows import Gold, Kind, Row, parse_row
from agent.inspection.evaluation.scoring import FamilyScore, Fault, Mistake, Part, Report, Scoring

__all__ = [
    "Bar",
    "FamilyScore",
    "Fault",
    "Gold",
    "Kind",
    "Mistake",
    "Part",
    "Report",
    "Row",
    "Scoring",
    "parse_bar",
    "parse_row",
]
