"""Bedrock's side of Converse, as botocore's service model tells it: what its service takes, what its clients read."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.eventstream import EventStream
from botocore.model import OperationModel, Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.session import Session


@cache
def operation(name: str) -> OperationModel:
    """`Converse` or `ConverseStream`."""
    return Session().get_service_model("bedrock-runtime").operation_model(name)


def asked(name: str = "Converse", **parameters: object) -> tuple[str, bytes]:
    """Path and body that a client sends for these parameters."""
    request = create_serializer("rest-json").serialize_to_request(parameters, operation(name))
    return request["url_path"], request["body"]


def heard(body: bytes) -> dict[str, Any]:
    """A whole answer, as a client reads it."""
    response = {"status_code": 200, "headers": {}, "body": body}
    return create_parser("rest-json").parse(response, operation("Converse").output_shape)


def events(stream: bytes) -> list[dict[str, Any]]:
    """The events of a stream, as a client reads them. Raises EventStreamError at an exception."""
    shape = operation("ConverseStream").output_shape.members["stream"]
    parser = create_parser("rest-json")._event_stream_parser
    return list(EventStream(_Body(stream), shape, parser, "ConverseStream"))


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


def complaints(body: bytes) -> list[str]:
    """What the service would refuse in the body of a request: all that the shapes say."""
    return list(_complaints(operation("Converse").input_shape, {"modelId": "m", **json.loads(body)}, "body"))


def _complaints(shape: Shape, value: Any, at: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _structure(shape, value, at)
        case "list":
            for index, item in enumerate(value):
                yield from _complaints(shape.member, item, f"{at}[{index}]")
            yield from _bounds(shape, len(value), at)
        case "map":
            for key, item in value.items():
                yield from _complaints(shape.value, item, f"{at}.{key}")
        case "string":
            yield from _string(shape, value, at)
        case "blob":
            if not base64.b64decode(value, validate=True) and shape.metadata.get("min"):
                yield f"{at} is empty"
        case "boolean":
            if not isinstance(value, bool):
                yield f"{at} is no boolean"
        case _:
            if not isinstance(value, int | float) or isinstance(value, bool):
                yield f"{at} is no number"
            else:
                yield from _bounds(shape, value, at)


def _structure(shape: Shape, value: Any, at: str) -> Iterator[str]:
    if shape.is_document_type:
        return
    if shape.metadata.get("union") and len(value) != 1:
        yield f"{at} has {len(value)} members"
    for name in shape.required_members:
        if name not in value:
            yield f"{at}.{name} is missing"
    for name, member in value.items():
        if name in shape.members:
            yield from _complaints(shape.members[name], member, f"{at}.{name}")
        else:
            yield f"{at}.{name} is unknown"


def _string(shape: Shape, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{at} is no string"
        return
    if shape.enum and value not in shape.enum:
        yield f"{at} is none of {shape.enum}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield f"{at} does not match {pattern}"
    yield from _bounds(shape, len(value), at)
    if not value.strip() and at.endswith(".text"):
        yield f"{at} is blank"


def _bounds(shape: Shape, size: float, at: str) -> Iterator[str]:
    least, most = shape.metadata.get("min", size), shape.metadata.get("max", size)
    if not least <= size <= most:
        yield f"{at} is not within {least} and {most}"
