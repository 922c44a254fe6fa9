"""JSON documents on their way through the translators.

Read quickly: the gateway has inspected a body before it is translated, and refused repeated keys and wild nesting there
(`dialects.jsontext`), which costs twice what reading does. What the quick way cannot read is left to the thorough one.
"""

from __future__ import annotations

import orjson

from agent.dialects.shapes import json_object
from agent.errors import ContentError


def read_document(body: bytes) -> dict[str, object]:
    """The object that the body holds. Raises ContentError."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:  # a byte order mark, half a surrogate pair, or no JSON at all
        return json_object(body)
    if type(value) is not dict:
        raise ContentError("the body is JSON but not an object")
    return value


def write_document(document: dict[str, object]) -> bytes:
    """The body. Raises ContentError where values that came from outside nest too deep to be written."""
    try:
        return orjson.dumps(document)
    except TypeError:
        raise ContentError("the request nests deeper than JSON is written") from None


def json_text(value: object) -> str:
    """A value from a body, such as a call's input, as JSON text. Raises ContentError where it nests too deep."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        raise ContentError("JSON that nests deeper than it is written") from None
