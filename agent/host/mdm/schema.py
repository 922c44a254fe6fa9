"""The JSON Schema of the settings: what `managed.json` may hold, and every other source with typed values."""

from __future__ import annotations

from collections.abc import Sequence

from agent.host.setting_rows import Row, System


def settings_schema(rows: Sequence[Row]) -> dict[str, object]:
    """Accepts what the loader accepts, as far as JSON Schema can say it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Drawbridge settings",
        "description": "Settings of one machine. Rules about AI traffic are no settings; they belong to the policy.",
        "type": "object",
        "additionalProperties": False,
        "properties": {row.name: _property(row) for row in rows},
    }


def _property(row: Row) -> dict[str, object]:
    examples = [row.example(system) for system in System]
    distinct = [
        each for index, each in enumerate(examples) if each is not None and each not in examples[:index]
    ]
    return {
        "title": row.title,
        "description": f"{row.key.about} Allowed: {row.key.allowed}. Default: {row.default}.",
        **({"examples": distinct} if distinct else {}),
        **row.shape.accepted,
    }
