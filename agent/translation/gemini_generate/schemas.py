"""Schemas of this format (a subset of OpenAPI 3.0, `Schema` in its reference) as JSON Schemas."""

from __future__ import annotations

from agent.model.conversation import Json

_NAMES = frozenset(("properties", "defs", "$defs"))  # objects whose keys are the client's own names
_VALUES = frozenset(("enum", "default", "example", "required"))  # not schemas
_CAMEL = {
    "any_of": "anyOf",
    "max_items": "maxItems",
    "min_items": "minItems",
    "max_length": "maxLength",
    "min_length": "minLength",
    "max_properties": "maxProperties",
    "min_properties": "minProperties",
    "property_ordering": "propertyOrdering",
    "additional_properties": "additionalProperties",
}
_COUNTS = frozenset(  # protobuf's int64, which its JSON spells as a string
    ("maxItems", "minItems", "maxLength", "minLength", "maxProperties", "minProperties")
)


def as_json_schema(value: Json) -> Json:
    """The same schema in JSON Schema's words: types in small letters, `nullable` among the types. What it says of the
    order of properties is left out: JSON Schema has none, and it changes no value."""
    if isinstance(value, list):
        return [as_json_schema(one) for one in value]
    if not isinstance(value, dict):
        return value
    written: dict[str, Json] = {}
    for spelled, one in value.items():
        key = _CAMEL.get(spelled, spelled)
        if key in ("nullable", "propertyOrdering"):
            continue
        written[key] = _field(key, one)
    if value.get("nullable") is True:
        _allow_null(written)
    return written


def _field(key: str, value: Json) -> Json:
    if key == "type" and isinstance(value, str):
        return value.lower()
    if key in _COUNTS and isinstance(value, str) and value.isdecimal():
        return int(value)
    if key in _NAMES and isinstance(value, dict):
        return {name: as_json_schema(one) for name, one in value.items()}
    return value if key in _VALUES else as_json_schema(value)


def _allow_null(schema: dict[str, Json]) -> None:
    kind, choices = schema.get("type"), schema.get("enum")
    if isinstance(kind, str):
        schema["type"] = [kind, "null"]
    elif isinstance(options := schema.get("anyOf"), list):
        schema["anyOf"] = [*options, {"type": "null"}]
    if isinstance(choices, list) and None not in choices:
        schema["enum"] = [*choices, None]
