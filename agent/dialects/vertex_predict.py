"""Bodies of Vertex AI's `predict`: instances in, predictions out, each in the shape that its model chose.

Source: Vertex AI's reference, "Text embeddings", "Imagen" and "Veo": the texts stand under `content`, `prompt`, `text`,
`title` and their kin, pictures and films under `bytesBase64Encoded` or `gcsUri`.
"""

from __future__ import annotations

from agent.dialects.shapes import mapping, objects, string
from agent.dialects.slots import Collector
from agent.model.content import Path, Role

_BYTES = "bytesBase64Encoded"
_NO_TEXT = frozenset((_BYTES, "gcsUri", "mimeType", "task_type", "taskType", "embeddings", "values"))


def read_instances(found: Collector, path: Path, value: object) -> None:
    """Every text of the instances of a request, and what they carry that is none."""
    items = value if isinstance(value, list) else []
    for index, instance in enumerate(items):
        _read(found, (*path, index), Role.USER, instance, attaching=True)


def read_predictions(found: Collector, path: Path, value: object) -> None:
    """Every text of the predictions of an answer."""
    for index, prediction in objects(value):
        _read(found, (*path, index), Role.ASSISTANT, prediction, attaching=False)


def _read(found: Collector, path: Path, role: Role, value: object, *, attaching: bool) -> None:
    match value:
        case dict():
            if attaching and (_BYTES in value or "gcsUri" in value):
                _attach(found, mapping(value))
            for key, item in value.items():
                if key not in _NO_TEXT:
                    _read(found, (*path, key), role, item, attaching=attaching)
        case list():
            for index, item in enumerate(value):
                _read(found, (*path, index), role, item, attaching=attaching)
        case _:
            found.leaves(path, role, value)


def _attach(found: Collector, blob: dict[str, object]) -> None:
    media_type = string(blob.get("mimeType"))
    kind = media_type.partition("/")[0]
    found.attach(
        kind if kind in ("audio", "video") else "image", media_type=media_type, data=blob.get(_BYTES)
    )
