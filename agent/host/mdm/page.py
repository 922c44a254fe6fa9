"""The table of all settings in docs/mdm.md."""

from __future__ import annotations

from collections.abc import Sequence

from agent.host.setting_rows import Row


def settings_table(rows: Sequence[Row]) -> str:
    """A Markdown table, one line per setting."""
    lines = [
        "| setting | what it is | allowed | default | a change takes hold | since |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (
            f"`{row.name}`",
            row.key.about,
            row.key.allowed,
            row.default,
            row.key.takes_hold.value,
            row.key.since,
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
