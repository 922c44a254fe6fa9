"""The JSON Schema for editors."""

from __future__ import annotations

from pathlib import Path

import orjson

from agent.policy import Policy, json_schema

FILE = Path(__file__).parents[3] / "policies/schema/policy.schema.json"


def test_the_file_in_the_repository_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == json_schema(), "write agent.policy.json_schema() to the file"


def test_it_names_every_key_and_refuses_others() -> None:
    schema = orjson.loads(json_schema())
    assert set(schema["properties"]) == set(Policy.model_fields)
    sections = [schema, *(each for each in schema["$defs"].values() if each["type"] == "object")]
    assert all(section["additionalProperties"] is False for section in sections)
    action = schema["$defs"]["Guardrail"]["properties"]["action"]
    assert action["enum"] == ["allow", "alert", "pseudonymize", "mask", "redact", "ask", "block"]


def test_every_key_of_a_guardrail_is_described() -> None:
    keys = orjson.loads(json_schema())["$defs"]["Guardrail"]["properties"]
    plain = {"id", "hosts", "description"}
    assert {key for key, value in keys.items() if "description" not in value} <= plain


def test_every_key_is_described_in_the_reference() -> None:
    docs = FILE.parents[2] / "docs"
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(docs.glob("*.md")))
    marks = str.maketrans(".,:{}[]", "       ")
    coded = {word for part in text.split("`")[1::2] for word in part.translate(marks).split()}
    sections = [orjson.loads(json_schema())]
    sections += sections[0]["$defs"].values()
    keys = {key for section in sections for key in section.get("properties", {})}
    assert sorted(keys - coded) == []
