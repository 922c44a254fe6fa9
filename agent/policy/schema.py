"""The JSON Schema of policies, for editors that complete and check while an admin types."""

from __future__ import annotations

import orjson

from agent.policy.document import Policy


def json_schema() -> str:
    """The schema as text, the same for the same version: `policies/schema/policy.schema.json` is this."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Drawbridge policy",
        **{key: value for key, value in Policy.model_json_schema().items() if key != "title"},
    }
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"
