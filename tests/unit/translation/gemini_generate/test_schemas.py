"""The format's schemas as JSON Schemas."""

from __future__ import annotations

import pytest

from agent.translation.gemini_generate.schemas import as_json_schema


@pytest.mark.parametrize(
    ("schema", "json_schema"),
    [
        ({"type": "STRING"}, {"type": "string"}),
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "STRING", "enum": ["A"], "nullable": True},
            {"type": ["string", "null"], "enum": ["A", None]},
        ),
        (
            {"any_of": [{"type": "NUMBER"}], "nullable": True},
            {"anyOf": [{"type": "number"}, {"type": "null"}]},
        ),
        (
            {"type": "ARRAY", "items": {"type": "INTEGER"}, "min_items": "2"},
            {"type": "array", "items": {"type": "integer"}, "minItems": 2},
        ),
        (
            {  # properties may be called like the schema's own fields
                "type": "OBJECT",
                "properties": {"type": {"type": "STRING"}, "max_items": {"type": "BOOLEAN"}},
                "required": ["type"],
                "propertyOrdering": ["type"],
            },
            {
                "type": "object",
                "properties": {"type": {"type": "string"}, "max_items": {"type": "boolean"}},
                "required": ["type"],
            },
        ),
        ({"default": {"type": "STRING"}}, {"default": {"type": "STRING"}}),
        ({}, {}),
    ],
)
def test_a_schema_says_the_same(schema, json_schema: object) -> None:
    assert as_json_schema(schema) == json_schema
